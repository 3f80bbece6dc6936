"""What a shared case is given, what it checks with, and what runs all of them on a device.

Runs on CPython and on MicroPython; no check is an `assert`, so that all of them work in optimised code too.
"""

import errno
import gc
import select
import sys
import time


# What a refused connect raises: not every family's module tells a refusal from other failures.
REFUSED = (errno.ECONNREFUSED, errno.ECONNABORTED)


class Failed(Exception):
    """A check of a case did not hold."""


class Skip(Exception):
    """This target lacks what the case needs."""


def true(value, what):
    """Fail, saying `what`, unless value is true."""
    if not value:
        raise Failed(what)


def equal(got, want, what=""):
    """Fail unless both are equal; long ones are shown at the first difference."""
    if got == want:
        return
    if isinstance(got, (bytes, bytearray)) and isinstance(want, (bytes, bytearray)) and len(got) + len(want) > 80:
        at = 0
        while at < min(len(got), len(want)) and got[at] == want[at]:
            at += 1
        got = "%d bytes, from %d on %r" % (len(got), at, bytes(got[at : at + 16]))
        want = "%d bytes, from %d on %r" % (len(want), at, bytes(want[at : at + 16]))
    raise Failed("%s%r, not %r" % (what + ": " if what else "", got, want))


def fails(code, function, *args):
    """Fail unless function(*args) raises OSError with this errno (or one of several); returns the exception."""
    codes = code if isinstance(code, tuple) else (code,)
    try:
        got = function(*args)
    except OSError as e:
        if e.args[0] not in codes:  # .errno is the same on MicroPython, and None on CPython when there is no text
            raise Failed("OSError %r instead of %s" % (e, [errno.errorcode.get(c, c) for c in codes]))
        return e
    raise Failed("returned %r instead of OSError %s" % (got, [errno.errorcode.get(c, c) for c in codes]))


def echo(s, data):
    """Send bytes and have them back."""
    s.write(data)
    equal(s.read(len(data)), data)


def poll(s, mask, ms=30000):
    """What select.poll() says of a socket within `ms`: its bits, 0 if nothing."""
    poller = select.poll()
    poller.register(s, mask)
    ready = poller.poll(ms)
    return ready[0][1] if ready else 0


def pattern(n, seed=1):
    """`n` bytes that look random and are the same everywhere; `peer.py` has the same."""
    data = bytearray(n)
    for i in range(n):
        seed = (seed * 75 + 74) % 65537
        data[i] = seed & 255
    return bytes(data)


class Target:
    """`modem`, up; `peer(kind)` where such a peer is: "echo", "sink", "drip", "blob", "slam", "reset", "mute", "ntp",
    "refused" (`peer.py` tells what each does, and which are there over UDP too); `new_modem()` a second one, up;
    `sent()` the bytes sent to the module.
    """

    modem = None

    def peer(self, kind):
        raise NotImplementedError

    def new_modem(self):
        raise Skip("this target has one modem")

    def dial(self, port):
        """Somebody connects to a server of the module, at 8001 or 8002: an object with send(bytes), recv(n) (all of
        them, fewer only at the end) and close()."""
        raise Skip("nobody can connect to this target")

    def sent(self):
        """How many bytes have gone to the module."""
        raise Skip("this target does not count what is sent")

    def socket(self, kind=None, timeout=30):
        """A socket with a time-out in seconds, connected to a peer if one is named."""
        s = self.modem.socket()
        s.settimeout(timeout)
        if kind:
            s.connect(self.peer(kind))
        return s

    def until(self, function, what, seconds=30):
        """Wait, pumping, until function() is true."""
        start = time.ticks_ms()
        while not function():
            if time.ticks_diff(time.ticks_ms(), start) > seconds * 1000:
                raise Failed("not within %d s: %s" % (seconds, what))
            self.modem.wait()


class Board(Target):
    """The modem of `board.py`; peers at `host`, their ports as `peer.py` prints them."""

    def __init__(self, board, apn, host, ports):
        self.apn = apn
        self._host = host
        self._ports = ports
        self.modem = board.modem()
        self.modem.active(True)

    def peer(self, kind):
        return self._host, self._ports[kind]

    def fresh(self):
        """Before each case: no links, a new context."""
        if self.modem.isconnected():
            self.modem.disconnect()
        self.modem.connect(self.apn)


def cases(
    modules=("streams", "errors", "nonblocking", "links", "servers", "datagrams", "transparent", "settings", "edges"),
):
    """All shared cases, as (module.name, function)."""
    found = []
    for module in modules:
        contents = __import__("cases." + module, None, None, ["*"])
        names = [name for name in dir(contents) if name.startswith("case_")]
        found += [("%s.%s" % (module, name[5:]), getattr(contents, name)) for name in sorted(names)]
    return found


def run(target, only="", share=0, of=1):
    """Run the cases whose name contains `only`, or every `of`-th of them; prints a line for each and the tally."""
    passed = failed = skipped = 0
    for name, case in cases()[share::of]:
        if only not in name:
            continue
        gc.collect()
        start = time.ticks_ms()
        try:
            target.fresh()
            case(target)
            passed += 1
            word = "ok"
        except Skip as e:
            skipped += 1
            word = "skip (%s)" % e
        except Exception as e:
            sys.print_exception(e)
            failed += 1
            word = "FAILED"
        print("%-55s %6d ms  %s" % (name, time.ticks_diff(time.ticks_ms(), start), word))
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return not failed and passed > 0
