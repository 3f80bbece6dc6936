"""IP addresses as text."""

import ipaddress

_NAT64 = bytes.fromhex("0064ff9b") + bytes(8)


def numeric(host: str) -> bool:
    """Whether a host is an address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def native(address: str) -> str:
    """An address that stands for an IPv4 one (RFC 6052) as that."""
    packed = ipaddress.ip_address(address).packed
    return str(ipaddress.IPv4Address(packed[12:])) if packed[:12] == _NAT64 else address


def translated(address: str) -> str:
    """An IPv4 address as an IPv6-only module sees it (RFC 6147)."""
    return str(ipaddress.IPv6Address(_NAT64 + ipaddress.IPv4Address(address).packed))


def loopback(host: str) -> bool:
    """Whether a host is an address that does not leave the machine."""
    return numeric(host) and ipaddress.ip_address(host).is_loopback
