"""Other people's programs, unchanged, on MicroPython and a virtual module, against real servers: HTTP, poll.

The other test_programs_*.py use what is defined here.
"""

import errno
import hashlib
import socket

from families import FAMILIES, OPEN
import pytest
from live import LARGE, Echo, HttpServer, Pages, run, serving

# Refused, or aborted: a CIPOPEN module says only that it failed.
REFUSED = (errno.ECONNREFUSED, errno.ECONNABORTED)

families = pytest.mark.parametrize("family", FAMILIES)


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
    settings = {"send_ms": 60} if family in OPEN else {}
    with serving(Echo) as server:
        lines = run(tmp_path, family, "reconnect", {"echo.example:7": server.server_address[1]}, settings=settings)
    assert lines == ["wrong []"]
