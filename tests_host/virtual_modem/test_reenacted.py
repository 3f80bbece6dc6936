"""What widely used drivers send, and how they read it, command by command: from start-up to a remote close.

Their sources are not here; what is written down is which commands they send, in which order, and what they look for in
the answers: Arduino's clients scan for a text and read numbers behind it, so a blank, a line or an order more or less
is what they would trip over.
"""

import re

import pytest
from sim import Echo, Script, Sink
from sim_host import Host

DATA = bytes(range(256)) * 80  # 20 kB with everything that looks like a line


class Scanner:
    """Reads as a driver that looks for texts does: character by character, URCs on the way."""

    def __init__(self, family, **settings):
        self.host = Host(family, echo=True, **settings)
        self.buffer = b""
        self.has_data = set()
        self.closed = set()

    def char(self, ms: float) -> bytes:
        """The next one, or nothing after so long."""
        for _ in range(int(ms)):
            if not self.buffer:
                self.buffer = self.host.read()
            if self.buffer:
                break
            self.host.clock.sleep_ms(1)
        got, self.buffer = self.buffer[:1], self.buffer[1:]
        return got

    def until(self, end: bytes, ms: float = 1000) -> bytes:
        """What stands before a character."""
        got = b""
        while True:
            one = self.char(ms)
            assert one, got
            if one == end:
                return got
            got += one

    def number(self, end: bytes) -> int:
        """A number, read as atoi() does: blanks in front and the rest do not matter."""
        return int((re.match(rb"\s*(-?\d+)", self.until(end)) or [0, 0])[1])

    def wait(self, *texts: bytes, ms: float = 1000) -> int:
        """Which of the texts comes first, from 1 on; 0: none in time."""
        texts = texts or (b"OK\r\n", b"ERROR\r\n")
        got = b""
        while True:
            one = self.char(ms)
            if not one:
                return 0
            got += one
            for i, text in enumerate(texts):
                if got.endswith(text):
                    return i + 1
            got = self.unasked(got)

    def unasked(self, got: bytes) -> bytes:
        """What it takes notice of in between."""
        if got.endswith(b"\r\n+CIPRXGET:"):
            mode = self.number(b",")
            if mode == 1:
                self.has_data.add(self.number(b"\n"))
                return b""
            return got + b"%d" % mode
        if got.endswith(b"+IPCLOSE:"):
            self.closed.add(self.number(b","))
            self.until(b"\n")
            return b""
        if got.endswith(b"CLOSED\r\n"):
            self.closed.add(int(got[:-8].rsplit(b"\n", 1)[-1].split(b",")[0] or b"0"))
            return b""
        return got

    def at(self, command: str, *texts: bytes, ms: float = 1000, wants: int = 1) -> None:
        """A command whose answer must be this one."""
        self.host.send("AT" + command + "\r\n")
        assert self.wait(*texts, ms=ms) == wants, command

    def ask(self, command: str, head: bytes) -> bytes:
        """The rest of the line behind `head`, then OK."""
        self.at(command, head)
        rest = self.until(b"\n").strip()
        assert self.wait() == 1, command
        return rest

    def waiting(self, n: int) -> int:
        """How many bytes the module has of a link; what has come so far is looked at before."""
        while self.buffer or self.host.uart.any():
            self.wait(b"\0", ms=15)
        self.host.send("AT+CIPRXGET=4,%d\r\n" % n)
        if self.wait(b"+CIPRXGET:") != 1:
            return 0
        self.until(b",")
        self.until(b",")
        count = self.number(b"\n")
        assert self.wait() == 1
        return count

    def read(self, n: int, size: int) -> bytes:
        """What the module gives of so many bytes."""
        self.at("+CIPRXGET=2,%d,%d" % (n, size), b"+CIPRXGET:")
        self.until(b",")
        self.until(b",")
        count = self.number(b",")
        self.number(b"\n")
        got = b"".join(self.char(1000) for _ in range(count))
        assert len(got) == count and self.wait() == 1
        return got

    def download(self, n: int, count: int, size: int) -> bytes:
        """So many bytes by reads of at most `size`."""
        got = b""
        for _ in range(4000):
            left = self.waiting(n)
            while left and len(got) < count:
                part = self.read(n, min(size, left))
                got += part
                left -= len(part)
            if len(got) >= count:
                break
            self.host.clock.sleep_ms(20)
        return got

    def begin(self) -> None:
        """Start-up: until it answers, echo off, identity, SIM, network."""
        for _ in range(20):
            self.host.send("AT\r\n")
            if self.wait(ms=200) == 1:
                break
        self.at("E0")
        self.at("+CMEE=0")
        self.at("+CPIN?", b"\r\n+CPIN:")
        assert self.wait(b"READY", b"SIM PIN", b"SIM PUK") == 1 and self.wait() == 1
        assert int(self.ask("+CSQ", b"\r\n+CSQ:").split(b",")[0]) == 20
        assert self.ask("+CREG?", b"\r\n+CREG:").split(b",")[1] == b"1"
        assert b'"' in self.ask("+COPS?", b"\r\n+COPS:")


