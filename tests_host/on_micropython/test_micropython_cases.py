"""Every shared case under MicroPython, on the virtual module as a program, with real peers on loopback; once with the
sources, once with what `make mpy` makes of them.

This is real time, nearly all of it waiting: so the cases are shared out to programs that run at once.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

import made
import pytest
import run
import target
from live import free_ports
from tools.system import micropython_command

HERE = pathlib.Path(__file__).parents[1]
TREE = HERE.parent
HOST = "peers.example"
RATE = 921600  # the cases are about behaviour: less waiting
QUICK = ("boot_ms=50", "boot_lines=((0, 'RDY'),)", "register_ms=0", "ciicr_ms=20", "shut_ms=20", "close_ms=20")
QUICK += ("connect_ms=5", "dns_ms=5")


SHARES = 6
DIALLED = (8001, 8002)  # at these the servers of the cases listen


@pytest.fixture(scope="module")
def started():
    """Starts programs and ends them."""
    running = []

    def start(*command, **kw):
        running.append(subprocess.Popen(command, **kw))
        return running[-1]

    yield start
    for process in running:
        process.terminate()
        process.wait(60)


def module(started, tmp_path, name, ports, seed, dialled=()):
    """A virtual module on a pseudo-terminal; its path. `dialled`: where its servers' ports really are."""
    link = tmp_path / name
    table = ",".join("%s:%d=127.0.0.1:%d" % (HOST, port, port) for port in ports.values())
    command = [sys.executable, "-m", "sim", "--link", str(link), "--baud", str(RATE), "--seed", seed, "--map", table]
    command += ["--think-ms", "1"]
    for port, real in zip(DIALLED, dialled, strict=False):
        command += ["--listen", "%d=%d" % (port, real)]
    for setting in QUICK:
        command += ["--set", setting]
    started(*command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not link.exists():
        assert time.monotonic() < deadline, "the virtual module did not start"
        time.sleep(0.05)
    return str(link)


PROGRAM = """
import errno
import socket
import simcom
import target
import virtual

class Counted(virtual.TtyUart):
    count = 0
    def write(self, *args):
        n = super().write(*args)
        self.count += n or 0
        return n

uart = Counted(%(first)r)

class board:
    def modem():
        return simcom.SIM7000(uart)

class Dialled:
    def __init__(self, modem, port):
        self.modem = modem
        self.socket = socket.socket()
        self.socket.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        self.socket.setblocking(False)
    def send(self, data):
        self.socket.send(data)
    def recv(self, n):
        got = b""
        while len(got) < n:
            try:
                data = self.socket.recv(n - len(got))
            except OSError as e:
                if e.errno == errno.ECONNRESET:
                    break
                if e.errno != errno.EAGAIN:
                    raise
                self.modem.wait(5)
                continue
            if not data:
                break
            got += data
        return got
    def close(self):
        self.socket.close()

class Unix(target.Board):
    def dial(self, port):
        return Dialled(self.modem, %(dialled)r[port])
    def new_modem(self):
        modem = simcom.SIM7000(virtual.TtyUart(%(second)r))
        modem.connect("other")
        return modem
    def sent(self):
        return uart.count

target.run(Unix(board, "internet", %(host)r, %(ports)r), "", %(share)d, %(of)d)
"""


@pytest.fixture(scope="module", params=["source", "made"])
def children(request, started, tmp_path_factory):
    """One MicroPython for each share of the cases."""
    library = TREE / "lib"
    if request.param == "made":
        library = tmp_path_factory.mktemp("made")
        made.Made().compile(library / "lib")
        library = library / "lib"
    micropython = micropython_command()
    peers = started(sys.executable, str(TREE / "tests_device/peer.py"), stdout=subprocess.PIPE)
    ports = json.loads(peers.stdout.readline())
    folder = tmp_path_factory.mktemp("cases")
    path = [str(library), *(str(TREE / name) for name in ("tests_device", "boards"))]
    env = {**os.environ, "MICROPYPATH": ":".join([*path, ".frozen"])}
    second = module(started, folder, "second", ports, "none")  # of the case with two modems
    programs = []
    for share in range(SHARES):
        dialled = free_ports(len(DIALLED))
        first = module(started, folder, "modem%d" % share, ports, str(share) if share else "none", dialled)
        program = folder / ("share%d.py" % share)
        values = {"first": first, "second": second, "host": HOST, "ports": ports, "share": share, "of": SHARES}
        values["dialled"] = dict(zip(DIALLED, dialled, strict=True))
        program.write_text(PROGRAM % values)
        programs.append(program)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return [started(*micropython, str(program), env=env, **pipes) for program in programs]


@pytest.mark.parametrize("share", range(SHARES))
def test_cases_on_micropython(children, share):
    child = children[share]
    try:
        output = child.communicate(timeout=600)[0].decode()
    except subprocess.TimeoutExpired:
        child.kill()
        output = child.communicate()[0].decode() + "\nno end within 600 s"
    tally = re.findall(r"^(\d+) passed, (\d+) failed(.*)$", output, re.M)
    assert tally == [(str(len(target.cases()[share::SHARES])), "0", "")], output


def test_steps_for_a_board():
    class Options:
        port, board, peers, first, apn, only, lib = "a0", "boards/x.py", "peers.example", 7001, "internet", "echo", True

    steps = run.steps(Options)
    assert steps[:2] == ["connect", "a0"]
    copied = [pathlib.Path(path) for path in steps if os.path.isabs(path)]
    assert [path.name for path in copied] == ["target.py", "cases", "simcom"]
    assert all(path.exists() for path in copied)
    assert "boards/x.py" in steps and ":board.py" in steps
    made = {}

    class Target:
        @staticmethod
        def Board(*args):
            made["board"] = args

        @staticmethod
        def run(*args):
            made["run"] = args
            return True

    modules = {"board": object(), "target": Target}
    sys.modules.update(modules)
    try:
        exec(steps[-1], {})
    finally:
        for name in modules:
            del sys.modules[name]
    assert made["board"][1:3] == ("internet", "peers.example")
    assert made["board"][3]["echo"] == 7001 and len(made["board"][3]) == 9
    assert made["run"] == (None, "echo")
