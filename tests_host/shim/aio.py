"""MicroPython's asyncio on the virtual clock: CPython's own tasks, on a loop that waits for streams by polling them.

What CPython's asyncio lacks is added to it (`sleep_ms`, `wait_for_ms`, `ThreadSafeFlag`, `Stream`). What it has in
another form (`run`, `create_task`, `get_event_loop`, `new_event_loop`, `open_connection`, `start_server`) is
MicroPython's on a board, see `shim.board`, and its own elsewhere.
"""

import asyncio
import errno
import selectors

from . import clock as _clock

_POLL, _IN, _OUT = 3, 1, 4
_ROUND_US = 300  # what a round of the loop takes: a task that only yields would otherwise never see time pass
_STEP_US = 20_000  # a stream may change with time alone: look again this often


class _Selector(selectors.DefaultSelector):
    """Waits on the virtual clock, for streams too."""

    def __init__(self):
        super().__init__()
        self.waiting: list = []  # (stream, mask, future)
        self.woken = False  # somebody has called call_soon()

    def select(self, timeout=None):
        """The next thing to do has come, or its time."""
        clock = _clock.clock
        clock.advance(_ROUND_US)
        self.woken = False
        end = None if timeout is None else clock.now_us + max(0, timeout) * 1e6 + 1
        if timeout is None or timeout > 0:
            clock.wait(self._ready, end, _STEP_US if self.waiting else None)
        else:
            self._ready()
        return super().select(0)

    def _ready(self) -> bool:
        for entry in list(self.waiting):
            stream, mask, future = entry
            bits = 0 if future.done() else stream.ioctl(_POLL, mask)
            if bits < 0:
                future.set_exception(OSError(-bits, "poll"))
            elif bits:
                future.set_result(bits)
            if future.done():
                self.waiting.remove(entry)
        return self.woken


class Loop(asyncio.SelectorEventLoop):
    """An event loop on the virtual clock."""

    def __init__(self):
        self._streams = _Selector()
        super().__init__(self._streams)
        self.set_exception_handler(self._report)

    def _report(self, _, context: dict) -> None:
        """What ends the whole program is no error of the task in which it came."""
        if not isinstance(context.get("exception"), KeyboardInterrupt):
            self.default_exception_handler(context)

    def time(self) -> float:
        """Seconds, as the clock has them."""
        return _clock.clock.now_us / 1e6

    def call_soon(self, *args, **kw):
        """A callback may come from a pin or a timer while the loop waits."""
        self._streams.woken = True
        return super().call_soon(*args, **kw)

    async def ready(self, stream, mask: int) -> None:
        """Wait until a stream can be read (1) or written (4)."""
        if not hasattr(stream, "ioctl"):
            raise TypeError("%r is no stream of MicroPython: simcom.install(modem) comes first" % (stream,))
        future = self.create_future()
        self._streams.waiting.append((stream, mask, future))
        await future

    def end(self) -> None:
        """Cancel every task and close."""
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        try:
            if tasks:
                self.run_until_complete(asyncio.wait(tasks))
        finally:
            self.close()


_loop: "Loop | None" = None


def new_event_loop() -> Loop:
    """asyncio.new_event_loop: everything is forgotten."""
    global _loop
    end()
    _loop = Loop()
    return _loop


def end() -> None:
    """The board is switched off."""
    global _loop
    loop, _loop = _loop, None
    if loop is not None:
        loop.end()


def get_event_loop() -> Loop:
    """asyncio.get_event_loop: the only one there is."""
    return _loop or new_event_loop()


def run(coro):
    """asyncio.run: what is still running when it ends goes on at the next run."""
    return get_event_loop().run_until_complete(coro)


def create_task(coro) -> asyncio.Task:
    """asyncio.create_task, also before run()."""
    return get_event_loop().create_task(coro)


def sleep_ms(ms: float):
    """asyncio.sleep_ms."""
    return asyncio.sleep(max(0, ms) / 1000)


def wait_for_ms(awaitable, ms: float):
    """asyncio.wait_for_ms."""
    return asyncio.wait_for(awaitable, ms / 1000)


