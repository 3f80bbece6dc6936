"""Other people's programs, unchanged, on MicroPython and a virtual module, against real servers: HTTP, poll.

The other test_programs_*.py use what is defined here.
"""

import contextlib
import errno
import hashlib
import http.server
import importlib
import os
import pathlib
import random
import re
import socket
import socketserver
import subprocess
import sys
import threading

import pytest
import rig
from tools import packages
from tools.system import Unavailable, command

HERE = pathlib.Path(__file__).parent
TREE = HERE.parent
FAMILIES = ("sim800", "sim7000", "sim7028", "a76xx")
BAUD = 20_000_000  # the programs are about behaviour: as quick as the virtual module can
END_S = 60
AT_ONCE = {"think_ms": 0, "boot_ms": 1, "boot_lines": (), "send_ms": 2}  # of these, what the family has
NET = {"connect_ms": 5, "dns_ms": 5}

# Refused, or aborted: a CIPOPEN module says only that it failed.
REFUSED = (errno.ECONNREFUSED, errno.ECONNABORTED)

families = pytest.mark.parametrize("family", FAMILIES)


def tool(name):
    """The command that starts a program of the system; without it the test is skipped."""
    try:
        return command(name)
    except Unavailable as e:
        pytest.skip("no %s: %s" % (name, e))


class Program:
    """A program of tests_host/programs on MicroPython, and the virtual module that it uses.

    `names`: {"host:port": port on loopback}. `libraries`: names of tools/packages.py. `arguments`: its sys.argv[1:].
    `settings`: of the virtual module. Leave it with `with`.
    """

    def __init__(self, folder, family, name, names, libraries=(), arguments=(), settings=None):
        micropython = tool("micropython")
        try:
            path = [packages.folder(*libraries)] if libraries else []
        except Unavailable as e:
            pytest.skip("no %s: %s" % (" and ".join(libraries), e))
        self.name = name
        self._stack = contextlib.ExitStack()
        self._start_module(family, str(folder / "modem"), names, settings or {})
        (folder / "board.py").write_text(
            "import virtual\n\n\ndef modem():\n    return virtual.modem(%r)\n" % family.upper()
        )
        path = [folder, HERE / "programs", TREE / "lib", TREE / "boards", *path]
        env = {**os.environ, "MICROPYPATH": ":".join([*map(str, path), ".frozen"])}
        env["SIMCOM_TTY"] = str(folder / "modem")
        program = str(HERE / "programs" / (name + ".py"))
        self.child = self._start(*micropython, program, *arguments, cwd=folder, env=env, stderr=subprocess.STDOUT)
        self._timer = threading.Timer(END_S, self.child.kill)
        self._timer.start()

    def _start(self, *command, **kw):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = self._stack.enter_context(subprocess.Popen(command, text=True, bufsize=1, **pipes, **kw))
        self._stack.callback(process.kill)
        return process

    def _start_module(self, family, link, names, settings):
        command = [
            sys.executable,
            "-m",
            "sim",
            "--family",
            family,
            "--link",
            link,
            "--baud",
            str(BAUD),
            "--seed",
            "none",
        ]
        command += ["--map", ",".join("%s=127.0.0.1:%d" % item for item in names.items())]
        command += ["--log", link + ".log"]
        profile = importlib.import_module("sim." + family).Module
        quick = {key: value for key, value in AT_ONCE.items() if hasattr(profile, key)}
        for item in {**rig.QUICK, **rig.QUICK_NET[family], **NET, **quick, **settings}.items():
            command += ["--set", "%s=%s" % item]
        if any("close_opening" in vars(part).get("CHOICES", ()) for part in profile.__mro__):
            command += [
                "--choice",
                "close_opening=cancels",
            ]  # else a connection on its way keeps its number for minutes
        module = self._start(*command, cwd=HERE, stderr=subprocess.STDOUT)
        line = module.stdout.readline()
        if not line.startswith("/dev/"):
            raise RuntimeError("the virtual module did not start: %s" % (line + module.stdout.read()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._timer.cancel()
        self._stack.close()

    def until(self, pattern):
        """Read what it prints up to a line in which `pattern` is found; that line."""
        seen = []
        for line in self.child.stdout:
            seen.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError("%s ended without %r:\n%s" % (self.name, pattern, "".join(seen[-40:])))

    def enter(self):
        """Press Enter, for which it waits in input()."""
        self.child.stdin.write("\n")

    def result(self):
        """The lines that it prints until it ends, which must be well."""
        output = self.child.stdout.read()
        status = self.child.wait()
        assert status == 0, "%s ended with status %d:\n%s" % (self.name, status, output)
        return output.splitlines()


def run(*args, **kw):
    """Run a program to its end: the lines that it printed."""
    with Program(*args, **kw) as program:
        return program.result()


@contextlib.contextmanager
def serving(handler, server=socketserver.ThreadingTCPServer):
    """A real server on a free loopback port, a thread for each connection."""
    server.daemon_threads = True
    with server(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield running
        finally:
            running.shutdown()


class Echo(socketserver.BaseRequestHandler):
    """Sends back what comes, until that is QUIT."""

    def handle(self):
        with contextlib.suppress(OSError):
            while (data := self.request.recv(65536)) and data != b"QUIT":
                self.request.sendall(data)


LARGE = random.Random(1).randbytes(1_000_000)


class HttpServer(http.server.ThreadingHTTPServer):
    def __init__(self, *args):
        super().__init__(*args)
        self.seen = []  # (method, path, headers)


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.command, self.path, self.headers))
        body = {"/greeting": "Grüß Gott".encode()}.get(self.path)
        if self.path[1:].isdigit():
            body = LARGE[: int(self.path[1:])]
        self.reply(*(404, b"no such page") if body is None else (200, body))

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        self.server.seen.append((self.command, self.path, self.headers))
        body = b"".join(self.chunks())
        self.reply(200, body if self.path == "/json" else hashlib.sha256(body).hexdigest().encode())

    do_PUT = do_POST

    def chunks(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers["Content-Length"]))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            assert self.rfile.read(2) == b"\r\n"

    def reply(self, status, body):
        moved = self.path == "/moved"
        self.send_response(302 if moved else status)
        if moved:
            self.send_header("Location", "http://other.example:8080/greeting")
        self.send_header("X-Kind", "test")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@families
