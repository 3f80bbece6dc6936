"""Receiving datagrams in buffer access: one answer of AT+CIPRXGET is one datagram, of digits perhaps the half of it."""

from micropython import const

from .lazy import capability

_READ_MS = const(10000)


class Datagrams:
    """``modem.parts["datagrams"]``, from the first UDP socket on."""

    def __init__(self, m):
        self._modem = m
        self.dialect = capability(m, "udp")
        self.port = 0  # the last local port of our choice
        self.longest = max(m.SEND_MAX, self.dialect.LONGEST)  # that the module sends, as far as we know
        self._reader = self.on_read
        self._rxget = m._rxget
        m._rxget = self.rxget

    def rxget(self, link, n):
        """BufferAccess._rxget(): for a whole datagram, also while the form of the trailer is not known.

        It is learnt then from a datagram that does not end in a newline.
        """
        if link.proto != "UDP":
            return self._rxget(link, n)
        m = self._modem
        cmd = link.rxget
        if cmd[-2] == 32:  # as it was made for streams
            mode = cmd[12] - 48
            link.asked = min(m.READ_MAX if mode == 2 else m.READ_MAX // 2, m.ring_size)
            link.halves = mode == 3 and m.ring_size >= 2 * link.asked
            cmd = link.rxget = b"AT+CIPRXGET=%d,%d,%d\r" % (mode, link.n, link.asked)
        if (n < link.asked and not 1 < link.known <= n) or link.borders.full():
            m.links.reading &= ~link.bit  # until there is room for the longest
            return
        m._link = link
        m._n = link.n
        m._task = None
        link.source = None
        m.stage.read(cmd, len(cmd), b"\n", self._reader, _READ_MS)  # no header goes to on_head()

    def on_read(self, kind, buf, i, j):
        """BufferAccess._on_read(); with AT+CIPSRIP=1 the header ends in ``,"address":port``."""
        m = self._modem
        if not kind and j > i and buf[j - 1] != 34 and buf.startswith(b"+CIPRXGET", i):
            k = buf.find(b',"', i, j) + 2
            end = buf.rfind(b'":', i, j)
            if 1 < k < end:
                port = bytes(buf[end + 2 : j]).strip()
                if port.isdigit():
                    m._link.source = (str(bytes(buf[k:end]), "utf-8"), int(port))
        return m._on_read(kind, buf, i, j)
