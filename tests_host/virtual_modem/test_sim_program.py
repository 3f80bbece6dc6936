"""The virtual modem as a program: a pseudo-terminal on one side, real sockets on the other."""

import os
import pathlib
import select
from families import OPEN
import signal
import socket
import subprocess
import sys
import threading
import time
import tty

import pytest
from sim.families import find

HERE = pathlib.Path(__file__).parents[1]
BLOB = bytes(range(256)) * 80


class Server:
    """A TCP server on loopback that gives each connection to a function in a thread."""

    def __init__(self, talk, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]
        self.talk = talk
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.talk(connection)


class Modem:
    """The program, and the host's end of its line."""

    def __init__(self, tmp_path, *options, family="sim7000"):
        self.link = tmp_path / "modem"
        command = [sys.executable, "-m", "sim", "--link", str(self.link), "--seed", "none", "--think-ms", "1"]
        command += ["--set", "boot_ms=50", "--set", "boot_lines=((0, 'RDY'),)", "--set", "register_ms=0"]
        bring_up = {"sim7028": "netopen_ms=50", "a76xx": "netopen_ms=50", "sim7080": "activate_ms=50"}
        command += ["--family", family, "--set", bring_up.get(find(family)[0], "ciicr_ms=50"), "--set", "deaf_ms=0"]
        command += options
        self.process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.path = self.process.stdout.readline().strip()
        self.open()

    def open(self):
        self.fd = os.open(self.link, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)

    def read(self, end: bytes, seconds=60.0) -> bytes:
        """Up to and including `end`; what comes behind it stays for the next read as far as possible."""
        got, deadline = b"", time.monotonic() + seconds
        while not got.endswith(end) and time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.1)[0]:
                got += os.read(self.fd, 1)
        return got

    def take(self, count: int) -> bytes:
        got = b""
        while len(got) < count and select.select([self.fd], [], [], 60)[0]:
            got += os.read(self.fd, count - len(got))
        return got

    def ask(self, command: str, end=b"OK\r\n") -> bytes:
        os.write(self.fd, command.encode() + b"\r")
        return self.read(end)

    def start(self):
        assert self.read(b"RDY\r\n").endswith(b"\r\nRDY\r\n")
        self.ask("ATE0")
        for command in ("AT+CIPMUX=1", "AT+CIPRXGET=1", 'AT+CSTT="x"', "AT+CIICR", "AT+CIFSR;E0"):
            assert self.ask(command).endswith(b"\r\nOK\r\n"), command

    def open_network(self):
        assert self.read(b"RDY\r\n").endswith(b"\r\nRDY\r\n")
        self.ask("ATE0")
        assert self.ask("AT+NETOPEN", b"+NETOPEN: 0\r\n") == b"\r\nOK\r\n\r\n+NETOPEN: 0\r\n"
        self.ask("AT+CIPRXGET=1")

    def activate(self):
        assert self.read(b"RDY\r\n").endswith(b"\r\nRDY\r\n")
        self.ask("ATE0")
        assert self.ask("AT+CNACT=0,1", b"ACTIVE\r\n") == b"\r\nOK\r\n\r\n+APP PDP: 0,ACTIVE\r\n"

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.errors = self.process.communicate(timeout=60)[1]
        os.close(self.fd)
        return self.process.returncode


@pytest.fixture
def modem(tmp_path):
    running = []

    def make(*options, **kw):
        running.append(Modem(tmp_path, *options, **kw))
        return running[-1]

    yield make
    for each in running:
        if each.process.poll() is None:
            each.stop()


def fetch(modem: Modem, count: int) -> bytes:
    """All that comes on link 0; a notice may stand in front of an answer."""
    got = b""
    while len(got) < count:
        os.write(modem.fd, b"AT+CIPRXGET=2,0,1460\r")
        while not (line := modem.read(b"\n")).startswith(b"+CIPRXGET: 2"):
            assert line
        length = int(line.split(b",")[2])
        got += modem.take(length)
        assert modem.take(6) == b"\r\nOK\r\n"
    return got


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_terminal_and_cleans_up(modem, how):
    running = modem()
    assert running.link.resolve() == pathlib.Path(running.path)
    assert running.read(b"RDY\r\n") == b"\r\nRDY\r\n"
    assert running.ask("AT") == b"AT\r\r\nOK\r\n"
    assert running.stop(how) == 0
    assert not running.link.is_symlink()


