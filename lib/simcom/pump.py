"""The pump: runs what is owed, one command at a time, whenever somebody calls."""

import errno
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from .channel import Channel, Pace, passed
from .lazy import once
from .parser import Answer

_LAPS = const(3)  # so many reads go before the tasks are looked at
_MORE_MS = const(61000)  # than silence_ms: when so much has passed the module has been given up


class ATError(OSError):
    """A final result other than OK.

    ``errno``: from the number of +CME ERROR, or of the line before ERROR, else EIO; ``cmd``: the command; ``line``: the
    result line as received, or the one before it that tells the cause.
    """

    def __init__(self, cmd: str, line: str):
        code = errno.EIO
        if ":" in line:
            try:
                code = once("errors.cme" if line.find(" ERROR:") == 4 else "errors.ip").errno_of(line, cmd)
            except OSError:  # no room to load it
                pass
        super().__init__(code, "%s: %s" % (cmd, line))
        self.cmd = cmd
        self.line = line


class Task:
    """A procedure of several commands: a generator.

    It yields a pause in ms, a command, or (command, timeout_ms[, marks[, payload]]); it is sent the information lines,
    or thrown an OSError. ``marks``: instead of OK a line with one of these ends the command; (): it is a question, and
    an OK that comes before its answer is an older command's; True: a question whose answer does not begin with its
    name; False: no line is awaited. ``payload``: (buf, n), for the prompt. query.py has the steps of a question.
    """

    info = None  # the answer for the next step …
    error = None  # … or its error; at the end: what the task raised
    prompted = False  # the module asked for the payload of the last command
    result = None
    done = False

    def __init__(self, steps):
        self.steps = steps
        self.pause(0)

    def pause(self, ms):
        """The next step comes after ``ms``."""
        self.wake = ticks_add(ticks_ms(), ms)