def cipstart(family, **settings) -> Scanner:
    """A driver of SIM800 and SIM7000, connected twice."""
    d = Scanner(family, **settings)
    net = d.host.net
    net.serve("data.example", 80, lambda: Script(("expect", b"GET"), ("send", DATA)))
    net.serve("echo.example", 7, Echo)
    d.begin()
    d.at("+CLTS=1")
    d.at("+CBATCHK=1")
    d.at("+CIPSHUT", ms=60_000)  # "SHUT OK" ends in what it looks for
    d.at("+CGATT=0", ms=60_000)
    for pair in ('"Contype","GPRS"', '"APN","internet"', '"USER","u"', '"PWD","p"'):
        d.at("+SAPBR=3,1," + pair)
    d.at('+CGDCONT=1,"IP","internet"')
    d.at("+CGATT=1", ms=60_000)
    d.at("+CGACT=1,1", ms=60_000)
    d.at("+SAPBR=1,1", ms=85_000)
    d.at("+SAPBR=2,1", ms=30_000)
    for command in ("+CIPMUX=1", "+CIPQSEND=1", "+CIPRXGET=1"):
        d.at(command)
    d.at('+CSTT="internet","u","p"', ms=60_000)
    d.at("+CIICR", ms=60_000)
    d.at("+CIFSR;E0", ms=10_000)
    d.at('+CDNSCFG="8.8.8.8","8.8.4.4"')
    d.at("+CGATT?", b"\r\n+CGATT:")
    assert d.number(b"\n") == 1 and d.wait() == 1
    for n, host, port in ((0, "data.example", 80), (1, "echo.example", 7)):
        d.at("+CIPCLOSE=%d,1" % n, b"CLOSE OK\r\n", b"ERROR\r\n", wants=2)  # it closes first, whatever there was
        texts = (b"CONNECT OK\r\n", b"CONNECT FAIL\r\n", b"ALREADY CONNECT\r\n", b"ERROR\r\n", b"CLOSE OK\r\n")
        d.at('+CIPSTART=%d,"TCP","%s",%d' % (n, host, port), *texts, ms=75_000)
    return d


def quick_send(d: Scanner, n: int, data: bytes) -> None:
    """AT+CIPSEND, whose result ends in how many bytes were taken."""
    d.at("+CIPSEND=%d,%d" % (n, len(data)), b">")
    d.host.send(data)
    assert d.wait(b"\r\nDATA ACCEPT:") == 1
    d.until(b",")
    assert d.number(b"\n") == len(data)