def test_a_download_arrives_whole_at_the_rate_of_the_line(modem):
    server = Server(lambda connection: (connection.recv(100), connection.sendall(BLOB)))
    running = modem("--map", "example.com:80=127.0.0.1:%d" % server.port, "--baud", "115200")
    running.start()
    assert running.ask('AT+CIPSTART=0,"TCP","example.com",80', b"CONNECT OK\r\n").endswith(b"\r\n0, CONNECT OK\r\n")
    running.ask("AT+CIPSEND=0,3", b"> ")
    os.write(running.fd, b"GET")
    assert running.read(b"SEND OK\r\n").endswith(b"0, SEND OK\r\n")
    assert running.read(b"1,0\r\n") == b"\r\n+CIPRXGET: 1,0\r\n"
    begin = time.monotonic()
    assert fetch(running, len(BLOB)) == BLOB
    rate = len(BLOB) / (time.monotonic() - begin)
    assert 11520 * 0.4 < rate < 11520
    assert b"CLOSED" in running.ask("AT+CIPSTATUS=0")


def test_refused_and_unmapped_destinations_fail(modem):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    running = modem("--map", "example.com:80=127.0.0.1:%d" % closed.getsockname()[1])
    running.start()
    for host, port in (("example.com", 80), ("example.com", 81), ("elsewhere.org", 80), ("192.0.2.1", 80)):
        answer = running.ask('AT+CIPSTART=0,"TCP","%s",%d' % (host, port), b"CONNECT FAIL\r\n")
        assert answer == b"\r\nOK\r\n\r\n0, CONNECT FAIL\r\n"
    assert running.ask('AT+CDNSGIP="elsewhere.org"', b"0,8\r\n") == b"\r\nOK\r\n\r\n+CDNSGIP: 0,8\r\n"
    assert b'1,"localhost","127.0.0.1"' in running.ask('AT+CDNSGIP="localhost"', b'"127.0.0.1"\r\n')
    running.stop()
    assert "no such name: elsewhere.org" in running.errors
    assert "no way to 192.0.2.1:80" in running.errors
    assert "ECONNREFUSED" in running.errors


def test_a_peer_that_does_not_read_fills_the_send_buffer(modem):
    go_on = threading.Event()
    got = bytearray()

    def talk(connection):
        go_on.wait(30)
        while data := connection.recv(4096):
            got.extend(data)

    server = Server(talk, receive_buffer=2048)
    running = modem("--baud", "921600")
    running.start()
    running.ask("AT+CIPQSEND=1")
    running.ask('AT+CIPSTART=0,"TCP","127.0.0.1",%d' % server.port, b"CONNECT OK\r\n")
    accepted = 0
    while size := int(running.ask("AT+CIPSEND?").split(b",")[1].split(b"\r")[0]):
        assert running.ask("AT+CIPSEND=0,%d" % size, b"> ") == b"\r\n> "
        os.write(running.fd, b"x" * size)
        assert running.read(b"%d\r\n" % size) == b"\r\nDATA ACCEPT:0,%d\r\n" % size
        accepted += size
        assert accepted < 1_000_000
        time.sleep(0.01)  # the peer's side takes what it can
    assert accepted >= 11_680
    assert running.ask("AT+CIPSEND=0,1", b"ERROR\r\n") == b"\r\nERROR\r\n"
    fields = running.ask("AT+CIPACK=0").split(b": ")[1].split(b"\r")[0].split(b",")
    assert int(fields[2]) > 0
    go_on.set()
    deadline = time.monotonic() + 10
    while not running.ask("AT+CIPACK=0").startswith(b"\r\n+CIPACK: %d,%d,0" % (accepted, accepted)):
        assert time.monotonic() < deadline
    running.ask("AT+CIPCLOSE=0", b"CLOSE OK\r\n")
    while len(got) < accepted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bytes(got) == b"x" * accepted


