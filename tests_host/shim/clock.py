"""The clock that the shim and the virtual modem tell the time by.

`clock` is virtual: time passes only when somebody waits, and a wait runs the events that fall due on the way, so a
75 s time-out costs nothing. `RealClock` has the same methods over the monotonic clock. Always reach the current one
through this module (`shim.clock.clock`); `reset()` makes it fresh for the next test.
"""

import heapq
import itertools
import time as _time
from collections.abc import Callable

PERIOD_MS = 1 << 30  # ticks_ms and ticks_us wrap here, as on a 32-bit board
START_US = (PERIOD_MS - 10_000) * 1000  # ten seconds before ticks_ms wraps

Event = list  # [due_us, serial, function or None when cancelled]


class Clock:
    """Virtual time in microseconds, moved by whoever waits."""

    real = False

    def __init__(self):
        self.reset()

    def reset(self) -> None:
        """Forget every event and go back to the start."""
        self.now_us = START_US
        self._queue: list[Event] = []
        self._serial = itertools.count()
        self.sources: list[Callable[[], "float | None"]] = []  # each tells when it will change by itself (a UART)

    @property
    def ms(self) -> int:
        """Whole milliseconds since the start, for logs and histories."""
        return int(self.now_us - START_US) // 1000

    def at(self, due_us: float, fn: Callable[[], object]) -> Event:
        """Call fn() at due_us; the returned event can be given to cancel()."""
        event = [due_us, next(self._serial), fn]
        heapq.heappush(self._queue, event)
        return event

    def after(self, us: float, fn: Callable[[], object]) -> Event:
        """Call fn() us microseconds from now."""
        return self.at(self.now_us + us, fn)

    def after_ms(self, ms: float, fn: Callable[[], object]) -> Event:
        """Call fn() ms milliseconds from now."""
        return self.at(self.now_us + ms * 1000, fn)

    @staticmethod
    def cancel(event: "Event | None") -> None:
        """Make sure that an event never runs (again)."""
        if event is not None:
            event[2] = None

    def next_due(self) -> "float | None":
        """When the next event is due, or None."""
        while self._queue and self._queue[0][2] is None:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def next_change(self) -> "float | None":
        """When the next event is due or the next byte arrives, or None."""
        soonest = self.next_due()
        for source in self.sources:
            due = source()
            if due is not None and (soonest is None or due < soonest):
                soonest = due
        return soonest

    def advance(self, us: float) -> None:
        """Let us microseconds pass."""
        self.advance_to(self.now_us + us)

    def advance_to(self, end_us: float) -> None:
        """Let time pass until end_us, running what falls due."""
        queue = self._queue
        while queue and queue[0][0] <= end_us:
            due, _, fn = heapq.heappop(queue)
            if fn is not None:
                if due > self.now_us:
                    self.now_us = due
                fn()
        if end_us > self.now_us:
            self.now_us = end_us

    def run_due(self) -> None:
        """Run what is due now."""
        self.advance_to(self.now_us)

    def sleep_ms(self, ms: float) -> None:
        """Let ms milliseconds pass."""
        self.advance(ms * 1000)

    def wait(self, ready: Callable[[], object], end_us: "float | None" = None, step_us: "float | None" = None):
        """Go from change to change (at most step_us at a time) until ready() or end_us; what ready() has told last."""
        while not (told := ready()):
            if end_us is not None and self.now_us >= end_us:
                break
            stop = self.next_change()
            if end_us is not None and (stop is None or end_us < stop):
                stop = end_us
            if step_us is not None and (stop is None or self.now_us + step_us < stop):
                stop = self.now_us + step_us
            if stop is None:
                raise RuntimeError("would wait for ever: nothing is due on the virtual clock")
            self.advance_to(stop)
        return told


class RealClock(Clock):
    """The same clock over real time."""

    real = True

    def reset(self) -> None:
        """Forget every event; real time cannot be set back."""
        self._origin = _time.monotonic_ns()
        super().reset()

    @property
    def now_us(self) -> float:
        """Microseconds, beginning at START_US."""
        return START_US + (_time.monotonic_ns() - self._origin) / 1000

    @now_us.setter
    def now_us(self, value: float) -> None:
        pass  # real time moves by itself

    def advance_to(self, end_us: float) -> None:
        """Sleep until end_us, running what falls due."""
        while True:
            due = self.next_due()
            now = self.now_us
            if due is not None and due <= now:
                heapq.heappop(self._queue)[2]()
            elif now >= end_us:
                return
            else:
                _time.sleep((min(end_us, due or end_us) - now) / 1e6)

    def run_due(self) -> None:
        """Run what is due now, but nothing that becomes due meanwhile."""
        end = self.now_us
        while (due := self.next_due()) is not None and due <= end:
            heapq.heappop(self._queue)[2]()


clock = Clock()
on_reset: list[Callable[[], object]] = []  # shim.machine forgets its pins here
ask_us = 0.0  # what asking for the time costs: a program that asks until it is late enough would never end without


def reset() -> None:
    """A fresh clock, and with it fresh pins, for the next test."""
    clock.reset()
    for fn in on_reset:
        fn()


def asked() -> float:
    """The time in microseconds, for a program."""
    if ask_us:
        clock.advance(ask_us)
    return clock.now_us


def ticks_ms() -> int:
    """time.ticks_ms."""
    if ask_us:
        clock.advance(ask_us)
    return int(clock.now_us) // 1000 % PERIOD_MS


def ticks_us() -> int:
    """time.ticks_us."""
    return int(asked()) % PERIOD_MS


def ticks_add(ticks: int, delta: int) -> int:
    """time.ticks_add."""
    return (ticks + delta) % PERIOD_MS


def ticks_diff(end: int, start: int) -> int:
    """time.ticks_diff."""
    half = PERIOD_MS // 2
    return (end - start + half) % PERIOD_MS - half


def sleep_ms(ms: int) -> None:
    """time.sleep_ms."""
    clock.advance(ms * 1000 if ms > 0 else 0)


def sleep_us(us: int) -> None:
    """time.sleep_us."""
    clock.advance(us if us > 0 else 0)
