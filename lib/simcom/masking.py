"""Hides PINs, passwords and accounts in what people read: exceptions, and the record of a Tap."""

# Commands whose quoted arguments are secret; of CPIN and CPWD those without quotes too.
_SECRET = (b"CPIN", b"CLCK", b"CPWD", b"CSTT", b"CGAUTH", b"CSOCKAUTH", b"CNCFG", b"SAPBR", b"FTPUN", b"FTPPW")
_BARE = (b"CPIN", b"CPWD")


class Mask:
    """One direction of the traffic, in pieces of any length."""

    def __init__(self):
        self._end()

    def _end(self):
        self._name = None  # what may be a command's name; None: no "+" came yet, or it is too long
        self._secret = False  # this command's arguments are …
        self._bare = False  # … also outside quotes
        self._quoted = False

    def feed(self, data) -> bytes:
        """``data`` with ``*`` for every secret byte."""
        return bytes([self._byte(c) for c in data])

    def _byte(self, c):
        if c == 13 or c == 10:
            self._end()
        elif c == 34:
            self._quoted = not self._quoted
        elif self._quoted:
            return 42 if self._secret else c
        elif c == 59:  # the next command of the same line
            self._end()
        elif self._secret:
            return 42 if self._bare and c not in b", " else c
        elif c == 61 or c == 58:
            self._secret = self._name in _SECRET
            self._bare = c == 61 and self._name in _BARE
        elif c == 43:
            self._name = b""
        elif self._name is not None and c != 32:  # some write "+CPIN = "
            self._name = self._name + bytes([c]).upper() if len(self._name) < 9 else None
        return c


def masked(text: str) -> str:
    """``text``, with lines to or from the module in it, without its secrets."""
    return str(Mask().feed(text.encode()), "utf-8")
