"""A board's time for MicroPython's own asyncio: `time`, `select` and asyncio's queue of tasks on a virtual clock.

Time passes when somebody waits, and as the program spends it: so much for each call of a function of the package
(see CALL_US), for each byte of a file that is loaded, for each look of asyncio at its tasks; a UART charges its own.
To be installed before the package and asyncio are imported. Tasks must not be cancelled: C code does that by real time.

How the numbers are made. Callgrind counts instructions of MicroPython's unix port, an RP2040 at 125 MHz was measured in
cycles. Bytecode takes 0.7 (loops), 1.2 (slices), 1.6 (method calls) cycles an instruction, what C code does takes 2.0
(split) to 3.0 (formatting): here 1.6 and 2.5. In the session of calls.py the package takes 4,500 instructions for each
call of one of its functions, all that it does by itself included (bench.py prints it); hence CALL_US. A compiled file
takes 0.1 million instructions and 150 for each byte, compiling 1,000 for each byte of source. Not charged: the garbage
collector (16 to 30 ms on a used heap, whoever causes it), reading files from flash, what the program does by itself.
"""

import os
import sys
import time as real

CYCLES_PER_US = 125
CALL_US = 58
MORE_US = {"checks.check_text": 600, "Modem.on_line": 600}  # what the loops in them take besides
SWITCH_US = 36000 // CYCLES_PER_US  # from one task of asyncio to the next
POLL_US = 8  # ipoll() by itself
LOAD_US = 2000  # to load a compiled file of the package …
LOAD_BYTE_US = 3  # … and for each byte of it
SOURCE_BYTE_US = 20  # for each byte of a source file
NEVER = 1 << 60
TRACE_US = 2000  # calls that take so long are kept for who asks what a delay was made of


class Clock:
    def __init__(self):
        self.now = 10000000
        self.wires = []  # each tells when it changes next
        self.calls = 0  # of functions of the package
        self.long = []  # (depth, name, us) of long calls since forget() …
        self.tops = {}  # … and of all from outside the package: name: [how often, us]
        self.depth = 0
        self.longest = {}  # name: most us that one call from outside took
        self.marking = False
        self.serial = 0  # of measured calls
        self.call = ""
        self._events = []

    def at(self, due, call):
        """Call it when the time has come."""
        events = self._events
        k = len(events)
        while k and events[k - 1][0] > due:
            k -= 1
        events.insert(k, (due, call))

    def after_ms(self, ms, call):
        self.at(self.now + ms * 1000, call)

    def next_change(self):
        due = self._events[0][0] if self._events else NEVER
        for wire in self.wires:
            due = min(due, wire())
        return due

    def to(self, end):
        """Let time pass until `end`."""
        events = self._events
        while events and events[0][0] <= end:
            due, call = events.pop(0)
            if due > self.now:
                self.now = due
            call()
        if end > self.now:
            self.now = end

    def spend(self, us):
        self.to(self.now + us)

    # What the fakes take by themselves does not count as the package's. With each mark, a call of unsetenv(), a line
    # is printed: the call of which instructions end there, or nothing.

    def enter(self):
        if self.marking:
            os.unsetenv("MARK")
            print(self.call)

    def leave(self, us):
        self.spend(us)
        if self.marking:
            print()
            os.unsetenv("MARK")

    def measured(self, name, function, *args):
        """A call of the package, its instructions between two marks."""
        self.serial += 1
        self.call = "%s %d" % (name, self.serial)
        print()
        os.unsetenv("MARK")
        try:
            return function(*args)
        finally:
            os.unsetenv("MARK")
            print(self.call)

    # What a delay was made of

    def forget(self):
        self.long.clear()
        self.tops.clear()

    def story(self):
        """Lines that tell what passed since forget()."""
        tops = [(us, name, count) for name, (count, us) in self.tops.items()]
        tops.sort(reverse=True)
        lines = ["%6.1f ms in %d x %s" % (us / 1000, count, name) for us, name, count in tops[:6]]
        for depth, name, us in self.long[:30]:
            lines.append("%s%s %.1f ms" % ("  " * depth, name, us / 1000))
        return lines

    def left(self, name, start, at=None):
        """A call ends that began at `start`, when `at` calls were kept: those after them it made itself."""
        us = self.now - start
        depth = self.depth
        if us >= TRACE_US:
            self.long.insert(len(self.long) if at is None else at, (depth, name, us))
        if not depth:
            top = self.tops.get(name)
            if top is None:
                top = self.tops[name] = [0, 0]
            top[0] += 1
            top[1] += us
            if us > self.longest.get(name, 0):
                self.longest[name] = us


clock = Clock()


def _ticks_ms():
    return clock.now // 1000


def _ticks_us():
    return clock.now


def _seconds():
    return clock.now // 1000000


def _sleep_ms(ms):
    clock.enter()
    clock.leave(ms * 1000)


class _Module:
    """Not bound methods, but what is set: only that can be imported by name."""


def _module(**members):
    module = _Module()
    for name, value in members.items():
        setattr(module, name, value)
    return module


