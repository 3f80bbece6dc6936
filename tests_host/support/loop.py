"""MicroPython's asyncio on virtual time, in so far as streams notice it: they are polled when no task can go on."""

import errno
import types


class Cancelled(BaseException):
    """asyncio.CancelledError."""


@types.coroutine
def pause(ms):
    """asyncio.sleep_ms(); in ready() the poll ends it."""
    yield ms, None, 0


@types.coroutine
def ready(s, mask):
    """_io_queue.queue_read() or queue_write()."""
    yield None, s, mask


class Task:
    waiter = None  # who waits for its end
    error = None
    done = False

    def __init__(self, steps):
        self.steps = steps
        self.due = 0  # when it goes on, unless …
        self.stream = None  # … it waits for this one …
        self.mask = 0  # … to become readable or writable


class Loop:
    """What is asyncio for MicroPython, in so far as streams notice it: it polls them when no task can go on."""

    def __init__(self, clock):
        self.clock = clock
        self.tasks = []
        self.current = None

    def start(self, steps):
        task = Task(steps)
        self.tasks.append(task)
        return task

    def cancel(self, task):
        self._step(task, Cancelled())

    async def within(self, ms, steps):
        """asyncio.wait_for()."""
        inner = self.start(steps)
        inner.waiter = self.current
        try:
            await pause(ms)  # or until it is done
        finally:
            inner.waiter = None
            late = not inner.done
            if late:
                self.cancel(inner)
        if late:
            raise OSError(errno.ETIMEDOUT, "not within %d ms" % ms)
        if inner.error:
            raise inner.error

    def run(self, ms):
        """So long."""
        end = self.clock.now_us + ms * 1000
        while self.clock.now_us < end:
            self._poll()
            due = [task for task in self.tasks if task.stream is None and task.due <= self.clock.now_us]
            for task in due:
                if not task.done:
                    self._step(task)
            if not due:
                now = self.clock.now_us
                soonest = min([task.due for task in self.tasks if task.stream is None] + [end, now + 50_000])
                change = self.clock.next_change() or end
                self.clock.advance_to(max(now + 1000, min(soonest, change)))

    def _poll(self):
        for task in self.tasks:
            if task.stream is not None:
                bits = task.stream.ioctl(3, task.mask)
                if bits < 0 or bits & 5 & ~task.mask:
                    raise AssertionError("ioctl(POLL, %d): %r" % (task.mask, bits))
                if bits:
                    task.stream = None
                    task.due = self.clock.now_us

    def _step(self, task, error=None):
        before, self.current = self.current, task
        task.stream = None
        try:
            ms, task.stream, task.mask = task.steps.throw(error) if error else task.steps.send(None)
            task.due = self.clock.now_us + (ms or 0) * 1000
        except (StopIteration, Cancelled):
            self._end(task)
        except OSError as e:
            task.error = e
            self._end(task)
        except BaseException:
            self._end(task)
            raise
        finally:
            self.current = before

    def _end(self, task):
        task.done = True
        self.tasks.remove(task)
        if task.waiter:
            task.waiter.due = self.clock.now_us
