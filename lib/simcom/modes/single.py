"""Single-connection mode: the multi-connection dialect with the link's number left out.

The number, 0, is taken out of commands on their way to the wire; lines get it before anybody else sees them.
"""

import errno

from ..supported import start_only
from ..links import Link, LinkTable
from ..parser import Parser
from ..stages import Stage, add

_BARE = (b"AT+CIPSEND", b"AT+CIPCLOSE", b"AT+CIPACK", b"AT+CIPSTATUS")  # may stand without any parameter
_MORE = (b"AT+CIPSTART", b"AT+CIPUDPMODE", b"AT+CLPORT")
_RESULTS: tuple = (b"CONNECT OK", b"CONNECT FAIL", b"CLOSED", b"SEND OK", b"SEND FAIL", b"CLOSE OK", b"CLOSED OK")
_RESULTS += (b"ALREADY CONNECT",)
_IDLE: tuple = (b"IP INITIAL", b"IP START", b"IP CONFIG", b"IP GPRSACT", b"IP STATUS", b"IP PROCESSING", b"PDP DEACT")
_IDLE += (b"SERVER LISTENING",)
_ENDING = (b" CONNECTING", b" CLOSING", b" CLOSED")  # of TCP, of UDP


def single(m):
    """What the constructor does for ``mux=False``. OSError(EOPNOTSUPP): the family has no such mode."""
    start_only(m, "single-connection mode")
    Single(m)


class Single(Stage):
    """Stands between the channel and its parser too, so that lines have the number when the channel sees them."""

    LEVEL = 1

    def __init__(self, m):
        m.LINKS = 1
        m.links = LinkTable(1)
        m.SETTINGS = tuple([cmd.replace(b"MUX=1", b"MUX=0") for cmd in m.SETTINGS])
        self._modem = m
        self._channel = channel = m.channel
        self._asked = False  # the command in flight is AT+CIPSTATUS, for the state of the link
        self._cmd = bytearray(b"AT+CIPRXGET=2,    \r")
        self._line = bytearray(600)  # a line with its number …
        self._n = 0  # … its length
        self._theirs = None  # start of a line that brings most payload, and as it is without the number
        self._mine = b""
        add(m, self)
        channel.parser = Parser(self, len(channel.parser.buf))
        self.on_prompt = channel.on_prompt
        self.on_end = channel.on_end

    # Commands

    def start(self, cmd, n, handler, ms, own=0, payload=None, payload_n=0):
        """Channel.start()"""
        k = cmd.find(b"=0")
        self._asked = False
        if k > 0:
            name = bytes(cmd[:k])
            if cmd[k + 2] == 44 and (name in _BARE or name in _MORE):
                cmd = name + b"=" + cmd[k + 3 :]
            elif cmd[k + 2] == 13 and name in _BARE:
                cmd = name + b"\r"
                if name == _BARE[3]:  # its OK comes first
                    self._asked = True
                    own = 1
        self.below.start(cmd, len(cmd), handler, ms, own, payload, payload_n)

    def read(self, cmd, n, head, handler, ms):
        """Channel.read()"""
        mine = self._cmd
        mine[12] = cmd[12]
        for k in range(16, n):
            mine[k - 2] = cmd[k]
        if head is not self._theirs:
            self._theirs = head
            self._mine = head.replace(b",0,", b",")
        self.below.read(mine, n - 2, self._mine, handler, ms)

    # Lines

    def on_line(self, buf, i, j):
        """Channel.on_line()"""
        channel = self._channel
        if channel.skip or channel.parser.text or j - i > 500 or (channel.head and buf.startswith(channel.head, i)):
            return channel.on_line(buf, i, j)
        if buf.startswith(b"+CIPRXGET:", i):
            if channel.busy and channel.cmd is not self._cmd and channel.cmd.startswith(b"AT+CIPRXGET"):
                return channel.on_line(buf, i, j)  # somebody's own question
            k = i + 11
            while k < j and buf[k - 1] == 32:
                k += 1
            return self._put(buf, i, k, j, b",0")
        if buf.startswith(b"DATA ACCEPT:", i):
            return self._put(buf, i, i + 12, j, b"0,")
        if buf.startswith(b"STATE:", i):
            return self._state(buf, i, j)
        if buf.startswith(b"REMOTE IP:", i):
            return self._put(buf, i, i, j, b"0, ")
        for result in _RESULTS:
            if j - i == len(result) and buf.startswith(result, i):
                return self._put(buf, i, i, j, b"0, ")
        return channel.on_line(buf, i, j)

    def _state(self, buf, i, j):
        m = self._modem
        if buf.find(b"PDP DEACT", i, j) > 0:
            m.on_lost(errno.ENOTCONN, "the network took the context (STATE: PDP DEACT)")
        if not self._asked:
            return self._channel.on_line(buf, i, j)
        state = bytes(buf[i + 6 : j]).strip()
        if state == b"IP INITIAL":
            m.doubt = True
        if state == b"CONNECT OK":
            state = b"CONNECTED"
        elif state in _IDLE:
            state = b"INITIAL"
        elif state[3:] in _ENDING:
            state = state[4:]
        link = m.links.slots[0] or Link  # the module does not tell whose state it is
        line = b'+CIPSTATUS: 0,0,"%s","%s","%d","%s"' % (
            link.proto.encode(),
            link.peer[0].encode(),
            link.peer[1],
            state,
        )
        return self._channel.on_line(line, 0, len(line))

    def _put(self, buf, i, k, j, more):
        # The line with ``more`` at k.
        self._n = 0
        self._copy(buf, i, k)
        self._copy(more, 0, len(more))
        self._copy(buf, k, j)
        return self._channel.on_line(self._line, 0, self._n)

    def _copy(self, buf, i, j):
        line = self._line
        n = self._n
        while i < j:  # a slice would allocate
            line[n] = buf[i]
            n += 1
            i += 1
        self._n = n
