"""Getting back in step with a module that answers, or used to: procedures for the pump, loaded when they are needed."""

import errno
from time import ticks_add, ticks_ms

from ..channel import passed
from ..lazy import capability, once
from ..links import Wait

counted = once("counters").counted

_query = once("query")
fields = _query.fields
query = _query.query


def _number(line):
    return int(fields(line)[-1])


def identity(line):
    """A name as V.250 has it: printable, more than a result code."""
    line = line.split(": ")[-1].strip(' "')
    if len(line) < 3 or [c for c in line.encode() if not 32 <= c <= 126]:  # characters of a str would stay in the heap
        raise ValueError
    return line


def named(m, cmd):
    """Steps: a name that stands alone in a line without a prefix, as a line of somebody else may."""
    for _ in range(3):
        lines = yield from query(m, cmd, identity, 0, True)
        if len(lines) == 1:
            break
    return lines[-1]


def without(steps):
    """What ``steps`` return; None when the module refuses what they ask, or has no answer to it."""
    try:
        return (yield from steps)
    except OSError as e:
        if e.errno == errno.ETIMEDOUT:  # it says nothing at all
            raise


def _tell(cmd):
    yield cmd


def configure(m):
    """Tell the module what it does not know after it was started."""
    channel = m.channel
    yield from silence(m)  # a late OK, boot messages
    yield from without(query(m, b"AT+CMEE?", _number, 10000))  # takes the OKs that come late
    for _ in range(3):
        yield b"ATE0"
        channel.echoed = False
        yield b"AT"
        if not channel.echoed:
            break
    yield from without(_tell(b"AT+CMEE=1"))
    m.model = (yield from without(named(m, b"AT+CGMM"))) or ""
    if m.baudrate:
        yield b"AT+IPR=%d" % m.baudrate
        channel.uart.init(baudrate=m.baudrate)
        yield 100
    yield from without(_tell(b"AT+CNMI=2,1"))  # no SMS text on this line; refused without a SIM
    for cmd in m.init:
        yield b"AT" + cmd.encode(), 20000  # +CFUN takes ten seconds
    m.doubt = channel.echoed = False


def recheck(m):
    """After a boot line, an echo or a refusal: does the module still know what it was told?

    What it refuses to be told is tried again, each time after a longer pause: it may do so until the SIM is ready.
    """
    if m.up and not m.channel.echoed:
        if (yield from _is_up(m, ": did the module restart?")):
            m.doubt = False
            return
        if m.doubt == 2:
            counted(m, "restarts")
    refused = m.__dict__.get("refused", 0)
    if refused:
        yield 500 << min(refused, 7)
    try:
        yield from configure(m)
        m.refused = 0
    except OSError as e:
        if not hasattr(e, "line"):  # no answer at all
            raise
        m.refused = refused + 1
        m.channel.echoed = False
    if m.up:
        yield from _is_up(m)


def _is_up(m, why=""):
    # Steps: whether the context is; else that is told, with ``why`` it may be.
    try:
        yield from capability(m, "bringup", False).context_check(m)
        return True
    except OSError as e:
        if not hasattr(e, "line"):
            raise
        if m.up:  # else that was told meanwhile
            m.on_lost(errno.ENOTCONN, e.args[1] + why)


def resync(m):
    """After a command without an answer, or lost bytes: until answers fit commands again."""
    channel = m.channel
    cmd = m.command()
    counted(m, "resynchronisations")
    start = ticks_ms()
    tries = 0
    try:
        while True:
            if channel.stray and channel.owed:
                for link in m.links.slots:
                    if link and link.sending == channel.owed:
                        m.broken(link, errno.EIO, "send: the module asked for the bytes when they were given up")
            # First, as the module may be waiting for the rest of a payload: a command would be part of it. Also of one
            # for which it has asked unasked: "A/" in what it took for a line repeats a send.
            waits = channel.owed or channel.stray
            channel.stray = False
            yield from fill(m, waits and 1500)  # or what it understood
            yield from silence(m)
            channel.parser.reset()
            channel.mute = False
            try:
                yield from query(m, b"AT+CMEE?", _number, 2000)
                yield from silence(m, 200)  # of a module that hung the answers to all that was asked meanwhile
                break
            except OSError as e:
                tries += 1
                if tries > 2 and hasattr(e, "line"):  # each time: this firmware does not know the question
                    break
                if not channel.doubt:
                    once("recovery.silence").Doubt(m)
            channel.write(b"ATQ0V1\r", 7)  # its results may be switched off, or digits
            if tries > 3:
                if not m.up or passed(start, m.silence_ms) or channel.quiet(m.silence_ms):
                    m.on_silent(cmd + ": no answer, nor to AT+CMEE?")
                    break
                yield 4000
        channel.owed = 0
        channel.desync = False
        if m.up and channel.doubt:
            yield from _resumed(m)
        channel.doubt = None
    finally:
        m.reserve(None)


def _resumed(m):
    # The module was silent and answers again: is it still the one that it was, and what became of the links?
    try:
        yield from capability(m, "bringup", False).context_check(m)
    except OSError as e:
        if hasattr(e, "line"):
            m.on_lost(errno.ECONNABORTED, e.args[1] + ": the module has restarted while it was silent")
        m.suspect()
    for link in m.links.slots:
        if link:
            link.heard = ticks_add(ticks_ms(), -Wait.UNHEARD_MS)
            m.wake(link)


def silence(m, turns=40):
    """Until the module has said nothing for a while, or ``turns`` times 50 ms: what is pushed may never pause."""
    for _ in range(turns):
        if m.channel.quiet(300):
            break
        yield 50


def fill(m, n):
    """``n`` bytes for a module inside a fixed-length payload, which takes everything for data, ESC and AT too."""
    m.channel.write(b"\x1b\r", 2)  # which ends a payload of no fixed length, an SMS
    for _ in range(60 + n // 50):  # while flow control holds it back: a minute
        if n > 0:
            n -= m.channel.write(b"\r" * 50, 50)
            yield 1
