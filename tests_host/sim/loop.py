"""The event loop of the program: descriptors and the real clock."""

import selectors

from shim import clock as _clock


class Loop:
    """Waits for descriptors and for the clock's events."""

    def __init__(self):
        self.clock = _clock.clock
        self._selector = selectors.SelectSelector()  # its time-outs are exact to the microsecond
        self.running = False

    def watch(self, fd, reader=None, writer=None) -> None:
        """Call reader() and writer() when a descriptor is ready; None for both forgets it."""
        events = (selectors.EVENT_READ if reader else 0) | (selectors.EVENT_WRITE if writer else 0)
        known = fd in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(fd)
        elif known:
            self._selector.modify(fd, events, (reader, writer))
        else:
            self._selector.register(fd, events, (reader, writer))

    def step(self, limit_us: float = 100_000) -> None:
        """Wait for the next thing to do and do it."""
        clock = self.clock
        clock.run_due()
        due = clock.next_due()
        wait_us = limit_us if due is None else min(limit_us, max(0.0, due - clock.now_us))
        for key, events in self._selector.select(wait_us / 1e6):
            for event, fn in zip((selectors.EVENT_READ, selectors.EVENT_WRITE), key.data):
                if events & event and fn and self._selector.get_map().get(key.fileobj) is key:
                    fn()  # unless an earlier call has closed or changed it

    def run(self) -> None:
        """Until stop()."""
        self.running = True
        while self.running:
            self.step()

    def stop(self) -> None:
        """End run()."""
        self.running = False