@pytest.mark.parametrize("family", ("sim800", "sim7000", "sim808", "sim868"))
@pytest.mark.parametrize("size", (64, 650))
def test_client_of_sim800_and_sim7000(family, size):
    d = cipstart(family)
    quick_send(d, 0, b"GET")
    quick_send(d, 1, b"one and the other")
    assert d.download(0, len(DATA), size) == DATA
    assert d.download(1, 17, size) == b"one and the other"
    for n in (0, 1):
        assert d.ask("+CIPSTATUS=%d" % n, b"+CIPSTATUS:").endswith(b',"CONNECTED"')
    d.host.net.connections[-1].write(b"last words")
    d.host.net.connections[-1].close()
    d.host.clock.sleep_ms(500)
    d.host.send("AT\r\n")
    assert d.wait() == 1 and d.closed == {1}
    assert d.download(1, 10, size) == b"last words"
    assert d.ask("+CIPSTATUS=1", b"+CIPSTATUS:").rsplit(b",", 1)[-1] in (b'"CLOSED"', b'"REMOTE CLOSING"')
    d.at("+CIPCLOSE=0,1", b"CLOSE OK\r\n")
    d.at("+CIPSHUT", ms=60_000)
    d.at("+CPOWD=1", b"\r\nNORMAL POWER ", ms=10_000)


def cipopen(family, **settings) -> Scanner:
    """A driver of SIM7600 and its siblings, connected twice."""
    d = Scanner(family, **settings)
    net = d.host.net
    net.serve("data.example", 80, lambda: Script(("expect", b"GET"), ("send", DATA)))
    net.serve("echo.example", 7, Echo)
    d.begin()
    d.at("+CTZR=0", ms=10_000)
    d.at("+CTZU=1", ms=10_000)
    d.at("+NETCLOSE", b"\r\n+NETCLOSE: 0", b"ERROR\r\n", ms=60_000, wants=2)
    d.at('+CGAUTH=1,0,"u","p"')
    d.at('+CGDCONT=1,"IP","internet","0.0.0.0",0,0')
    for command in ("+CIPMODE=0", "+CIPSENDMODE=0", "+CIPCCFG=10,0,0,0,1,0,75000", "+CIPTIMEOUT=75000,15000,15000"):
        d.at(command)
    d.at("+NETOPEN", b"\r\n+NETOPEN: 0", ms=75_000)
    d.at("+NETOPEN?", b"\r\n+NETOPEN: 1")
    assert d.wait() == 1
    d.at("+IPADDR")
    for n, host, port in ((0, "data.example", 80), (1, "echo.example", 7)):
        d.at("+CIPCLOSE=%d" % n, wants=2)
        d.at("+CIPRXGET=1")
        d.at('+CIPOPEN=%d,"TCP","%s",%d' % (n, host, port), b"\r\n+CIPOPEN:", ms=15_000)
        assert (d.number(b","), d.number(b"\n")) == (n, 0)
    return d


def late_send(d: Scanner, n: int, data: bytes) -> None:
    """AT+CIPSEND, whose result comes behind OK."""
    d.at("+CIPSEND=%d,%d" % (n, len(data)), b">")
    d.host.send(data)
    assert d.wait(b"\r\n+CIPSEND:") == 1
    d.until(b",")
    d.until(b",")
    assert d.number(b"\n") == len(data)


def states(d: Scanner) -> list:
    """One digit for each link."""
    return [int(each) for each in d.ask("+CIPCLOSE?", b"+CIPCLOSE:").split(b",")]


@pytest.mark.parametrize("family", ("sim7600", "a76xx"))
@pytest.mark.parametrize("size", (64, 650))
def test_client_of_sim7600_and_a76xx(family, size):
    d = cipopen(family)
    late_send(d, 0, b"GET")
    late_send(d, 1, b"one and the other")
    assert d.download(0, len(DATA), size) == DATA
    assert d.download(1, 17, size) == b"one and the other"
    assert states(d) == [1, 1] + [0] * 8
    d.host.net.connections[-1].write(b"last words")
    d.host.net.connections[-1].close()
    d.host.clock.sleep_ms(500)
    d.host.send("AT\r\n")
    assert d.wait() == 1 and d.closed == {1}
    assert d.download(1, 10, size) == b"last words"
    assert states(d) == [1, 0] + [0] * 8
    d.at("+CIPCLOSE=0")
    d.at("+NETCLOSE", b"\r\n+NETCLOSE: 0", ms=60_000)
    d.at("+CPOF")


