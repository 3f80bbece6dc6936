"""Programs with TLS on their side of the modem, unchanged, on MicroPython and a virtual module."""

import contextlib
import hashlib
import shutil
import socketserver
import ssl

import pytest
from authority import Authority
from live import LARGE, Echo, run, serving
from test_programs import families

WRONG_HOST = "The certificate Common Name (CN) does not match with the expected CN"
WRONG_CA = "The certificate is not correctly signed by the trusted CA"
EXPIRED = "The certificate validity has expired"


class TlsHandler(socketserver.StreamRequestHandler):
    """Answers the lines `version` and `large`; sends `echo` and what follows back."""

    def handle(self):
        with contextlib.suppress(OSError):
            for line in self.rfile:
                if line == b"version\n":
                    self.wfile.write(self.request.version().encode() + b"\n")
                elif line == b"large\n":
                    self.wfile.write(LARGE[:200_000])
                    return
                else:
                    while data := self.request.recv(65536):
                        self.wfile.write(data)


class TlsServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    certificate = None
    version = ssl.TLSVersion.TLSv1_3

    def __init__(self, *args):
        super().__init__(*args)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate)
        self.context.minimum_version = self.context.maximum_version = self.version

    def finish_request(self, request, client_address):
        with contextlib.suppress(OSError), self.context.wrap_socket(request, server_side=True) as request:
            super().finish_request(request, client_address)


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """TLS servers of all kinds, and the files of their authorities."""
    folder = tmp_path_factory.mktemp("authority")
    right = Authority(folder)
    Authority(folder / "other", "other_ca")
    shutil.copy(folder / "other/other_ca.der", folder)
    kinds = {
        "old.example": (right.certificate("old.example"), ssl.TLSVersion.TLSv1_2),
        "new.example": (right.certificate("new.example"), ssl.TLSVersion.TLSv1_3),
        "wrong.example": (folder / "new.example.pem", ssl.TLSVersion.TLSv1_3),
        "expired.example": (right.certificate("expired.example", last="20210101000000Z"), ssl.TLSVersion.TLSv1_3),
    }
    with contextlib.ExitStack() as stack:
        echo = stack.enter_context(serving(Echo))
        table = {"echo.example:7": echo.server_address[1]}
        for host, (certificate, version) in kinds.items():
            kind = type("Server", (TlsServer,), {"certificate": certificate, "version": version})
            table[host + ":443"] = stack.enter_context(serving(TlsHandler, kind)).server_address[1]
        yield table, [folder / "ca.der", folder / "other_ca.der"]


def run_with(names, folder, family, program):
    table, files = names
    for file in files:
        shutil.copy(file, folder)
    return run(folder, family, program, table)


@families
def test_tls_checks_certificate_and_name(family, names, tmp_path):
    lines = run_with(names, tmp_path, family, "tls_client")
    assert lines == [
        r"TLS 1.2 b'TLSv1.2\n'",
        r"TLS 1.3 b'TLSv1.3\n'",
        "wrong host refused: " + WRONG_HOST,
        "wrong CA refused: " + WRONG_CA,
        "expired refused: " + EXPIRED,
        "large 200000 " + hashlib.sha256(LARGE[:200_000]).hexdigest(),
        "all links usable",
    ]


@families
def test_tls_through_asyncio(family, names, tmp_path):
    lines = run_with(names, tmp_path, family, "aio_tls")
    assert lines == [
        "all True True",
        "wrong.example refused: " + WRONG_HOST,
        "expired.example refused: " + EXPIRED,
        "all links usable",
    ]


@families
def test_failed_handshakes_give_their_links_back(family, names, tmp_path):
    assert run_with(names, tmp_path, family, "tls_failures") == ["refused 50", "all links usable"]
