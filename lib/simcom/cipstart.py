"""The CIPSTART dialect: how SIM800 and SIM7000 raise a context and word results."""

import errno

from .channel import passed
from .ciprxget import CipRxGet
from .links import State, Wait
from .tcp import TcpIp


class CipStart(TcpIp):
    OPEN = 'AT+CIPSTART=%d,"%s","%s",%d'
    DIALECT = "cipstart"
    RECEIVER = CipRxGet
    SERVERS = 1
    DNS = (b"+CDNSGIP:",)  # it comes after OK
    SETTINGS = (b"AT+CIPMODE=0", b"AT+CIPMUX=1", b"AT+CIPQSEND=1", b"AT+CIPSPRT=1", b"AT+CIPRXGET=1")

    def ack(self, link):
        """Steps: has the peer everything? Asked again."""
        try:
            info = yield b"AT+CIPACK=%d" % link.n, self.ANSWER_MS, ()
            link.unacked = not info or info[-1].split(",")[-1].strip() != "0"  # damaged
        except OSError as e:
            link.unacked = not hasattr(e, "line")  # no answer
        if link.unacked:
            yield Wait.RETRY_MS

    def ask(self, link):
        """Steps: is it open still, or by now?"""
        n = link.n
        try:
            info = yield b"AT+CIPSTATUS=%d" % n, self.ANSWER_MS, ()
            state = info and info[-1].split(",")[-1].strip(' "')
        except OSError:
            self.doubt = True  # no context?
            return
        if link.n != n:  # it is about who has the number now
            return
        if state == "CONNECTED":
            if link.state == State.CONNECTING and not link.stale:  # the report was lost, or it is an older connection
                raise OSError(errno.EALREADY, "connect %s:%d: already connected" % link.peer)
            self.connected(link)
            self.links.reading |= link.bit  # a notice may have been lost
        elif "/%s/" % state in "/CLOSED/INITIAL/REMOTE CLOSING/CLOSING/":  # else it is connecting, or damaged
            if link.state == State.CONNECTING:
                self._failed(link)
            self.gone(link)

    def shut(self, link):
        """Steps: close it; whether it was open does not matter."""
        try:
            yield b"AT+CIPCLOSE=%d" % link.n + (b",1" if link.abort else b""), 30000, (b"CLOSE OK", b"CLOSED OK")
        except OSError:  # closed already
            pass

    def marks(self, n):
        """What tells the result of a send on link ``n``."""
        return (b"DATA ACCEPT:%d," % n, b"DATA ACCEPT: %d," % n, b"%d, SEND " % n)

    def accepted(self, link, info, n):
        """Note how many of ``n`` payload bytes the module took, by its answer; negative: an errno."""
        line = info[-1]
        link.unacked = True
        if line.startswith("DATA ACCEPT:"):
            link.report = int(line.split(",")[1])
        else:
            link.report = n if line.endswith("SEND OK") else -errno.ECONNABORTED

    def _failed(self, link):
        code = errno.ETIMEDOUT if passed(link.moved, Wait.REFUSED_MS) else errno.ECONNREFUSED
        link.fail(code, "connect %s:%d: CONNECT FAIL" % link.peer)

    def on_line(self, buf, i, j):
        if j - i > 7 and buf[i + 1] == 44:  # "0, CLOSED", with or without the blank
            link = self.links.get(buf[i] - 48)
            i += 3 if buf[i + 2] == 32 else 2
            fail = buf.startswith(b"CONNECT FAIL", i)
            if fail or buf.startswith(b"CONNECT OK", i):
                if link and link.state == State.CONNECTING and link.pending:
                    if fail:
                        self._failed(link)
                    else:
                        self.connected(link)
                    self.wake(link)
                return True
            if j - i == 6 and buf.startswith(b"CLOSED", i):
                if link:
                    self.gone(link)
                return True
            for late in (b"ALREADY CONNECT", b"SEND ", b"CLOSE OK"):
                if buf.startswith(late, i):
                    return True
            return False
        if buf.startswith(b"+PDP", i):
            self.on_lost(errno.ENOTCONN, "the network took the context (+PDP: DEACT)")
            return True
        return buf.startswith(b"STATE:", i) or buf.startswith(b"DATA ACC", i) or super().on_line(buf, i, j)
