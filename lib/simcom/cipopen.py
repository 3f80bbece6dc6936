"""The CIPOPEN dialect: how SIM7028 and A76XX raise a context and word results."""

import errno

from micropython import const

from .ciprxget import CipRxGet
from .links import State
from .pump import ATError, text
from .tcp import TcpIp


# What tells a link's affairs unasked, as +NAME: link,number[,number]
_REPORTS = const((b"+CIPOPEN", b"+CIPSEND", b"+IPCLOSE", b"+CIPCLOSE"))
_OPENED = const(0)
_SENT = const(1)
_ENDED = const(2)
_CLOSED = const(3)


class CipOpen(TcpIp):
    DIALECT = "cipopen"
    RECEIVER = CipRxGet
    OPEN = 'AT+CIPOPEN=%d,"%s","%s",%d'
    ANSWER_MS = 9000
    READ_MAX = 1500
    SEND_MAX = 1500
    CONNECT_MS = 125000  # AT+CIPTIMEOUT's 120 s, and some more
    OFF = (b"AT+CPOF", 10000)
    DNS = ()  # it comes before OK
    # Errors as numbers and headers with the link's number; sends are reported when the module has them.
    SETTINGS = (b"AT+CIPMODE=0", b"AT+CIPSENDMODE=0", b"AT+CIPCCFG=10,0,0,0,1,0,500", b"AT+CIPRXGET=1")

    net = None  # <err> of the last +NETOPEN or +NETCLOSE
    _cause = ""  # the line that tells why ERROR will follow

    def ask(self, link):
        """Steps: is it open still, or by now?"""
        # One line for each link: "n", or "n,type,address,port,index". A connection's report comes between: "n,err".
        n = link.n
        try:
            lines = yield b"AT+CIPOPEN?", self.ANSWER_MS, ()
        except ATError:
            raise
        except OSError:  # nothing was said: it is asked again
            return
        for line in lines:
            each = line[9:].strip()
            if "," in each and '"' not in each:
                self.on_line(line.encode(), 0, len(line))
            elif link.n == n and each.split(",")[0] == str(n):  # else it is of a client that has its number now
                if "," in each:
                    self.connected(link)
                    self.links.reading |= link.bit  # a notice may have been lost: ask for data too
                elif link.state != State.CONNECTING:
                    self.gone(link)

    def shut(self, link):
        """Steps: close it; whether it was open does not matter."""
        link.report = None
        try:
            yield b"AT+CIPCLOSE=%d" % link.n, 10000, False
            yield from self.reported(link, self.STALL_MS)
        except OSError as e:
            if link.pending or not hasattr(e, "line"):  # still on its way: it is used last, and closed once more before
                self.links.last |= link.bit
                self.owed |= link.bit

    def marks(self, n):
        """Nothing tells the result of a send before OK."""
        return False

    def accepted(self, link, info, n):
        """Nothing yet: +CIPSEND tells it."""

    def refusal(self, line):
        cause = self._cause or "".join(self._task.info[-1:])
        self._cause = ""
        return super().refusal(cause or line)

    def on_line(self, buf, i, j):
        self.cursor = k = buf.find(b":", i, j) + 1
        if not k or buf[i] != 43:
            return buf.startswith(b"CLOSED", i) or buf.startswith(b"+IPCL", i) or super().on_line(buf, i, j)
        name = bytes(buf[i : k - 1])
        ip = buf.startswith(b"+IP E", i)
        if ip or buf.startswith(b"+CIPERR", i):
            link = self.receiver.link
            if self._task:
                self._cause = text(buf, i, j)
            elif ip and link and link.known < 0:
                link.known = 0  # "No data": the notice was of what is read already
        elif buf.startswith(b"+NET", i):
            self.net = self.number(buf, j)
            self.doubt = self.up
        elif buf.startswith(b"+CIPEVENT", i):
            self.on_lost(errno.ENOTCONN, "the network closed the context (+CIPEVENT)")
        elif name in _REPORTS:
            self.number(buf, j)
            n = buf[self.cursor - 2] - 48  # no link's when the digit is damaged: not that of link 0
            self.links.last &= ~(1 << (n & 15))
            link = self.links.get(n)
            if link:
                self._report(link, _REPORTS.index(name), buf, j)
                self.wake(link)
        else:
            return super().on_line(buf, i, j)
        return True

    def gone(self, link):
        self.owed |= link.bit
        super().gone(link)

    def _report(self, link, what, buf, j):
        # +NAME: link,number[,number]
        number = self.number(buf, j)
        if what == _OPENED:
            if link.state != State.CONNECTING or not link.pending:
                return
            if number:
                link.fail(*ATError("connect %s:%d" % link.peer, "+CIPOPEN: %d,%d" % (link.n, number)).args)
            else:
                self.connected(link)
        elif what == _SENT:
            if number != link.sending or buf[j - 1] < 48:  # of an earlier connection, or damaged
                link.report = -1
            elif buf.find(b"-", self.cursor, j) >= 0:  # -1: not connected
                link.report = -errno.ECONNRESET
            else:
                link.report = self.number(buf, j)
        elif what == _ENDED and number == 2:
            link.fail(errno.ETIMEDOUT, "closed by the module: sending timed out")
            link.to(State.CLOSING)
        else:
            if what == _CLOSED:
                link.report = 0
            if link.state == State.OPEN:
                self.gone(link)
