"""Programs that need more than a TCP client, unchanged, on MicroPython and a virtual module: NTP, microdot."""

import contextlib
import errno
import http.client
import json
import socket
import socketserver
import struct
import time

from live import Echo, Program, free_ports, run, serving
from test_programs import families

NOW = 4_000_000_000  # of NTP, in 2026


class Time(socketserver.BaseRequestHandler):
    def handle(self):
        query, sock = self.request
        assert query == b"\x23" + bytes(47)
        self.server.asked += 1
        answer = bytearray(48)
        answer[0] = 0x24
        struct.pack_into("!I", answer, 40, NOW + self.server.asked)
        sock.sendto(answer, self.client_address)


class TimeServer(socketserver.ThreadingUDPServer):
    asked = 0


class Silent(socketserver.BaseRequestHandler):
    def handle(self):
        pass


@families
def test_ntp(family, tmp_path):
    with (
        serving(Echo) as echo,
        serving(Time, TimeServer) as clock,
        serving(Silent, socketserver.ThreadingUDPServer) as silent,
    ):
        names = {"pool.example:123": clock.server_address[1], "silent.example:123": silent.server_address[1]}
        names["echo.example:7"] = echo.server_address[1]
        lines = run(tmp_path, family, "ntp", names)
    assert lines == [
        *["time 48 %d" % (NOW + n) for n in range(1, 13)],
        "silent %d" % errno.ETIMEDOUT,
        "all links usable",
    ]


def wait_for(port, program):
    """The program says that it serves before it does."""
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if program.child.poll() is not None:
            raise AssertionError("it ended before it served: %s" % program.result())
        time.sleep(0.05)


def ask(port, method, path, body=None):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()


@families
def test_microdot(family, tmp_path):
    (port,) = free_ports(1)
    with serving(Echo) as echo:
        names = {"echo.example:7": echo.server_address[1]}
        with Program(tmp_path, family, "web", names, ["microdot"], [str(port)]) as program:
            program.until("serving")
            wait_for(port, program)
            for _ in range(3):
                assert ask(port, "GET", "/") == (200, b"Hello from the modem")
            status, body = ask(port, "POST", "/items/42?name=spam", b"x" * 5000)
            assert (status, json.loads(body)) == (200, {"number": 42, "length": 5000, "name": "spam"})
            assert ask(port, "GET", "/missing")[0] == 404
            assert ask(port, "GET", "/large") == (200, b"".join(bytes([n]) * 1000 for n in range(20)))
            assert ask(port, "GET", "/shutdown") == (200, b"bye")
            assert program.result() == ["shut down", "all links usable"]
