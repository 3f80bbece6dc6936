"""Cut the module's byte stream into lines, prompts and counted payload."""

from micropython import const

_LINE = const(512)  # longest line kept; of a longer one the rest is dropped

# Where the parser stands between the last payload byte and the final OK: the
# position in "\r\n" "\r\n" "OK\r\n" (the second "\r\n" only in one of the two
# forms), or in a line that a URC put there.
_NONE = const(0)
_BLANK = const(3)  # "\r\n" is behind; "\r" (long form) or "O" (short form) next
_O = const(5)
_K = const(6)
_DONE = const(9)
_URC = const(10)

_EXPECT = b"\r\n\r\nOK\r\n"
_SHORT = b"\r\nOK\r\n"


class Parser:
    """Sans-IO: the owner fills ``buf`` from its start and calls ``feed(n)``.

    The sink has three methods: ``on_line(buf, i, j)`` returns whether the line
    is a known URC; ``on_prompt()``; ``on_end(ok)``, once after counted payload:
    its trailer was exact, or bytes were lost. Payload goes to ``take(buf, i, n)``.
    Nothing here allocates after ``__init__``.
    """

    def __init__(self, sink, size):
        self.buf = bytearray(size)
        self.prompt = False  # set by who awaits ">"; cleared when it came
        self.need = 0  # payload bytes still to come …
        self.take = None  # … and who takes them
        self.long = None  # trailer form: "\r\n\r\nOK\r\n", "\r\nOK\r\n", not known yet
        self._sink = sink
        self._line = bytearray(_LINE)  # a line that began in an earlier chunk
        self._held = 0  # its bytes so far
        self.tail = _NONE  # not 0: between payload and its OK, where only URCs may stand
        self._blank = False  # the long form was seen after this payload
        self._newline = False  # this payload ended in "\n"

    def expect(self, n, take, trailer=True):
        """The next ``n`` bytes are payload, for ``take(buf, i, n)``; called by the sink in ``on_line``."""
        self.need = n
        self.take = take
        self.tail = 1 if trailer else _NONE
        self._blank = False

    def reset(self):
        """Forget a partial line, payload or trailer."""
        self.need = self._held = self.tail = 0
        self.prompt = False

    def feed(self, n):
        """Dispatch the first ``n`` bytes of ``buf``."""
        i = 0
        while i < n:
            if self.need:
                i = self._data(i, n)
            elif self.tail == _NONE or self.tail == _URC:
                i = self._text(i, n)
            else:
                i = self._trailer(i, n)

    def _data(self, i, n):
        if n - i > self.need:
            n = i + self.need
        self.need -= n - i
        self._newline = self.buf[n - 1] == 10
        self.take(self.buf, i, n - i)
        return n

    def _text(self, i, n):
        buf = self.buf
        if self.prompt and not self._held and buf[i] == 62:  # ">" is not a line
            self.prompt = False
            self._sink.on_prompt()
            return i + 1  # its blank, if any, is stripped from the next line
        j = buf.find(b"\n", i, n)
        if j < 0:
            self._hold(i, n)
            return n
        if self._held:
            self._hold(i, j)
            self._emit(self._line, 0, self._held)
            self._held = 0
        else:
            self._emit(buf, i, j)
        return j + 1

    def _hold(self, i, j):
        line = self._line
        at = self._held
        if at + j - i > _LINE:
            j = i + _LINE - at
        for k in range(i, j):  # few bytes; a slice would allocate
            line[at] = self.buf[k]
            at += 1
        self._held = at

    def _emit(self, buf, i, j):
        exact = j > i and buf[j - 1] == 13
        while j > i and buf[j - 1] == 13:
            j -= 1
        while i < j and (buf[i] == 32 or buf[i] == 13):  # the prompt's stray blank
            i += 1
        if self.tail == _URC:
            if i < j and exact and self._sink.on_line(buf, i, j):
                self.tail = 1
            else:
                self._end(False)
        elif i < j:
            self._sink.on_line(buf, i, j)

    # After the counted bytes exactly one trailer is right. Skipping any CR LF
    # would take lost payload bytes for framing: of k lost bytes the count eats k
    # bytes of the trailer, so what is left of it is always shorter.
    def _trailer(self, i, n):
        at = self.tail
        if at == 1 and self.long is not None:  # mostly it comes whole
            k = 8 if self.long else 6
            if n - i >= k and self.buf.startswith(_EXPECT if self.long else _SHORT, i):
                self._end(True)
                return i + k
        c = self.buf[i]
        if at == _BLANK and c == 79:  # "O": short form
            at = _O
        if c == _EXPECT[at - 1]:
            if at == 4:
                self._blank = True
            self.tail = at + 1
            if at + 1 == _DONE:
                if self.long is None and (self._blank or not self._newline):
                    self.long = self._blank  # "\n" + short could be the long form, two bytes lost
                self._end(self.long is None or self.long == self._blank)
            return i + 1
        if at == _BLANK or at == _O or at == _K:  # a line stands there: a URC?
            self.tail = _URC
            if at == _K:
                self._line[0] = 79
                self._held = 1
            return i
        self._end(False)
        return i

    def _end(self, ok):
        self.tail = _NONE
        self._held = 0
        if not ok:
            self.long = None  # perhaps it was learnt wrongly: learn it again
        self._sink.on_end(ok)