def test_client_of_a7672():
    """One that attaches by itself, probes the peer, and tells a link's state by AT+CIPACK."""
    d = Scanner("a76xx", netopen_ms=5)  # the context of the attach is there; it asks for a connection at once
    d.host.net.serve("sink.example", 80, Sink)
    d.begin()
    d.at("+CGMM")
    assert d.ask("+CSPN?", b"+CSPN:").startswith(b'"')
    d.at("+NETCLOSE", ms=60_000, wants=2)
    d.at('+CGDCONT=1,"IP","internet"')
    d.at("+CGACT=1,1", ms=60_000)
    d.at("+CGATT=1", ms=60_000)
    d.at("+CIPRXGET=1")
    assert d.ask("+CGPADDR=1", b"+CGPADDR:").startswith(b"1,")
    d.at('+CDNSCFG="8.8.8.8","8.8.4.4"')
    d.at("+CTCPKA=1,2,5,1", ms=2000)
    d.at("+NETOPEN", ms=2000)
    d.at("+NETOPEN?", ms=2000)
    texts = (b"+CIPOPEN: 0,0\r\n", b"+CIPOPEN: 0,1\r\n", b"+CIPOPEN: 0,4\r\n", b"ERROR\r\n", b"CLOSE OK\r\n")
    d.at('+CIPOPEN=0,"TCP","sink.example",80', *texts, ms=75_000)
    late_send(d, 0, b"hello")
    assert d.ask("+CIPACK=0", b"+CIPACK:") == b"5,0,0"
    assert d.waiting(0) == 0
    assert d.ask("+CPMUTEMP", b"+CPMUTEMP:").isdigit()
    d.at("+CIPCLOSE=0")
    d.at("+CSCLK=2")
    d.at("+CPOF", ms=10_000)


def test_client_that_ends_a_payload_with_ctrl_z():
    """One byte more than AT+CIPSEND was told of, in front of the next command."""
    d = cipopen("sim7600")
    for _ in range(3):
        d.at("+CIPSEND=1,5", b">")
        d.host.send(b"hello\x1a")
        assert d.wait(b"+CIPSEND:") == 1
        d.until(b"\n")
        assert d.download(1, 5, 100) == b"hello"


@pytest.mark.parametrize("family", ("sim800", "sim7000", "sim808", "sim868"))
def test_place_and_time_of_sim800_and_sim7000(family):
    d = cipstart(family)
    d.at('+CNTP="pool.ntp.org",8')
    d.at("+CNTP")
    assert d.wait(b"\r\n+CNTP:", ms=10_000) == 1 and d.number(b"\n") == 1
    place = d.ask("+CIPGSMLOC=1,1", b"\r\n+CIPGSMLOC:").split(b",")
    assert place[0] == b"0" and float(place[1]) == 8.68 and len(place) == 5
    d.at("+SAPBR=0,1", ms=65_000)
    assert d.ask("+CIPGSMLOC=1,1", b"\r\n+CIPGSMLOC:") == b"601"
    if family != "sim800":
        for command, told in (("+CGNSPWR=1", b"1,0,"), ("+CGNSPWR=0", b"0,,")):
            d.at(command)
            row = d.ask("+CGNSINF", b"\r\n+CGNSINF:")
            assert row.startswith(told) and row.count(b",") == 20


@pytest.mark.parametrize("family", ("sim7600", "a76xx"))
def test_place_and_time_of_sim7600_and_a76xx(family):
    d = cipopen(family)
    d.at('+CNTP="pool.ntp.org",8')
    d.at("+CNTP")
    assert d.wait(b"\r\n+CNTP:", ms=10_000) == 1 and d.number(b"\n") == 0
    assert d.ask("+CLBS=1", b"\r\n+CLBS:").split(b",")[:2] == [b"0", b"8.680000"]
    d.at("+CGPS=1")
    assert d.ask("+CGNSSINFO", b"\r\n+CGNSSINFO:") == b"," * 15
    d.at("+CGPS=0")
    assert d.ask("+CPMUTEMP", b"\r\n+CPMUTEMP:").isdigit()