class _Poll:
    """Waits as rp2 does: all are asked again whenever an interrupt came."""

    def __init__(self):
        self._entries = {}

    def register(self, obj, mask=5):
        self._entries[id(obj)] = (obj, mask)

    modify = register

    def unregister(self, obj):
        self._entries.pop(id(obj), None)

    def ipoll(self, ms=-1, flags=0):
        clock.enter()
        try:
            clock.spend(POLL_US)
            end = NEVER if ms < 0 else clock.now + ms * 1000
            while True:
                ready = []
                for obj, mask in list(self._entries.values()):
                    bits = obj.ioctl(3, mask)
                    if bits < 0:
                        raise OSError(-bits)
                    if bits:
                        ready.append((obj, bits))
                if ready or clock.now >= end:
                    return ready
                due = min(end, clock.next_change())
                if due == NEVER:
                    raise RuntimeError("would wait for ever")
                clock.to(max(due, clock.now + 1))
        finally:
            clock.leave(0)


def install():
    """From here `time`, `select` and what asyncio is made of are these."""
    import _asyncio

    native = _asyncio.TaskQueue

    class TaskQueue(native):
        def push(self, task, key=None):
            super().push(task, clock.now // 1000 if key is None else key)

        def pop(self):
            clock.spend(SWITCH_US)
            return super().pop()

    modules = sys.modules
    modules["_asyncio"] = _module(TaskQueue=TaskQueue, Task=_asyncio.Task)
    modules["select"] = _module(poll=_Poll, POLLIN=1, POLLOUT=4, POLLERR=8, POLLHUP=16)
    modules["time"] = _module(
        ticks_ms=_ticks_ms,
        ticks_us=_ticks_us,
        ticks_add=real.ticks_add,
        ticks_diff=real.ticks_diff,
        sleep_ms=_sleep_ms,
        time=_seconds,
    )


# Charging for the package's own code: each function of each of its modules is wrapped as soon as it is loaded.


def _charged(function, name):
    us = CALL_US + MORE_US.get(name, 0)

    def call(*args, **kwargs):
        start = clock.now
        clock.calls += 1
        at = len(clock.long)
        clock.spend(us)
        clock.depth += 1
        try:
            return function(*args, **kwargs)
        finally:
            clock.depth -= 1
            clock.left(name, start, at)

    return call


def free_of_charge():
    """Calls and loading are only counted."""
    global CALL_US, LOAD_US, LOAD_BYTE_US
    CALL_US = LOAD_US = LOAD_BYTE_US = 0
    MORE_US.clear()


def _load_us(module, as_source):
    path = getattr(module, "__file__", None)
    if not path:  # a folder
        return 0
    n = os.stat(path)[6]
    if not path.endswith(".mpy"):
        if as_source:
            return n * SOURCE_BYTE_US
        n = n * 37 // 100  # about what it is when compiled
    return LOAD_US + n * LOAD_BYTE_US


def charge_calls(as_source=False):
    """From here calls and loading of the package take time, loading as that of compiled files if not `as_source`."""
    import builtins

    plain = builtins.__import__
    kinds = (type(_charged), type(_generator), type(_charged(None, "")))
    seen = {
        id(_ticks_ms),
        id(_ticks_us),
        id(_seconds),
        id(_sleep_ms),
    }  # what is no business of ours, or wrapped already
    known = set()  # modules
    under_way = []  # names

    def wrap(owner, prefix, module=True):
        for name, member in list(owner.__dict__.items()):
            if id(member) in seen:
                continue
            if type(member) in kinds:
                member = _charged(member, prefix + name)
                setattr(owner, name, member)
                keep.append(member)
                seen.add(id(member))
            elif type(member) is type and module:
                seen.add(id(member))
                keep.append(member)
                try:
                    member.nothing = None
                    del member.nothing
                except (AttributeError, TypeError):  # a built-in one
                    continue
                wrap(member, name + ".", False)

    keep = []  # so that no id is used twice

    def load(name, globals=None, locals=None, names=None, level=0):
        start = clock.now
        at = len(clock.long)
        if level:  # it would be relative to this file
            above = (under_way or ["simcom.socket"])[
                -1
            ]  # inside a function it has to be that of a file beside socket.py
            name = "%s.%s" % (above.rsplit(".", level)[0], name)
        under_way.append(name)
        try:
            module = plain(name, globals, locals, names)
        finally:
            under_way.pop()
        fresh = [each for each in sys.modules if each.startswith("simcom") and each not in known]
        fresh = [each for each in fresh if not [name for name in under_way if (name + ".").startswith(each + ".")]]
        gone = [each for each in known if each not in sys.modules]
        for each in gone:
            known.remove(each)
        for each in fresh:
            known.add(each)
            clock.spend(_load_us(sys.modules[each], as_source))
            wrap(sys.modules[each], each.rpartition(".")[2] + ".")
        if fresh:
            clock.left("import " + " ".join(fresh), start, at)
        return module

    builtins.__import__ = load


def _generator():
    yield
