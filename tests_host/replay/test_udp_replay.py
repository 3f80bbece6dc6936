"""UDP sockets against scripted modules that answer as the transcripts do, byte for byte."""

import re

import shim
from feed import Module, those
from feed_open import OpenModule, connected, idle

import simcom

AF_INET, SOCK_DGRAM = 2, 2


class Told:
    """Answers each command of a transcript as it does, whenever it comes; everything else as usual."""

    def load(self, transcript, chunk, dropped=()):
        """Take the exchanges but those whose command begins so; returns itself."""
        self.uart.chunk = chunk
        self.script: list = []  # [command or payload, [answers]]
        for kind, value in transcript.steps:
            if kind == ">":
                self.script.append((value.rstrip(b"\r"), []))
            elif self.script:
                self.script[-1][1].append(value)
        self.script = [entry for entry in self.script if not entry[0].startswith(tuple(dropped))]
        return self

    def finish(self):
        """Whether all was asked."""
        assert [line for line, _ in self.script] == []

    def _reply(self, line):
        for at, (theirs, answers) in enumerate(self.script):
            if line.replace(b'"', b"") == form(theirs, self.script[at + 1 : at + 2]).replace(b'"', b""):
                del self.script[at]
                if not answers[-1].rstrip(b" ").endswith(b">"):
                    self.answer(answers)
                    return b""
                payload, results = self.script.pop(at)

                def done(got, payload=payload, results=results):
                    assert got == payload.rstrip(b"\x1a")
                    self.answer(results)

                self.answer(answers[:-1])
                return answers[-1], len(payload.rstrip(b"\x1a")), done
        return super()._reply(line)

    def answer(self, answers):
        """Send them, one after the other."""
        for i, each in enumerate(answers):
            self.uart.later(self.delay_ms + 5 * i, each)


def form(theirs, following):
    """A command of variable length as one with the length of the payload that follows it."""
    length = b"%d" % len(following[0][0].rstrip(b"\x1a")) if following else b""
    theirs = re.sub(rb"^AT\+CIPSEND$", b"AT+CIPSEND=" + length, theirs)
    return re.sub(rb"^AT\+CIPSEND=(\d),,?\"", rb"AT+CIPSEND=\1," + length + b',"', theirs)


class Start(Told, Module):
    """Of the CIPSTART dialect, a single connection: `box` is what waits to be read, `source` where it came from."""

    box = source = b""

    def usual(self, line):
        if line.startswith(b"AT+CIPRXGET=2,"):
            got = self.box
            self.box = b""
            return b"\r\n+CIPRXGET: 2,%d,0%s\r\n" % (len(got), self.source) + got + b"\r\nOK\r\n"
        return super().usual(line)


class Open(Told, OpenModule):
    """Of the CIPOPEN dialect."""


def made(module, family, receive=None, **given):
    shim.reset()
    modem = getattr(simcom, family.upper())(module.uart, **given)
    modem.active(True)
    if receive:
        modem.config(receive=receive)
    modem.connect("CMNET")
    return modem


def datagram(modem, port=0):
    s = modem.socket(AF_INET, SOCK_DGRAM)
    s.settimeout(60)
    if port:
        s.bind(("", port))
    return s


# CIPSTART: 03, 03b, 05


@those("03", "sim800", "sim7000")
def test_client_on_a_single_connection(transcript, chunk):
    module = Start().load(transcript, chunk)
    sent = next(payload for payload, _ in module.script if payload.endswith(b"\x1a"))
    results = next(answers for payload, answers in module.script if payload is sent)
    answer = results.pop()  # pushed without a header there
    assert answer == b"UDP test"
    results.append(b"\r\n+CIPRXGET: 1\r\n")
    module.box = answer
    modem = made(module, transcript.family, mux=False)
    s = datagram(modem)
    s.sendto(sent.rstrip(b"\x1a"), ("116.228.221.51", 9600))
    assert s.recvfrom(100) == (b"UDP test", ("116.228.221.51", 9600))
    s.close()
    module.finish()
    assert not any(modem.links.slots)