class ThreadSafeFlag:
    """asyncio.ThreadSafeFlag: set() may be called from an interrupt."""

    def __init__(self):
        self._event = asyncio.Event()

    def set(self) -> None:
        """Let the task that waits, or the next one, go on."""
        self._event.set()

    def clear(self) -> None:
        """As if set() had not been called."""
        self._event.clear()

    async def wait(self) -> None:
        """Wait for set(), and clear."""
        await self._event.wait()
        self._event.clear()


class Stream:
    """asyncio.Stream, over a socket of the modem, a UART or anything else with MicroPython's stream protocol."""

    def __init__(self, s, e=None):
        self.s = s
        self.e = e or {}
        self._unsent = b""

    def get_extra_info(self, name: str):
        """What open_connection or start_server noted ("peername")."""
        return self.e[name]

    def close(self) -> None:
        """Nothing: wait_closed() closes."""

    async def wait_closed(self) -> None:
        """Close."""
        self.s.close()

    async def _readable(self) -> None:
        await get_event_loop().ready(self.s, _IN)

    async def read(self, n: int = -1) -> bytes:
        """What is there, at most n bytes; without n everything up to the end."""
        got = b""
        while True:
            await self._readable()
            piece = self.s.read(n)
            if piece is not None:
                got += piece
                if n >= 0 or not piece:
                    return got

    async def readinto(self, buf) -> int:
        """Read into buf what is there."""
        await self._readable()
        return self.s.readinto(buf)

    async def readexactly(self, n: int) -> bytes:
        """n bytes; EOFError when the stream ends before."""
        got = b""
        while len(got) < n:
            await self._readable()
            piece = self.s.read(n - len(got))
            if piece == b"":
                raise EOFError
            got += piece or b""
        return got

    async def readline(self) -> bytes:
        """Up to and with a newline, or the end."""
        got = b""
        while True:
            await self._readable()
            piece = self.s.readline()
            if piece is not None:
                got += piece
                if not piece or got.endswith(b"\n"):
                    return got

    def __aiter__(self):
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    def write(self, data) -> None:
        """Send what can be sent now, keep the rest for drain()."""
        data = bytes(data)
        if not self._unsent:
            data = data[self.s.write(data) or 0 :]
        self._unsent += data

    async def drain(self) -> None:
        """Send what write() has kept."""
        if not self._unsent:
            await asyncio.sleep(0)
        while self._unsent:
            await get_event_loop().ready(self.s, _OUT)
            self._unsent = self._unsent[self.s.write(self._unsent) or 0 :]


def _socket():
    """The module `socket` as simcom.install(modem) has put it there."""
    import socket

    return socket


def _no_tls(ssl) -> None:
    if ssl:
        raise NotImplementedError("TLS over the modem runs on MicroPython only")


async def open_connection(host, port, ssl=None, server_hostname=None):
    """asyncio.open_connection: (Stream, Stream)."""
    _no_tls(ssl)
    socket = _socket()
    entry = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    s = socket.socket(*entry[:3])
    s.setblocking(False)
    try:
        s.connect(entry[-1])
    except OSError as error:
        if error.errno != errno.EINPROGRESS:
            raise
    await get_event_loop().ready(s, _OUT)
    stream = Stream(s)
    return stream, stream


class Server:
    """What start_server() gives."""

    def __init__(self, listener, callback):
        self._listener, self._callback = listener, callback
        self._task = create_task(self._serve())

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()
        await self.wait_closed()

    def close(self) -> None:
        """Accept nobody any more."""
        self._task.cancel()

    async def wait_closed(self) -> None:
        """Wait until it has ended."""
        await asyncio.wait([self._task])

    async def _serve(self):
        try:
            while True:
                await get_event_loop().ready(self._listener, _IN)
                try:
                    s, address = self._listener.accept()
                except OSError:
                    continue  # the client has gone again
                s.setblocking(False)
                stream = Stream(s, {"peername": address})
                create_task(self._callback(stream, stream))
        finally:
            self._listener.close()


async def start_server(callback, host, port, backlog=5, ssl=None):
    """asyncio.start_server."""
    _no_tls(ssl)
    socket = _socket()
    listener = socket.socket()
    listener.bind(socket.getaddrinfo(host, port)[0][-1])
    listener.setblocking(False)
    listener.listen(backlog)
    return Server(listener, callback)


ADDED = (sleep_ms, wait_for_ms, ThreadSafeFlag, Stream)
OTHER = (run, create_task, get_event_loop, new_event_loop, open_connection, start_server)
