"""Websockets, unchanged, on MicroPython and a virtual module: a client's package, and the module of MicroPython."""

import contextlib
import threading

from live import LARGE, Echo, Program, free_ports, run, serving
from test_programs import families
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import serve


def talk(connection):
    """One connection of the server."""
    path = connection.request.path
    if path == "/echo":
        with contextlib.suppress(ConnectionClosed):  # the package closes without a word
            for message in connection:
                connection.send(message)
    elif path == "/ping":
        connection.send(connection.request.headers["X-Name"])
        connection.send(str(connection.ping(b"are you there?").wait(30)))
    elif path == "/bye":
        connection.close(1001, "that was all")
    elif path == "/gone":
        connection.send(b"wait")
        connection.socket.close()


def refuse_some(connection, request):
    if request.path == "/missing":
        return connection.respond(404, "no such page\n")


@contextlib.contextmanager
def websocket_server():
    """Its port."""
    with serve(talk, "127.0.0.1", 0, process_request=refuse_some) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.socket.getsockname()[1]


@families
def test_async_websocket_client(family, tmp_path):
    # It imports ssl, which boards have; the unix port has only what that is made of.
    (tmp_path / "ssl.py").write_text("from tls import *\n")
    with serving(Echo) as echo, websocket_server() as port:
        names = {"chat.example:9000": port, "echo.example:7": echo.server_address[1]}
        lines = run(tmp_path, family, "websocket_client", names, ["async_websocket_client"])
    count = len(lines[0].split(",")) - 1
    assert lines == [
        "echo [5%s]" % (", 4" * count),
        "ping ['board', 'True', None]",
        "bye [None]",
        "Exception in recv while reading frame: buffer too small",
        "gone [b'wait', None]",
        "missing b'HTTP/1.1 404 Not Found'",
        "all links usable",
    ]
    assert count


@families
def test_websocket_of_micropython(family, tmp_path):
    (port,) = free_ports(1)

    def client():
        return connect("ws://127.0.0.1:%d/" % port, ping_interval=None, compression=None)

    messages = [b"%06d" % n + LARGE[:n] for n in (5, 300, 20_000, 0)]
    with serving(Echo) as echo:
        names = {"echo.example:7": echo.server_address[1]}
        with Program(tmp_path, family, "websocket_server", names, arguments=[str(port)]) as program:
            program.until("serving")
            for _ in range(2):
                with client() as connection:
                    connection.send("000007Grüße")
                    assert connection.recv(30) == "000007Grüße"
                    for message in messages:
                        connection.ping()  # which it overlooks
                        connection.send(message)
                        assert connection.recv(30) == message
                assert connection.close_code == 1005  # its answer to a close has no code
                assert program.until(r"\[") == "[1, 2, 2, 2, 2]\n"
            with client() as connection:
                connection.socket.close()
            assert program.result() == ["[]", "all links usable"]