@those("03b", "sim800", "sim7000")
def test_close_in_the_words_of_the_notes(transcript, chunk):
    module = Start().load(transcript, chunk)
    modem = made(module, transcript.family, mux=False)
    module.say_to[b"AT+CIPSTART"] = b"\r\nOK\r\n\r\nCONNECT OK\r\n"
    s = datagram(modem)
    s.connect(("116.228.221.51", 9600))
    start = shim.clock.clock.now_us
    s.close()
    assert shim.clock.clock.now_us - start < 5e6
    module.finish()
    assert modem.at("+CSQ") == ["+CSQ: 20,0"]


@those("05", "sim800", "sim7000")
def test_many_peers_pushed(transcript, chunk):
    module = Start().load(transcript, chunk)
    modem = made(module, transcript.family, receive="push", mux=False)
    s = datagram(modem, 8888)
    # bind() has opened the link already, towards nobody; the host of the transcript names a peer at once
    opened = next(each for each in module.script if each[0].startswith(b"AT+CIPSTART="))
    module.script.remove(opened)
    assert modem.at("+CIPUDPMODE?") == ['+CIPUDPMODE: 1,"116.228.221.51",9600']
    far = [("116.228.221.51", 9600), ("116.228.221.51", 1234), ("10.78.103.220", 5678)]
    assert [s.recvfrom(10) for _ in far] == [(b"test%d" % (i + 1), each) for i, each in enumerate(far)]
    assert s.sendto(b"Hello 9600", far[0]) == 10
    assert s.sendto(b"Hello 4500", ("211.136.131.65", 4500)) == 10
    assert modem.at("+CIPUDPMODE?") == ['+CIPUDPMODE: 1,"211.136.131.65",4500']
    module.finish()


@those("05", "sim800", "sim7000")
def test_many_peers_by_buffer_access(transcript, chunk):
    module = Start().load(transcript, chunk, dropped=[b"AT+CIPHEAD", b"AT+CIPUDPMODE?", b"AT+CIPSEND", b"Hello 9600"])
    modem = made(module, transcript.family, mux=False)
    s = datagram(modem, 8888)
    for host, port, data in (("116.228.221.51", 1234, b"test2"), ("10.78.103.220", 5678, b"test3")):
        module.box = data
        module.source = b',"%s":%d' % (host.encode(), port)
        module.uart.say(b"\r\n+CIPRXGET: 1" + module.source + b"\r\n")
        assert s.recvfrom(10) == (data, (host, port))
        module.source = b',"%s": %d' % (host.encode(), port)  # a blank, as some notes print it
        module.box = data
        module.uart.say(b"\r\n+CIPRXGET: 1" + module.source + b"\r\n")
        assert s.recvfrom(10) == (data, (host, port))


# CIPOPEN: 08, 09


@those("09", "sim7028", "a76xx")
def test_buffer_access(transcript, chunk):
    module = Open(transcript.family).load(transcript, chunk, dropped=[b"AT+CIPRXGET=", b"AT+NETOPEN"])
    modem = made(module, transcript.family)
    connected(modem)  # link 0 is somebody else's
    s = datagram(modem, 5000)
    peer = ("117.131.85.139", 5254)
    assert s.sendto(b"HELLOSERVER", peer) == 11
    module.inbox[1] += b"data from server"  # what the notice behind the next one is about
    assert s.sendto(b"HELLO", peer) == 5
    assert s.recvfrom(100) == (b"data from server", peer)
    s.close()
    module.finish()
    idle(modem, 1000)
    assert modem.links.slots[1] is None


@those("08", "sim7028", "a76xx")
def test_direct_push(transcript, chunk):
    # The header names no link, so there is one only: 0 instead of 1.
    module = Open(transcript.family).load(transcript, chunk, dropped=[b"AT+NETOPEN"])
    module.script = [
        (re.sub(rb"^(AT.*=)1", rb"\g<1>0", line), [re.sub(rb"(\+CIP\w+: )1", rb"\g<1>0", each) for each in answers])
        for line, answers in module.script
    ]
    modem = made(module, transcript.family, receive="push")
    s = datagram(modem, 5000)
    peer = ("117.131.85.139", 5254)
    assert s.sendto(b"HELLOSERVER", peer) == 11
    assert s.sendto(b"HELLO", peer) == 5
    assert s.recvfrom(100) == (b"HELLO CLIENT\r\n", peer)
    s.close()
    module.finish()
