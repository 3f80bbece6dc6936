"""Receiving datagrams in buffer access: one answer of AT+CIPRXGET is one datagram, of digits perhaps the half of it."""


class Datagrams:
    """``modem.parts["datagrams"]``, from the first UDP socket on; ``dialect``: the file of its wording."""

    def __init__(self, m, dialect):
        self._modem = m
        self.dialect = dialect
        self.port = 0  # the last local port of our choice
        self.longest = max(m.SEND_MAX, self.dialect.LONGEST)  # that the module sends, as far as we know
        self._handler = self.on_read

    def read(self, link, n):
        """Buffered.next(): read a whole datagram, also while the form of the trailer is not known; ``n`` bytes fit.

        It is learnt then from a datagram that does not end in a newline.
        """
        m = self._modem
        cmd = link.rxget
        if cmd[-2] == 32:  # as it was made for streams
            digits = hasattr(m.receiver, "DIGITS")
            m.receiver.ask_for(link, min(m.READ_MAX // 2 if digits else m.READ_MAX, m.ring_size))
            link.halves = digits and m.ring_size >= 2 * link.asked
            link.head = b"\n"  # no header goes to on_head()
            link.handler = self._handler
        if (n < link.asked and not 1 < link.known <= n) or link.borders.full():
            m.links.reading &= ~link.bit  # until there is room for the longest
            return
        link.source = None
        m.receiver.read(link)

    def on_read(self, kind, buf, i, j):
        """CipRxGet.on_read(); with AT+CIPSRIP=1 the header ends in ``,"address":port``."""
        receiver = self._modem.receiver
        if not kind and j > i and buf[j - 1] != 34 and buf.startswith(b"+CIPRXGET", i):
            k = buf.find(b',"', i, j) + 2
            end = buf.rfind(b'":', i, j)
            if 1 < k < end:
                port = bytes(buf[end + 2 : j]).strip()
                if port.isdigit():
                    receiver.link.source = (str(bytes(buf[k:end]), "utf-8"), int(port))
        return receiver.on_read(kind, buf, i, j)