def test_a_reset_is_a_close(modem):
    def talk(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    server = Server(talk)
    running = modem()
    running.start()
    running.ask('AT+CIPSTART=0,"TCP","127.0.0.1",%d' % server.port, b"CONNECT OK\r\n")
    running.ask("AT+CIPSEND=0,1", b"> ")
    os.write(running.fd, b"x")
    assert b"\r\n0, CLOSED\r\n" in running.read(b"CLOSED\r\n")


def test_datagrams_go_out_and_come_back(modem):
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(10)
    running = modem("--map", "ntp.example:123=127.0.0.1:%d" % peer.getsockname()[1])
    running.start()
    running.ask('AT+CIPSTART=0,"UDP","ntp.example",123', b"CONNECT OK\r\n")
    running.ask("AT+CIPSEND=0,4", b"> ")
    os.write(running.fd, b"ping")
    data, address = peer.recvfrom(100)
    assert data == b"ping"
    running.read(b"SEND OK\r\n")
    peer.sendto(b"pong", address)
    assert running.read(b"1,0\r\n") == b"\r\n+CIPRXGET: 1,0\r\n"
    assert fetch(running, 4) == b"pong"


def test_a_server_of_the_module_is_reached_over_loopback(modem):
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    running = modem("--listen", "80=%d" % port)
    running.start()
    assert running.ask("AT+CIPSERVER=1,80", b"SERVER OK\r\n") == b"\r\nOK\r\n\r\nSERVER OK\r\n"
    client = socket.create_connection(("127.0.0.1", port), 10)
    assert running.read(b".1\r\n") == b"\r\n0, REMOTE IP: 127.0.0.1\r\n"
    client.sendall(b"hello")
    assert running.read(b"1,0\r\n") == b"\r\n+CIPRXGET: 1,0\r\n"
    assert fetch(running, 5) == b"hello"
    running.ask("AT+CIPCLOSE=0", b"CLOSE OK\r\n")
    assert client.recv(10) == b""


CIPOPEN = pytest.mark.parametrize("family", OPEN)


@CIPOPEN
def test_cipopen_download_arrives_whole(modem, family):
    server = Server(lambda connection: (connection.recv(100), connection.sendall(BLOB)))
    running = modem("--map", "example.com:80=127.0.0.1:%d" % server.port, "--baud", "921600", family=family)
    running.open_network()
    answer = running.ask('AT+CIPOPEN=0,"TCP","example.com",80', b"+CIPOPEN: 0,0\r\n")
    assert answer == b"\r\nOK\r\n\r\n+CIPOPEN: 0,0\r\n"
    assert running.ask("AT+CIPSEND=0,3", b">") == b"\r\n>"
    os.write(running.fd, b"GET")
    assert b"+CIPSEND: 0,3,3\r\n" in running.read(b"+CIPSEND: 0,3,3\r\n")
    assert fetch(running, len(BLOB)) == BLOB
    assert running.ask("AT+CIPCLOSE?").startswith(b"\r\n+CIPCLOSE: 0,")


def test_cipopen_destinations_that_fail(modem):
    running = modem(family="a76xx")
    running.open_network()
    for host, code in (("elsewhere.org", 11), ("192.0.2.1", 1)):
        answer = running.ask('AT+CIPOPEN=0,"TCP","%s",80' % host, b",%d\r\n" % code)
        assert answer == b"\r\nOK\r\n\r\n+CIPOPEN: 0,%d\r\n" % code


def datagram_peers():
    """Two UDP sockets on loopback, and the map that has them at port 53 of 192.0.2.0 and 192.0.2.1."""
    peers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for peer in peers:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(10)
    table = ",".join("192.0.2.%d:53=127.0.0.1:%d" % (i, peer.getsockname()[1]) for i, peer in enumerate(peers))
    return peers, table


def test_cipopen_datagrams_of_several_peers(modem):
    peers, table = datagram_peers()
    running = modem("--map", table, "--listen", "5000=0", family="sim7028")
    running.open_network()
    running.ask("AT+CIPRXGET=0")
    assert running.ask('AT+CIPOPEN=0,"UDP",,,5000') == b"\r\n+CIPOPEN: 0,0\r\n\r\nOK\r\n"
    for i, peer in enumerate(peers):
        running.ask('AT+CIPSEND=0,4,"192.0.2.%d",53' % i, b">")
        os.write(running.fd, b"ping")
        data, address = peer.recvfrom(100)
        assert data == b"ping"
        assert running.read(b"0,4,4\r\n") == b"\r\nOK\r\n\r\n+CIPSEND: 0,4,4\r\n"
        peer.sendto(b"pong", address)
        assert running.read(b"pong") == b"\r\nRECV FROM:192.0.2.%d:53\r\n+IPD4\r\npong" % i


def test_cipopen_server_is_reached_over_loopback(modem):
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    running = modem("--listen", "80=%d" % port, family="a76xx")
    running.open_network()
    assert running.ask("AT+SERVERSTART=80,2") == b"\r\nOK\r\n"
    client = socket.create_connection(("127.0.0.1", port), 10)
    mine = client.getsockname()[1]
    assert running.read(b"%d\r\n" % mine) == b"\r\n+CLIENT: 0,2,127.0.0.1:%d\r\n" % mine
    client.sendall(b"hello")
    assert running.read(b"1,0\r\n") == b"\r\n+CIPRXGET: 1,0\r\n"
    assert fetch(running, 5) == b"hello"
    running.ask("AT+CIPCLOSE=0", b"+CIPCLOSE: 0,0\r\n")
    assert client.recv(10) == b""


def read_on(modem: Modem, link: int, count: int) -> bytes:
    """All that comes on a link of the CAOPEN dialect."""
    got = b""
    while len(got) < count:
        os.write(modem.fd, b"AT+CARECV=%d,1460\r" % link)
        assert modem.read(b"+CARECV: ").endswith(b"\r\n+CARECV: ")  # a notice may stand in front
        length = b""
        while (digit := modem.take(1)).isdigit():
            length += digit
        if digit == b",":
            got += modem.take(int(length))
        assert modem.read(b"OK\r\n").endswith(b"\n\r\nOK\r\n")
    return got


def test_caopen_download_arrives_whole(modem):
    server = Server(lambda connection: (connection.recv(100), connection.sendall(BLOB)))
    table = "example.com:80=127.0.0.1:%d" % server.port
    running = modem("--map", table, "--baud", "921600", family="sim7080")
    running.activate()
    assert running.ask('AT+CAOPEN=0,0,"TCP","example.com",80') == b"\r\n+CAOPEN: 0,0\r\n\r\nOK\r\n"
    assert running.ask("AT+CASEND=0,3", b"> ") == b"\r\n> "
    os.write(running.fd, b"GET")
    assert running.read(b"OK\r\n") == b"\r\nOK\r\n"
    assert read_on(running, 0, len(BLOB)) == BLOB
    assert running.ask("AT+CASTATE?").endswith(b"\r\n+CASTATE: 0,0\r\n\r\nOK\r\n")


def test_caopen_destinations_that_fail(modem):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    running = modem("--baud", "115200", family="sim7080")
    running.activate()
    for host, port, code in (("elsewhere.org", 80, 20), ("127.0.0.1", closed.getsockname()[1], 23)):
        answer = running.ask('AT+CAOPEN=0,0,"TCP","%s",%d' % (host, port))
        assert answer == b"\r\n+CAOPEN: 0,%d\r\n\r\nOK\r\n" % code


def test_caopen_datagrams_of_several_peers(modem):
    peers, table = datagram_peers()
    running = modem("--map", table, "--listen", "5000=0", "--baud", "115200", family="sim7080")
    running.activate()
    assert running.ask('AT+CASERVER=0,0,"UDP",5000,1') == b"\r\n+CASERVER: 0,0\r\n\r\nOK\r\n"
    for i, peer in enumerate(peers):
        assert running.ask('AT+CACFG="REMOTEADDR",0,192.0.2.%d,53' % i) == b"\r\nOK\r\n"
        running.ask("AT+CASEND=0,4", b"> ")
        os.write(running.fd, b"ping")
        data, address = peer.recvfrom(100)
        assert data == b"ping"
        assert running.read(b"OK\r\n") == b"\r\nOK\r\n"
        peer.sendto(b"pong", address)
        got = running.read(b"pong\r\n")
        assert got == b'\r\n+CANEW: 0,0,192.0.2.%d,53\r\n\r\n+CAURC: "recv",0,4\r\npong\r\n' % i


def test_caopen_server_is_reached_over_loopback(modem):
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    running = modem("--listen", "80=%d" % port, "--baud", "115200", family="sim7080")
    running.activate()
    assert running.ask('AT+CASERVER=3,0,"TCP",80') == b"\r\n+CASERVER: 3,0\r\n\r\nOK\r\n"
    client = socket.create_connection(("127.0.0.1", port), 10)
    mine = client.getsockname()[1]
    assert running.read(b"%d\r\n" % mine) == b"\r\n+CANEW: 3,0,127.0.0.1,%d\r\n" % mine
    client.sendall(b"hello")
    assert running.read(b"0\r\n") == b"\r\n+CADATAIND: 0\r\n"
    assert read_on(running, 0, 5) == b"hello"
    assert running.ask("AT+CACLOSE=0") == b"\r\nOK\r\n"
    assert client.recv(10) == b""


def test_caopen_rate_is_measured_on_the_terminal(modem):
    running = modem(family="sim7080")
    time.sleep(0.5)
    os.write(running.fd, b"AT\r")
    assert running.read(b"\r") == b"T\r"
    assert running.ask("AT") == b"AT\r\r\nOK\r\n"


def test_lost_network_by_the_control_channel(modem, tmp_path):
    control = tmp_path / "control"
    running = modem("--control", str(control), family="a76xx")
    running.open_network()
    with open(control, "w", buffering=1) as channel:
        print("network_lost", file=channel)
        assert b"NETWORK CLOSED UNEXPECTEDLY" in running.read(b"EDLY\r\n")


def test_the_module_keeps_its_state_while_no_host_is_there(modem):
    running = modem()
    running.start()
    os.close(running.fd)
    time.sleep(0.2)
    running.open()
    assert running.ask("AT+CIPMUX?") == b"\r\n+CIPMUX: 1\r\n\r\nOK\r\n"


def test_the_control_channel_presses_keys_and_makes_trouble(modem, tmp_path):
    control, log = tmp_path / "control", tmp_path / "log"
    running = modem("--off", "--control", str(control), "--log", str(log), "--set", "on_press_ms=50")
    with open(control, "w", buffering=1) as channel:
        os.write(running.fd, b"AT\r")
        assert running.read(b"\n", 0.3) == b""
        print("pwrkey 1", file=channel)
        assert running.read(b"RDY\r\n") == b"\r\nRDY\r\n"
        print("pwrkey 0", file=channel)
        print('urc +CMTI: "SM",10', file=channel)
        assert running.read(b"10\r\n") == b'\r\n+CMTI: "SM",10\r\n'
        print("set csq=7", file=channel)
        print("nonsense", file=channel)
        time.sleep(0.1)
        assert b"+CSQ: 7,99" in running.ask("AT+CSQ")
        print("silent on", file=channel)
        time.sleep(0.1)
        os.write(running.fd, b"AT\r")
        assert running.read(b"\n", 0.3) == b""
        print("silent off", file=channel)
        print("restart", file=channel)
        assert running.read(b"RDY\r\n").endswith(b"\r\nRDY\r\n")
        print("quit", file=channel)
        assert running.process.wait(10) == 0
    assert not control.exists()
    assert r"< \r\nRDY\r\n" in log.read_text()


def run_sim(*options) -> tuple:
    """Start it with options that it refuses; its exit status and what it says."""
    command = [sys.executable, "-m", "sim", *options]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=20)
    return done.returncode, done.stderr


