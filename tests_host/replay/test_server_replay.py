"""The driver as a server against scripted modules that answer as the transcripts do, byte for byte."""

import copy
import re

import pytest
import shim
import test_replay
import test_replay_open
from feed import info, those
from feed_open import idle
from feed_open import modem as open_modem

import simcom

LINKS = {"sim800": 6, "sim7000": 8}


def listening(made, port, backlog=0):
    s = made.socket()
    s.settimeout(60)
    s.bind(("", port))
    s.listen(backlog)
    return s


def with_other_numbers(transcript, numbers):
    """The transcript of a host that numbers its own links otherwise."""
    changed = copy.copy(transcript)
    links = rb"(AT\+CIP(?:START|SEND|CLOSE)=|\r\n\+RECEIVE,|\r\n)(\d)(\r$|,)"

    def change(match):
        n = int(match.group(2))
        return b"%s%d%s" % (match.group(1), numbers.get(n, n), match.group(3))

    changed.steps = [(kind, re.sub(links, change, v) if kind in "<>" else v) for kind, v in transcript.steps]
    return changed


class Listed(test_replay.Replay):
    """Answers AT+CIPSTATUS=n from the list of all links in the transcript."""

    def __init__(self, transcript, rows, **given):
        super().__init__(transcript, dropped=["AT+CIPSTATUS"], **given)
        self.rows = rows
        self.listens = True

    def status(self, line):
        row = re.search(rb"C: (%s,.*)\r" % line[13:], self.rows)
        return info(b"+CIPSTATUS: " + row.group(1))

    def usual(self, line):
        return info(b"+CIPSERVER: 1,8888,0,0") if line == b"AT+CIPSERVER?" else super().usual(line)


@those("09", "sim800", "sim7000")
def test_server_and_two_links_of_our_own(transcript, chunk):
    rows = next(value for kind, value in transcript.steps if kind == "<" and b"LISTENING" in value)
    assert b'S: 0,0,"8888","LISTENING"' in rows
    last = LINKS[transcript.family] - 1  # links of our own are numbered from the highest
    module = Listed(with_other_numbers(transcript, {1: last, 2: last - 1}), rows, chunk=chunk)
    shim.reset()
    made = getattr(simcom, transcript.family.upper())(module.uart)
    made.active(True)
    made.connect("CMNET")
    s = listening(made, 8888)
    client, address = s.accept()
    client.settimeout(60)
    assert address == ("10.76.40.73", 2020)
    text = b"%s multi connection TCP server test" % transcript.family.upper().encode()
    module.open.add(0)
    assert client.read(len(text)) == text
    client.write(b"hello client")
    one = test_replay.connected(made, "116.228.221.51", 8500)
    two = test_replay.connected(made, "116.228.221.51", 9600, kind=2)
    one.write(b"data from connection 1")
    assert one.read(20) == b"data to connection 1"
    two.close()
    s.close()
    made.disconnect()
    module.finish()
    assert not made.isconnected()


@those("12", "sim7028", "a76xx")
def test_servers_and_a_client(transcript, chunk):
    module = test_replay_open.Replay(transcript.family, chunk).load(transcript)
    ports = [int(value[15:19]) for kind, value in transcript.steps if value.startswith(b"AT+SERVERSTART=")]
    module.say_to[b"AT+SERVERSTART?"] = info(*[b"+SERVERSTART: %d,%d" % pair for pair in enumerate(ports)])
    made = open_modem(module, transcript.family)
    assert len(ports) == made.SERVERS
    sockets = [listening(made, port) for port in ports]
    module.open.add(0)
    client, address = sockets[0].accept()
    assert address == ("192.168.108.5", 57202)
    idle(made, 12_000)  # the driver asks for the links, whose last field names another server
    client.write(b"HELLO")
    for each in sockets[1:]:
        each.settimeout(0)
        with pytest.raises(OSError):
            each.accept()
        each.settimeout(60)
    for each in sockets:
        each.close()
    made.disconnect()
    module.finish()


@those("t14", "sim7028")
def test_server_is_started(transcript, chunk):
    module = test_replay_open.Replay(transcript.family, chunk)
    made = open_modem(module, transcript.family)
    module.load(transcript)
    assert made.at("+SERVERSTART=?") == ["+SERVERSTART: (0-65535),(0-1)"]
    assert made.at("+SERVERSTART?") == []
    s = listening(made, 8080)
    module.finish()
    assert s._link.listens() and not s._link.error


@those("t15", "sim7028")
def test_server_is_stopped_by_a_late_report(transcript, chunk):
    module = test_replay_open.Replay(transcript.family, chunk)
    made = open_modem(module, transcript.family)
    s = listening(made, 8080)
    module.load(transcript)
    s.close()
    module.finish()
    assert made.links.upward == -1  # it is known to be stopped
