"""Callbacks of unsolicited codes."""

import sys
from time import ticks_diff, ticks_ms

from micropython import const, schedule

from ..checks import check_number, check_text
from ..counters import counted
from ..pump import text

_QUEUE = const(32)  # lines that wait for their callback


def on_urc(m, prefix: "str | object", callback, *, lines: int = 1):
    """Call ``callback(line)`` for each unsolicited line that starts so (``None``: no longer).

    ``prefix`` may be the Pin at the module's RI: then it is ``callback(ms)`` for each pulse, with its length (SIM800:
    120 for a text message, 50 for a call). That is all a module can say in transparent mode: ``escape()`` to hear what.

    ``lines``: the code has so many, as ``+CMT:`` has two; ``line`` has them all, "\\n" between them; empty lines do not
    count. It runs inside the pump with no command in flight; it may do what needs no waiting: a ``recv`` of what is
    there, ``connect``, ``listen`` and ``write`` of sockets that do not block. What would wait raises OSError(EALREADY).
    At most 32 calls wait; then the oldest is dropped. ``status("counters")`` tells how many were, and how many
    callbacks raised an exception, which is printed.
    """
    if hasattr(prefix, "irq"):
        return _Pulses(m, callback).watch(prefix)
    start = check_text("prefix", prefix, 100, "").encode()
    if not start or not (callback is None or callable(callback)):
        raise ValueError("on_urc: how the line begins, and a function that takes it or None, not %r" % (callback,))
    check_number("lines", lines, 1, 20)
    urcs = Urcs([urc for urc in m.urcs if urc[0] != start])
    if callback:
        urcs.append((start, _Callback(m, callback, lines).take))
    m.urcs = urcs


class Urcs(list):
    """(prefix, function(buf, i, j)) of each."""

    def take(self, buf, i, j):
        """``buf[i:j]`` is an unsolicited line; returns whether it was wanted."""
        wanted = False
        for prefix, take in self:
            if buf.startswith(prefix, i):
                take(buf, i, j)
                wanted = True
        return wanted


class _Callback:
    def __init__(self, m, function, lines):
        self._m = m
        self._function = function
        self._lines = lines
        self._line = ""
        self._left = 0

    def take(self, buf, i, j):
        """The first line of the code."""
        self._line = text(buf, i, j)
        self._left = self._lines - 1
        if self._left:
            channel = self._m.channel
            channel.skip = self._left
            channel.more = self._more
        else:
            self._queue()

    def _more(self, buf, i, j):
        self._line += "\n" + text(buf, i, j)
        self._left -= 1
        if not self._left:
            self._m.channel.more = None
            self._queue()

    def _queue(self):
        m = self._m
        calls = m.calls()
        if len(calls) >= _QUEUE:
            calls.pop(0)
            counted(m, "callbacks dropped")
        calls.append((self._call, self._line))

    def _call(self, line):
        try:
            self._function(line)
        except Exception as e:
            counted(self._m, "callbacks failed")
            sys.print_exception(e)


class _Pulses(_Callback):
    """The pulses of RI, which is low meanwhile."""

    def __init__(self, m, function):
        super().__init__(m, function, 1)
        self._fell = 0
        self._post = self._ended  # bound once: an interrupt must not take heap

    def watch(self, pin):
        """Look after ``pin`` from now on, or, without a function, no longer."""
        edges = pin.IRQ_FALLING | pin.IRQ_RISING
        pin.irq(self._edge if self._function else None, edges)

    def _edge(self, pin):
        now = ticks_ms()
        if pin.value():
            try:
                schedule(self._post, ticks_diff(now, self._fell))
            except RuntimeError:  # its queue is full
                pass
        else:
            self._fell = now

    def _ended(self, ms):
        self._line = ms
        self._queue()
