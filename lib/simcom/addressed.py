"""Calls with addresses, of a stream: it has one peer."""


def sendto(s, buf, address) -> int:
    """As ``send()``: the address is that of ``connect()``."""
    return s.send(buf)


def recvfrom(s, n: int, flags: int = 0) -> tuple:
    """As ``recv()``: (bytes, (host, port) of the peer)."""
    return s.recv(n, flags), s._link.peer


def recvfrom_into(s, buf, n: int = 0) -> tuple:
    """As ``recv_into()``: (how many bytes, (host, port) of the peer)."""
    return s.recv_into(buf, n), s._link.peer
