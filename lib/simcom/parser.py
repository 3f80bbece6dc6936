"""Cut the module's byte stream into lines, prompts and counted payload."""

from micropython import const

_LINE = const(512)  # longest line kept, unless somebody gives more room; of a longer one the rest is dropped

_LONG = const(b"\r\n\r\nOK\r\n")
_SHORT = const(b"\r\nOK\r\n")


class Answer:
    """What a command's handler is told, as handler(kind, buf, i, j)."""

    LINE = 0  # a line, before unsolicited codes are looked at: an awaited one? (returns whether)
    TEXT = 1  # a line that is no unsolicited code: free text? (returns whether)
    OK = 2
    ERROR = 3  # i, j: the final result line
    LOST = 4  # the deadline passed, or bytes were lost


class Parser:
    """Sans-IO: the owner fills ``buf`` from its start and calls ``feed(n)``.

    The sink has three methods: ``on_line(buf, i, j)`` returns whether the line
    is a known URC; ``on_prompt()``; ``on_end(ok)``, once after counted payload:
    its trailer was exact, or bytes were lost. Payload goes to ``take(buf, i, n)``.
    Nothing here allocates after ``__init__``.
    """

    def __init__(self, sink, size):
        self.buf = bytearray(size)
        self.take = None  # takes payload
        self.long = None  # trailer form: "\r\n\r\nOK\r\n", "\r\nOK\r\n", not known yet
        self.sink = sink
        self.line = bytearray(_LINE)  # a line that began in an earlier chunk
        self.empty = False  # the line before this one was empty
        self._blank = False  # there were two empty lines in a row: the long form
        self._newline = False  # this payload ended in "\n"
        self.bare = False  # NMEA sentences of this module have no CR LF in front
        self.pushed = False  # nothing is counted but what comes unasked
        Parser.reset(self)

    def expect(self, n, take, trailer=1):
        """The next ``n`` bytes are payload, for ``take(buf, i, n)``; called by the sink in ``on_line``."""
        self.need = n
        self.take = take
        self.tail = trailer
        self._blank = False

    def reset(self):
        """Forget a partial line, payload or trailer."""
        self.need = 0  # payload bytes still to come
        self.held = 0  # bytes of a line that began in an earlier chunk
        self.tail = 0  # not 0: between payload and its OK, where only URCs may stand: 1, and 1 for each empty line
        self.prompt = False  # set by who awaits ">"; cleared when it came
        self.text = False  # lines are somebody's (behind +CMT: …) until one is empty, with which all else begins

    def feed(self, n):
        """Dispatch the first ``n`` bytes of ``buf``."""
        buf = self.buf
        i = 0
        while i < n:
            k = self.need
            if k:
                if k > n - i:
                    k = n - i
                self.need -= k
                self._newline = buf[i + k - 1] == 10
                self.take(buf, i, k)
            else:
                k = self._special(i, n)
            if k:
                i += k
                continue
            k = buf.find(b"\n", i, n)
            if k < 0:
                return self._hold(i, n)
            if self.held:
                self._hold(i, k)
                self._emit(self.line, 0, self.held)
                self.held = 0
            else:
                self._emit(buf, i, k)
            i = k + 1

    def _special(self, i, n):
        # What is not a line: how many bytes of ``buf[i:n]`` it is.
        if not self.held:
            if self.tail == 1 and self.long is not None:  # mostly it comes whole
                form = _LONG if self.long else _SHORT
                if self.buf.startswith(form, i) and i + len(form) <= n:
                    self._end(True)
                    return len(form)
            if self.prompt and not self.text and self.buf[i] == 62:  # ">"
                self.prompt = self.empty = False
                self.sink.on_prompt()
                return 1  # its blank, if any, is stripped from the next line
        return 0

    def _hold(self, i, j):
        line = self.line
        at = self.held
        if at + j - i > len(line):
            j = i + len(line) - at
        for k in range(i, j):  # few bytes; a slice would allocate
            line[at] = self.buf[k]
            at += 1
        self.held = at

    def _emit(self, buf, i, j):
        n = j
        while j > i and buf[j - 1] == 13:
            j -= 1
        while not self.tail and i < j and (buf[i] == 32 or buf[i] == 13):  # the prompt's stray blank
            i += 1
        direct = i < j > n - 2  # of an echo the end and the empty line behind it are one: "\r\r\n"
        if not direct:
            self.text = False
        elif self.text:
            self.sink.on_line(buf, i, j)
            return
        if self.tail:
            if n != j + 1 or not self._behind(buf, i, j):
                self._end(False)
        elif i < j:
            self.sink.on_line(buf, i, j)
        self.empty = not direct

    # After the counted bytes exactly one trailer is right. Skipping any CR LF
    # would take lost payload bytes for framing: of k lost bytes the count eats k
    # bytes of the trailer, so what is left of it is always shorter.
    def _behind(self, buf, i, j):
        tail = self.tail
        if i == j:
            self.tail = tail + 1
            self._blank = self._blank or tail == 2
            return tail < 3
        if tail == 1 and not (self.bare and buf[i] == 36):
            return False
        if j - i == 2 and buf.startswith(b"OK", i):
            if self.long is None and (self._blank or not self._newline):
                self.long = self._blank  # "\n" + short could be the long form, two bytes lost
            self._end(self.long is None or self.long == self._blank)
        elif self.sink.on_line(buf, i, j):
            self.tail = 1
        else:
            return False
        return True

    def _end(self, ok):
        self.tail = self.held = 0
        if not ok:
            self.long = None  # perhaps it was learnt wrongly: learn it again
        self.sink.on_end(ok)