REFUSED = {
    ("--map", "a:80=192.0.2.1:80"): "not a loopback address: 192.0.2.1",
    ("--map", "example.com"): "map is host:port=127.0.0.1:port,...: example.com",
    ("--listen", "80"): "listen is port=real port,...: 80",
    ("--seed", "x"): "seed is a number, or none: x",
    ("--set", "csq"): "not key=value: csq",
    ("--set", "csq=good"): "setting csq is a number: 'good'",
}


@pytest.mark.parametrize("options", REFUSED, ids=" ".join)
def test_what_is_wrong_is_said_in_one_line(options):
    assert run_sim(*options) == (1, "sim: %s\n" % REFUSED[options])


KNOWN = {
    ("--family", "link"): ("no such family: link; there are: ", "a76xx, sim7000, "),
    ("--family", "SIM5360"): ("no such family: SIM5360; there are: ", "a76xx, sim7000, "),
    ("--set", "nonsense=1"): ("no such setting: nonsense; there are: ", ", csq, "),
    ("--choice", "nonsense=1"): ("no such choice: nonsense; there are: ", ", closed, "),
}


@pytest.mark.parametrize("options", KNOWN, ids=" ".join)
def test_what_there_is_is_said_in_one_line(options):
    status, said = run_sim(*options)
    begin, known = KNOWN[options]
    assert status == 1 and said.startswith("sim: " + begin) and known in said and said.count("\n") == 1


