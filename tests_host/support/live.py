"""Programs on MicroPython and a virtual module, and real servers on loopback: for test_programs*.py and bench.py.

Raises Unavailable where a program or a package cannot be had.
"""

import contextlib
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
import time

import families
import rig
from tools import packages
from tools.system import command

HERE = pathlib.Path(__file__).parents[1]
TREE = HERE.parent
BAUD = 20_000_000  # the programs are about behaviour: as quick as the virtual module can
END_S = 300  # what hangs is killed; a machine with other work takes long
AT_ONCE = {"think_ms": 0, "boot_ms": 1, "boot_lines": (), "send_ms": 2}  # of these, what the family has
NET = {"connect_ms": 5, "dns_ms": 5}


class Program:
    """A program of tests_host/programs on MicroPython, and the virtual module that it uses.

    `names`: {"host:port": port on loopback}. `libraries`: names of tools/packages.py. `arguments`: its sys.argv[1:].
    `settings`: of the virtual module. Leave it with `with`.
    """

    def __init__(self, folder, family, name, names, libraries=(), arguments=(), settings=None):
        micropython = command("micropython")
        path = [packages.folder(*libraries)] if libraries else []
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

    def _start(self, *words, **kw):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = self._stack.enter_context(subprocess.Popen(words, text=True, bufsize=1, **pipes, **kw))
        self._stack.callback(process.kill)
        return process

    def _start_module(self, family, link, names, settings):
        words = [
            sys.executable,
            "-m",
            "sim",
            "--quiet",
            "--family",
            family,
            "--link",
            link,
            "--baud",
            str(BAUD),
            "--seed",
            "none",
        ]
        words += ["--map", ",".join("%s=127.0.0.1:%d" % item for item in names.items())]
        words += ["--log", link + ".log"]
        profile = importlib.import_module("sim." + family).Module
        quick = {key: value for key, value in AT_ONCE.items() if hasattr(profile, key)}
        for item in {**rig.QUICK, **families.quick(family), **NET, **quick, **settings}.items():
            words += ["--set", "%s=%s" % item]
        if any("close_opening" in vars(part).get("CHOICES", ()) for part in profile.__mro__):
            # else a connection on its way keeps its number for minutes
            words += ["--choice", "close_opening=cancels"]
        module = self._start(*words, cwd=HERE, stderr=subprocess.STDOUT)
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


def free_ports(count):
    """Loopback ports that nobody uses."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in taken]


class Broker:
    """mosquitto on a free loopback port; with a certificate it speaks TLS there, and plain on another (`plain`)."""

    def __init__(self, folder, certificate=None):
        self._command = [*command("mosquitto"), "-c", str(folder / "mosquitto.conf")]
        self.port, self.plain = free_ports(2)
        lines = ["listener %d 127.0.0.1" % self.plain, "listener %d 127.0.0.1" % self.port]
        if certificate:
            lines += ["certfile %s" % certificate, "keyfile %s" % certificate]
        lines += ["allow_anonymous true", "user root", "log_dest file %s" % (folder / "mosquitto.log")]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(2400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.plain)):
                return self
            assert self._process.poll() is None, "mosquitto ended"
            time.sleep(0.025)
        raise AssertionError("mosquitto does not listen")

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(60)


def cipsends(folder, family):
    """How many sends a `requests.get`, an umqtt connect and a QoS 0 publish take, and with nodelay=False."""
    with Broker(folder) as broker, serving(Pages, HttpServer) as server:
        names = {"broker.example:1883": broker.port, "www.example:80": server.server_port}
        lines = run(folder, family, "small_writes", names, ["umqtt.simple"])
    assert lines == ["200", "0"] * 2, lines
    parts = (folder / "modem.log").read_text().split("AT+CSQ")
    counts = [len(re.findall(r"AT\+(?:CIP|CA)SEND=\d+,", part)) for part in parts]
    result = {}
    for i, name in enumerate(("http_get", "mqtt_connect", "mqtt_publish"), 1):
        result["cipsends_" + name] = counts[i]
        result["cipsends_%s_nodelay_off" % name] = counts[i + 5]
    return result
