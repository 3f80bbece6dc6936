"""`select.poll` as MicroPython has it: objects with an `ioctl` method beside real file descriptors."""

import errno
import select as _select
import sys as _sys
import time as _time
import types

from . import clock as _clock

POLLIN, POLLOUT = _select.POLLIN, _select.POLLOUT
_STREAM_POLL = 3
_STEP_US = 1000  # a stream written in Python may change with time alone: look again this often;
# not on rp2, whose poll() sleeps until an interrupt, of a byte or a timer
_FOREVER_US = 600e6  # how long to look before it is called for ever


class Poll:
    """A poll object with MicroPython's semantics on the current clock."""

    def __init__(self):
        self._entries: dict[int, list] = {}  # id(object) -> [object, mask, file descriptor or None]
        self._look()

    def register(self, obj, eventmask: int = POLLIN | POLLOUT) -> None:
        """Watch an object; a second call only sets the mask."""
        fd = None
        if not hasattr(obj, "ioctl"):
            fd = obj if isinstance(obj, int) else obj.fileno()
        self._entries[self._key(obj)] = [obj, eventmask, fd]
        self._look()

    def modify(self, obj, eventmask: int) -> None:
        """Set the mask of a watched object."""
        if self._key(obj) not in self._entries:
            raise OSError(errno.ENOENT, "not registered")
        self._entries[self._key(obj)][1] = eventmask

    def unregister(self, obj) -> None:
        """Forget an object."""
        self._entries.pop(self._key(obj), None)
        self._look()

    def _look(self) -> None:
        """Of what kind those are that are watched: asked once for many waits."""
        entries = self._entries.values()
        self._all_tell = all(fd is None and hasattr(obj, "next_us") for obj, _, fd in entries)
        self._all_outside = bool(entries) and all(fd is not None for _, _, fd in entries)

    def poll(self, timeout_ms: float = -1) -> list:
        """Wait for the first ready objects: a list of (object, bits)."""
        return self._wait(-1 if timeout_ms is None else timeout_ms)

    def ipoll(self, timeout_ms: float = -1, flags: int = 0):
        """The same as an iterator; flags & 1 takes the mask away from what was reported."""
        ready = self._wait(-1 if timeout_ms is None else timeout_ms)
        if flags & 1:
            for obj, _ in ready:
                self._entries[self._key(obj)][1] = 0
        return iter(ready)

    @staticmethod
    def _key(obj) -> int:
        return ~obj if isinstance(obj, int) else id(obj)

    def _once(self) -> list:
        """Ask everything once."""
        found = []
        descriptors = {}
        for obj, mask, fd in list(self._entries.values()):
            if fd is not None:
                descriptors[fd] = obj, mask
                continue
            bits = obj.ioctl(_STREAM_POLL, mask)
            if bits < 0:
                raise OSError(-bits, "ioctl")
            if bits:
                found.append((obj, bits))
        if descriptors:
            found += [(descriptors[fd][0], bits) for fd, bits in self._real(descriptors).poll(0)]
        return found

    @staticmethod
    def _real(descriptors: dict):
        real = _select.poll()
        for fd, (_, mask) in descriptors.items():
            real.register(fd, mask)
        return real

    def _wait(self, timeout_ms: float) -> list:
        if timeout_ms == 0:
            return self._once()
        clock = _clock.clock
        if self._all_outside and not clock.real:
            return self._wait_outside(timeout_ms)
        if clock.real:
            return self._wait_real(clock, timeout_ms)
        # A UART tells when its next byte comes; any other stream is asked every millisecond.
        told = self._all_tell or _sys.platform == "rp2"
        end = None if timeout_ms < 0 else clock.now_us + timeout_ms * 1000
        if told or end is not None:
            return clock.wait(self._once, end, None if told else _STEP_US)
        found = clock.wait(self._once, clock.now_us + _FOREVER_US, _STEP_US)
        if not found:
            raise RuntimeError("would wait for ever: nothing became ready in ten minutes")
        return found

    def _wait_outside(self, timeout_ms: float) -> list:
        """Real descriptors alone are no affair of the virtual clock: whoever else uses this process waits for them."""
        descriptors = {fd: (obj, mask) for obj, mask, fd in self._entries.values()}
        return [(descriptors[fd][0], bits) for fd, bits in self._real(descriptors).poll(max(-1, timeout_ms))]

    def _wait_real(self, clock, timeout_ms: float) -> list:
        """Sleep on the descriptors that objects have, and on a short time for those that have none."""
        end = None if timeout_ms < 0 else clock.now_us + timeout_ms * 1000
        while not (found := self._once()):
            left_ms = 1000.0 if end is None else (end - clock.now_us) / 1000
            if left_ms <= 0:
                break
            sleeper, blind = self._sleeper()
            due = clock.next_due()
            if due is not None:
                left_ms = min(left_ms, max(0.0, (due - clock.now_us) / 1000))
            if blind:
                left_ms = min(left_ms, 1.0)
            if sleeper is None:
                _time.sleep(left_ms / 1000)
            else:
                sleeper.poll(max(1, left_ms))
            clock.run_due()
        return found

    def _sleeper(self):
        """A real poll over every descriptor there is, and whether some object has none to sleep on."""
        real, blind, empty = _select.poll(), False, True
        for obj, mask, fd in self._entries.values():
            if fd is None:
                blind = True
                if mask & POLLIN and hasattr(obj, "fileno"):
                    fd, mask = obj.fileno(), POLLIN
            if fd is not None:
                real.register(fd, mask)
                empty = False
        return (None if empty else real), blind


proxy = types.ModuleType("select")
proxy.__dict__.update({name: value for name, value in vars(_select).items() if not name.startswith("__")})
proxy.poll = Poll
