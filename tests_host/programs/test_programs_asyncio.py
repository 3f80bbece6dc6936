"""Programs with asyncio's streams, unchanged, on MicroPython and a virtual module."""

import contextlib
import socket
import socketserver
import threading

from live import Echo, run, serving
from test_programs import REFUSED, families


@contextlib.contextmanager
def nobody():
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextlib.contextmanager
def busy():
    """A port whose listener never takes a connection: one more stays half open."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


class Stalled(socketserver.BaseRequestHandler):
    """Takes the connection and nothing more."""

    def handle(self):
        self.server.over.wait()


@families
def test_streams_on_all_links_at_once(family, tmp_path):
    with serving(Echo) as echo, nobody() as port:
        names = {"echo.example:7": echo.server_address[1], "nobody.example:7": port}
        lines = run(tmp_path, family, "aio_streams", names)
    assert lines[0].startswith("talks True")
    assert lines[1] == "time-outs 6"
    assert len(lines) > 5 and set(lines[2:-2]) <= {"refused %d" % code for code in REFUSED}
    assert lines[-2:] == ["heartbeat True", "all links usable"]


def cancelled(what, family, tmp_path):
    with serving(Echo) as echo, serving(Stalled) as stalled, busy() as port:
        stalled.over = threading.Event()
        names = {"echo.example:7": echo.server_address[1], "busy.example:7": port}
        names["stalled.example:7"] = stalled.server_address[1]
        try:
            lines = run(tmp_path, family, "aio_cancel", names, arguments=[what])
        finally:
            stalled.over.set()
    assert lines == ["cancelled True", "all links usable"]


@families
def test_task_cancelled_in_connect_leaves_the_links_usable(family, tmp_path):
    cancelled("connect", family, tmp_path)


@families
def test_task_cancelled_in_read_leaves_the_links_usable(family, tmp_path):
    cancelled("read", family, tmp_path)


@families
def test_task_cancelled_in_write_leaves_the_links_usable(family, tmp_path):
    cancelled("write", family, tmp_path)
