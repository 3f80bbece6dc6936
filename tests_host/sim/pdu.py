"""Text messages as 3GPP TS 23.040 puts them on the wire: SMS-DELIVER to the host, SMS-SUBMIT from it."""

import re

# The default alphabet of TS 23.038, and what its letters mean behind the escape; texts with anything else go as UCS2.
_ALPHABET = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
_ALPHABET += "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
_ESCAPED = {"Λ": "^", "(": "{", ")": "}", "/": "\\", "<": "[", "=": "~", ">": "]", "¡": "|", "e": "€"}


def deliver(centre: str, sender: str, when: str, body: bytes) -> tuple:
    """What AT+CMGR tells of a message: its octets in hexadecimal, and how many stand behind the centre's address."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    plain = all(char in _ALPHABET and char != "\x1b" for char in text)
    data = _pack(text) if plain else text.encode("utf-16-be")
    stamp = _swapped(when[:17].translate(dict.fromkeys(map(ord, "/,:")))) + _zone(when[17:])
    length, address = _address(sender)
    octets = bytes((4, length)) + address + bytes((0, 0 if plain else 8)) + stamp
    octets += bytes((len(text) if plain else len(data),)) + data
    _, centre_address = _address(centre)
    return (bytes((len(centre_address),)) + centre_address + octets).hex().upper(), len(octets)


def submit(octets: bytes) -> tuple:
    """The number and the text, as UTF-8, that a host sends; ValueError or IndexError when they are no such message."""
    at = 1 + octets[0]
    first, digits, kind = octets[at], octets[at + 2], octets[at + 3]
    if first & 3 != 1:
        raise ValueError("no SMS-SUBMIT")
    end = at + 4 + (digits + 1) // 2
    number = "".join("%x%x" % (octet & 15, octet >> 4) for octet in octets[at + 4 : end])[:digits]
    coding = octets[end + 1]
    end += 2 + (0, 7, 1, 7)[first >> 3 & 3]  # protocol, coding, validity
    count, data = octets[end], octets[end + 1 :]
    header = data[0] + 1 if first & 0x40 else 0
    if coding & 0x0C == 8:
        text = data[header:count].decode("utf-16-be")
    elif coding & 0x0C == 4:
        text = data[header:count].decode("latin-1")
    else:
        text = _unpack(data, count)[(header * 8 + 6) // 7 :]
    return "+" * (kind == 0x91) + number, text.encode()


def _address(number: str) -> tuple:
    """How many digits, and their octets behind that of the type."""
    digits = number.lstrip("+")
    return len(digits), bytes((0x91 if number.startswith("+") else 0x81,)) + _swapped(digits)


def _swapped(digits: str) -> bytes:
    digits += "F" * (len(digits) % 2)
    return bytes.fromhex("".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2)))


def _zone(quarters: str) -> bytes:
    octet = _swapped("%02d" % abs(int(quarters or 0)))
    return bytes((octet[0] | (8 if quarters.startswith("-") else 0),))


def _pack(text: str) -> bytes:
    bits = sum(_ALPHABET.index(char) << 7 * i for i, char in enumerate(text))
    return bits.to_bytes((len(text) * 7 + 7) // 8, "little")


def _unpack(data: bytes, count: int) -> str:
    bits = int.from_bytes(data, "little")
    text = "".join(_ALPHABET[bits >> 7 * i & 0x7F] for i in range(count))
    return re.sub("\x1b(.)", lambda pair: _ESCAPED.get(pair[1], pair[1]), text)
