"""A parser for headers that end within their line, right in front of payload."""

from .parser import Parser


class InlineParser(Parser):
    """``inline = (start, byte)``: a header begins so, and ends at ``byte`` if one comes before the line's end.

    The sink's ``on_line(buf, i, j)`` gets it with that byte as its last one. What comes behind is payload, if the sink
    calls ``expect()``, else the rest of the line is a line. None: there are no such headers.
    """

    inline = None

    def _special(self, i, n):
        if self.inline:
            start, byte = self.inline
            k = self.buf.find(byte, i, n) + 1
            if k and self.buf.find(b"\n", i, k) < 0:
                if not self.held and self.buf.startswith(start, i):  # mostly it comes whole
                    self._emit(self.buf, i, k)
                else:
                    self._hold(i, k)
                    if self.line.startswith(start):
                        n = self.held
                        self.held = 0
                        self._emit(self.line, 0, n)
                return k - i
        return Parser._special(self, i, n)  # with super() the frame would be on the heap