SPELLINGS = {"SIM800": "SIM800", "sim-7000": "SIM7000G", "SIM7000E": "SIM7000E", "A7672E": "A7672E"}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_family_in_any_spelling_and_a_model(modem, name):
    running = modem(*("--set", "default_autobaud=False"), family=name)
    assert running.read(b"RDY\r\n").endswith(b"RDY\r\n")
    assert SPELLINGS[name].encode() in running.ask("AT+CGMM")


def test_what_happens_is_told_line_by_line(modem):
    server = Server(lambda connection: (connection.recv(100), connection.sendall(b"abcd")))
    running = modem("--map", "example.com:80=127.0.0.1:%d" % server.port)
    running.start()
    running.ask('AT+CIPSTART=0,"TCP","example.com",80', b"CONNECT OK\r\n")
    running.ask("AT+CIPSEND=0,3", b"> ")
    os.write(running.fd, b"GET")
    running.read(b"0, CLOSED\r\n")
    for command in ("AT+QIOPEN=1", "AT+QIOPEN?", "AT+CIPMUX=0", "AT^USSDMODE=0"):
        running.ask(command, b"ERROR\r\n")
    running.stop()
    said = [line.removeprefix("sim: ") for line in running.errors.splitlines()]
    assert said[:3] == ["SIM7000G at %s" % running.link, "runs", "says RDY"]
    told = ['AT+CSTT="x": OK', "link 0: connected to 198.51.100.1:80, TCP", "link 0: 3 bytes out"]
    told += ["link 0: 4 bytes in", "link 0: closed by the peer", "says 0, CLOSED"]
    told += ["AT+CIPMUX=0: refused, operation not allowed", "AT+QIOPEN?: refused, there is no +QIOPEN"]
    assert [line for line in told if line not in said] == []
    assert said[-1] == "commands that this module does not have: +QIOPEN (2), ^USSDMODE (1)"


