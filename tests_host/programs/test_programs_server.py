"""Other people's servers, unchanged, on MicroPython and a virtual module: asyncio.start_server()."""

import socket
import threading
import time

import pytest
from live import Echo, Program, free_ports, serving

families = pytest.mark.parametrize("family, clients", [("sim800", 3), ("sim7000", 4), ("sim7028", 1), ("a76xx", 6)])


def converse(port, n, results):
    """Talk in lines to a server that may not be there yet."""
    deadline = time.monotonic() + 120
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), 120)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    with client, client.makefile("rwb") as lines:
        for i in range(5):
            line = b"client %d, line %d %s\n" % (n, i, b"." * (100 * n))
            lines.write(line)
            lines.flush()
            if lines.readline() != line:
                return
        lines.write(b"QUIT\n")
        lines.flush()
        results[n] = lines.read() == b""


@families
def test_server_of_asyncio(family, clients, tmp_path):
    (port,) = free_ports(1)
    with (
        serving(Echo) as echo,
        Program(
            tmp_path, family, "aio_server", {"echo.example:7": echo.server_address[1]}, (), [str(port), str(clients)]
        ) as program,
    ):
        for _ in range(2):
            program.until("^turn")
            results = {}
            threads = [threading.Thread(target=converse, args=(port, n, results)) for n in range(clients)]
            for each in threads:
                each.start()
            assert program.until("^own") == "own True\n"
            assert program.until("^served") == "served %d\n" % clients
            for each in threads:
                each.join()
            assert results == dict.fromkeys(range(clients), True)
        assert program.result() == ["all links usable"]