class Pump:
    ANSWER_MS = 5000  # simple commands
    silence_ms = 60000  # so long the module may say nothing before its connections are given up

    ticking = False  # a timer pumps
    made = False  # there is a modem; checks.py sets it

    urcs: tuple = ()  # what on_urc() waits for, as at/urc.py keeps it
    receiver = None  # how received bytes come, see buffered.py
    step = "off"  # what bring-up is at, for status()
    pumping = False
    came = went = 0  # payload bytes, modulo 2**30
    _task = None  # whose command is in flight …
    _marks = None  # … and what ends it
    _only = None  # the task that goes before all others
    _turn = False  # the last command was a task's: now reading
    _laps = 0  # so many reads go before the tasks are looked at; 0: one may have something to do now
    _looked = 0  # ticks_ms when nothing was to be done

    def __init__(self, uart):
        self.channel = self.stage = Channel(uart, self)  # stage: where commands begin; see stages.py
        self._tasks = []
        # Of the object itself: what is the class's is looked for in five of them, for 10,000 cycles of a Pico.
        # ``modem.on_wait = wdt.feed``: called every 100 ms or sooner while a call of the foreground waits. No longer
        # once that has lasted longer than it may, so that a watchdog ends a program that hangs.
        self.on_wait = None
        self.still = False  # nothing is to be started
        self.hooks: tuple = ()  # see unsolicited lines and lost contexts first; hooks.py adds and removes
        self.exclusive = None  # who has the module alone: refuse() raises OSError(EALREADY) for what others start
        self.parts = {}  # what capabilities keep, by name: "servers", "context", "tunnel", …
        self.counts = {}  # what happened, and how often: status("counters")
        self._calls = []  # (function, line): to be called with the channel idle

    def pump(self) -> int:
        """Read a burst, dispatch it, start what is owed; returns the bytes read.

        Never waits; raises nothing but KeyboardInterrupt. A nested call does nothing.
        """
        if self.pumping:
            return 0
        if self._laps == _LAPS:
            if 0 <= ticks_diff(ticks_ms(), self._looked) < Pace.REST_MS and not self.links.reading:  # type: ignore[attr-defined]
                for got in self.channel.ready(0):  # noqa: B007  (with a name more the frame would be on the heap)
                    break
                else:
                    return 0
        elif 0 < ticks_diff(self.channel.due, ticks_ms()) <= Pace.DEAF_MS:
            return 0
        try:
            self.pumping = True
            got = self.stage.poll()
            if not self.channel.busy:
                self._next()
            if self.channel.parser.pushed:
                got = self.receiver.poll(got)  # type: ignore[attr-defined]
            self.pumping = False  # here: Ctrl-C may come right behind the try
        except MemoryError:
            got = self._interrupted()
        except OSError:  # no room for a file; a tuple of both would take heap
            got = self._interrupted()
        except BaseException:
            self._interrupted()
            raise
        return got

    def rests(self):
        """ticks_ms until which there is nothing to do, unless the UART has something; 0: there is."""
        if self._laps < _LAPS or self.links.reading:
            return 0
        return ticks_add(self._looked, Pace.REST_MS)

    def _interrupted(self):
        self.pumping = False
        try:
            self.channel.interrupted()
        except MemoryError:  # in the handler of what was under way, which is noted as lost
            pass
        return 0

    def wait(self, ms: int = 20, since: int = 0, bound: "int | None" = None):
        """Pump, then sleep until the UART has something, at most ``ms``. Not in a callback: OSError(EALREADY).

        The wait of which this is a part began at ``since`` (ticks_ms) and ends after ``bound`` ms; None: it may last
        as long as the module says something now and then.
        """
        if self.pumping:
            self.may_wait()
        self.nap(min(ms, self.receiver.nap_ms))  # type: ignore[attr-defined]
        if self.on_wait:
            if not (passed(since, bound + 1000) if bound else self.channel.quiet(self.silence_ms + _MORE_MS)):
                self.on_wait()

    def nap(self, ms):
        """Pump, then sleep; after Ctrl-C meanwhile the module gets what it was promised."""
        try:
            if not self.pump() or self.channel.parser.need:
                self.channel.wait(ms)
            ms = 0
        finally:
            if ms:
                self.channel.interrupted()

    def may_wait(self):
        """Raise OSError(EALREADY) inside a callback, where nothing that waits would ever end."""
        if self.pumping:
            raise OSError(errno.EALREADY, "a callback of the modem cannot wait")

    def _next(self):
        # The channel is idle: start one thing. Reads and tasks take turns.
        if self.still:
            return
        if self._calls:
            task = self._calls.pop(0)  # (function, line); with a name more the frame would come from the heap
            return task[0](task[1])
        if self.channel.desync and not self._only:
            self._only = self.start(self.recovery().resync(self))
            return
        only = self._only
        reads = not only and (self._turn or self._laps > 0)
        if reads and self.receiver.next():
            return
        for task in self._tasks:
            if passed(task.wake, 0) and (only or task) is task:
                return self._advance(task)
        self._laps = _LAPS - self.channel.parser.pushed  # what is pushed never rests
        self._looked = ticks_ms()
        if not (only or reads):
            self.receiver.next()

    # For the steps of a task, and for who starts one

    def current(self):
        """The Task whose step runs, or whose command was sent last; None: that was a read."""
        return self._task

    def reserve(self, task):
        """Only ``task`` may send from now on; None: everybody may."""
        self._only = task

    def reserved(self):
        """The Task that may send alone, or None."""
        return self._only

    def calls(self):
        """The queue of (function, line), which are called with the channel idle."""
        return self._calls

    def read_sent(self):
        """A read went out, of which no task waits for the answer."""
        self._turn = False
        self._laps -= 1
        self._task = None

    def _advance(self, task):
        self._turn = True
        self._laps = 0
        self._tasks.append(task)  # to the end, and never out of it: Ctrl-C may come
        self._tasks.remove(task)
        if task.done:
            return self._tasks.remove(task)
        error = task.error
        task.error = None
        try:
            self._task = task
            step = task.steps.throw(error) if error else task.steps.send(task.info)
        except StopIteration as e:
            task.result = e.value
        except OSError as e:
            task.error = e
        except MemoryError:
            task.error = OSError(errno.ENOMEM, "out of memory")
        except (ValueError, IndexError):
            task.error = OSError(errno.EIO, "answer not understood: %s %s" % (self.command(), task.info))
        else:
            if isinstance(step, int):
                return task.pause(step)
            try:
                return self._do(task, step)
            except BaseException:
                if not self.channel.busy:  # it was not sent
                    task.error = OSError
                raise
        task.done = True
        task.steps = None  # free what it kept
        self._tasks.remove(task)

    def _do(self, task, step):
        if isinstance(step, bytes):
            step = (step, self.ANSWER_MS)
        cmd, ms, marks, payload = (step + (None, None))[:4]
        self._marks = marks
        task.info = []
        own = 2 if marks == () or marks is True else 1 if marks else 0
        self.stage.start(cmd + b"\r", len(cmd) + 1, self._on_answer, ms, own, *(payload or ()))

    def _on_answer(self, kind, buf, i, j):
        task = self._task
        channel = self.channel
        if kind < Answer.OK:
            marks = self._marks
            if marks is False:
                return False
            if kind and marks == ():
                task.info.append("\\x")  # a stranger's line, or one of the answer whose name is damaged: see query.py
                return False
            if marks and marks is not True:
                for mark in marks:
                    if buf.find(mark, i, j) >= 0 and (
                        mark != b"." or (kind and 47 < buf[i] < 58)
                    ):  # dots are in unsolicited codes too
                        break
                else:
                    return False
            elif not kind:
                k = buf.find(b":", i, j)  # awaited: "+CSQ: …" after AT+CSQ
                if k < 0 or not channel.cmd.startswith(bytes(buf[i:k]), 2):
                    return False
            task.info.append(text(buf, i, j))
            return True
        task.prompted = channel.sent >= 0
        failed = kind > Answer.OK
        if failed or self._marks == ():
            # A refused send is asked after, before another takes its prompt; an answer is soon out of date.
            self._tasks.remove(task)
            self._tasks.insert(0, task)
        if failed:
            task.error = OSError  # if there is no room for more
            if kind == Answer.ERROR:
                task.error = self.refusal(text(buf, i, j))
            else:
                task.error = OSError(errno.ETIMEDOUT, self.command() + ": no answer")
        return True

    def refusal(self, line):
        """The exception for a command that was answered with ``line``."""
        return ATError(self.command(), line)

    def command(self):
        """The last command without its secrets, for messages."""
        line = text(self.channel.cmd, 0, self.channel.cmd.find(b"\r"))
        if "=" not in line or (line[3:5] in ("CI", "CA") and ";" not in line):  # mostly there are none
            return line
        from .masking import masked

        return masked(line)

    def start(self, steps):
        """Leave a procedure to the pump; returns its Task."""
        if self.exclusive:
            self.exclusive.refuse()
        task = Task(steps)
        self._tasks.append(task)
        self._laps = 0
        return task


def text(buf, i, j):
    """``buf[i:j]`` as str, whatever it holds."""
    try:
        return str(bytes(buf[i:j]), "utf-8")
    except UnicodeError:
        return repr(bytes(buf[i:j]))