def test_the_control_channel_answers(modem, tmp_path):
    running = modem("--control", str(tmp_path / "control"))
    running.read(b"RDY\r\n")
    answers = {
        "set csq=7": "csq=7",
        "get csq": "csq=7",
        "silent on": "ok",
        "silent off": "ok",
        "silent perhaps": "refused: on or off?",
        "set csq=bad": "refused: setting csq is a number: 'bad'",
        "sms +15550100 hello": "ok",
    }
    with open(tmp_path / "control", "w", buffering=1) as channel, open(tmp_path / "control.out") as answer:
        for line, expected in answers.items():
            print(line, file=channel)
            assert answer.readline() == expected + "\n", line
        refused = {"nonsense": "refused: there are: call, ", "set nonsense=1": "refused: no such setting: nonsense; "}
        refused["inject nowhere X"] = "refused: no such position: nowhere"
        for line, begin in refused.items():
            print(line, file=channel)
            assert answer.readline().startswith(begin), line
    assert running.read(b",1\r\n") == b'\r\n+CMTI: "SM",1\r\n'
    running.stop()
    assert "sim: control: set csq=7: csq=7\n" in running.errors
    assert not (tmp_path / "control.out").exists()


@pytest.mark.parametrize("family", ["sim7000", "a76xx"])
def test_a_local_port_that_is_taken_is_no_connection(modem, family):
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    running = modem("--map", "ntp.example:123=127.0.0.1:%d" % port, family=family)
    if family == "sim7000":
        running.start()
        running.ask('AT+CLPORT=0,"UDP",%d' % port)
        assert running.ask('AT+CIPSTART=0,"UDP","ntp.example",123', b"FAIL\r\n").endswith(b"0, CONNECT FAIL\r\n")
    else:
        running.open_network()
        answer = running.ask('AT+CIPOPEN=0,"UDP",,,%d' % port, b"ERROR\r\n")
        assert answer == b"\r\n+CIPOPEN: 0,6\r\n\r\nERROR\r\n"
    running.stop()
    assert "cannot bind UDP port %d" % port in running.errors and "Traceback" not in running.errors
