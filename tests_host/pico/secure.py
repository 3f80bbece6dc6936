"""TLS servers in the virtual network: one that serves a page, one that speaks as much MQTT as umqtt.simple asks for."""

import contextlib
import pathlib
import re
import ssl
import tempfile
import time

from pico.stage import Stage  # first: it puts the shim in place
import peer
from authority import Authority
from sim import Peer
from tools import packages

DEEPEST = "sim7080"  # the family whose reads take most of the C stack
PROGRAM = "import secure; secure.run(%r, %r)"
DEPTH = re.compile(r"C stack of Python at its deepest: (\d+)")


class Secure(Peer):
    """A TLS server whose application is another peer."""

    def __init__(self, certificate, application):
        self.application = application
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._greeted = False

    def received(self, connection, data):
        self._connection = connection
        self.notes = connection.notes
        self._in.write(data)
        try:
            if not self._greeted:
                self._tls.do_handshake()
                self._greeted = True
            while plain := self._tls.read(65536):
                self.application.received(self, plain)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._pass()
            connection.close()
        self._pass()

    def write(self, data):
        """From the application."""
        self._tls.write(data)
        self._pass()

    def close(self):
        """From the application."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._pass()
        self._connection.close()

    def _pass(self):
        if data := self._out.read():
            self._connection.write(data)


class Page(Peer):
    """Answers any request with the same bytes."""

    def received(self, connection, data):
        request = connection.notes["request"] = connection.notes.get("request", b"") + data
        if request.endswith(b"\r\n\r\n"):
            connection.write(b"HTTP/1.0 200 OK\r\nContent-Length: 5000\r\n\r\n" + peer.pattern(5000))
            connection.close()


class Broker(Peer):
    """Whatever is published comes back under to/pico."""

    CONNECT, PUBLISH, SUBSCRIBE, PING = 1, 3, 8, 12

    def received(self, connection, data):
        data = connection.notes.pop("rest", b"") + data
        while packet := self.packet(data):
            kind, flags, body, data = packet
            if kind == self.CONNECT:
                connection.write(b"\x20\x02\x00\x00")
            elif kind == self.SUBSCRIBE:
                connection.write(b"\x90\x03" + body[:2] + b"\x00")
            elif kind == self.PING:
                connection.write(b"\xd0\x00")
            elif kind == self.PUBLISH:
                at = 2 + int.from_bytes(body[:2], "big")
                connection.write(b"\x40\x02" + body[at : at + 2])
                answer = b"\x00\x07to/pico" + body[at + 2 :]
                connection.write(b"\x30" + bytes([len(answer) & 127 | 128, len(answer) >> 7]) + answer)
        connection.notes["rest"] = data

    @staticmethod
    def packet(data):
        """(kind, flags, body, what follows) of the first packet, None when it is not whole."""
        length = at = 0
        while True:
            at += 1
            if at >= len(data):
                return None
            length |= (data[at] & 127) << 7 * (at - 1)
            if data[at] < 128:
                break
        if len(data) <= at + length:
            return None
        return data[0] >> 4, data[0] & 15, data[at + 1 : at + 1 + length], data[at + 1 + length :]


def serve(net, authority):
    """Put both where the program on the Pico looks for them."""
    for host, port, application in (("web.example", 443, Page), ("broker.example", 8883, Broker)):
        certificate = authority.certificate(host)
        net.serve(
            host, port, lambda certificate=certificate, application=application: Secure(certificate, application())
        )


@contextlib.contextmanager
def stage(family, files, image):
    """(stage, program): a stage with both, and the firmware that has `ssl` and the library in it."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(pathlib.Path(folder) / "authority")
        files = files | {"ca.der": (authority.folder / "ca.der").read_bytes()}
        files["umqtt/simple.py"] = (packages.folder("umqtt.simple") / "umqtt/simple.py").read_bytes()
        with Stage(family, "frozen", image, files) as there:
            serve(there.net, authority)
            now = time.gmtime(time.time() + 86400)  # the authority is valid by then
            yield there, PROGRAM % (family, (*now[:3], 0, *now[3:6], 0))


def depth(files, image):
    """Bytes of the C stack at the deepest call of a Python function inside TLS."""
    with stage(DEEPEST, files, image) as (there, program):
        return int(DEPTH.search(there.pico.exec(program, 1500))[1])