def test_requests(family, tmp_path):
    large = LARGE if family == FAMILIES[0] else LARGE[:200_000]
    with serving(Pages, HttpServer) as server, serving(Pages, HttpServer) as other:
        names = {"www.example:80": server.server_port, "other.example:8080": other.server_port}
        lines = run(tmp_path, family, "http_requests", names, arguments=[str(len(large))])
    chunked = b"".join(bytes([n]) * (250 * n + 1) for n in range(12))
    assert lines == [
        "get 200 test Grüß Gott",
        "missing 404 b'Not Found' b'no such page'",
        "head 200 b''",
        "moved 200 Grüß Gott",
        "post 200 " + hashlib.sha256(b"\x00body" * 1000).hexdigest(),
        "json 200 {'answer': 42}",
        "chunked 200 " + hashlib.sha256(chunked).hexdigest(),
        "large %d %s" % (len(large), hashlib.sha256(large).hexdigest()),
        "all links usable",
    ]
    assert [seen[:2] for seen in server.seen[:8]] == [
        ("GET", "/greeting"),
        ("GET", "/missing"),
        ("HEAD", "/greeting"),
        ("GET", "/moved"),
        ("POST", "/form"),
        ("PUT", "/json"),
        ("POST", "/chunked"),
        ("GET", "/%d" % len(large)),
    ]
    assert [seen[:2] for seen in other.seen] == [("GET", "/greeting")]


@families
def test_requests_header_beyond_ascii(family, tmp_path):
    with serving(Pages, HttpServer) as server:
        assert run(tmp_path, family, "http_header", {"www.example:80": server.server_port}) == ["200"]
    assert server.seen[0][2]["X-Name"].encode("latin-1").decode("utf-8", "replace") == "Grüße"


@families
def test_poll_with_several_sockets(family, tmp_path):
    with serving(Echo) as server, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        names = {"echo.example:7": server.server_address[1], "nobody.example:7": unused.getsockname()[1]}
        lines = run(tmp_path, family, "polling", names)
    count = int(lines[0].split()[1])
    assert lines[1:] == [
        "silence [] []",
        *["one True True []"] * count,
        "short True",
        "all %s []" % ([0] * count),
        "writable True",
        "unregistered True",
        *["closed %d True b''" % n for n in range(count)],
        "nobody []",
        "refused True True",
        "all links usable",
    ]


@families
def test_late_report_of_an_old_connection(family, tmp_path):
    settings = {"send_ms": 60} if family in ("sim7028", "a76xx") else {}
    with serving(Echo) as server:
        lines = run(tmp_path, family, "reconnect", {"echo.example:7": server.server_address[1]}, settings=settings)
    assert lines == ["wrong []"]
