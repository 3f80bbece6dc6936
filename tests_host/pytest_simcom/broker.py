"""An MQTT broker among the scripted peers: version 3.1.1, QoS 0 and 1."""

from sim import Peer

_CONNECT, _PUBLISH, _PUBACK, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ, _DISCONNECT = 1, 3, 4, 8, 10, 12, 14


def _text(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _packet(kind: int, body: bytes) -> bytes:
    length, left = b"", len(body)
    while True:
        left, digit = left >> 7, left & 127
        length += bytes([digit | (128 if left else 0)])
        if not left:
            return bytes([kind]) + length + body


def _matches(pattern: list, topic: list) -> bool:
    if not pattern or pattern[0] == "#":
        return bool(pattern) or not topic
    return bool(topic) and pattern[0] in ("+", topic[0]) and _matches(pattern[1:], topic[1:])


class Broker(Peer):
    """One broker for all connections; `Broker(code=5)` refuses them with this code of CONNACK.

    `messages` are those that were published, as (topic, payload); `connects` the names of the clients, one for each
    CONNECT.
    """

    def __init__(self, code: int = 0):
        self.code = code
        self.messages: list[tuple[str, bytes]] = []
        self.connects: list[str] = []
        self._retained: dict[str, bytes] = {}
        self._subscribed: dict = {}  # connection -> list of patterns

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Send a message to whoever has subscribed, with QoS 0."""
        if retain:
            self._retained[topic] = payload
        for connection, patterns in list(self._subscribed.items()):
            if connection.is_open and any(_matches(each.split("/"), topic.split("/")) for each in patterns):
                connection.write(_packet(_PUBLISH << 4, _text(topic.encode()) + payload))

    def received(self, connection, data: bytes) -> None:
        """Take whole packets, keep the rest."""
        held = connection.notes.setdefault("mqtt", bytearray())
        held += data
        while (end := self._end(held)) is not None:
            start, end = end
            kind, body = held[0], bytes(held[start:end])
            del held[:end]
            self._take(connection, kind >> 4, kind & 15, body)

    @staticmethod
    def _end(held: bytearray) -> "tuple | None":
        """Where the body of the first packet begins and ends, or None while it is not complete."""
        length = 0
        for at in range(1, min(len(held), 5)):
            length |= (held[at] & 127) << 7 * (at - 1)
            if held[at] < 128:
                return (at + 1, at + 1 + length) if len(held) > at + length else None
        return None

    def _take(self, connection, kind: int, flags: int, body: bytes) -> None:
        if kind == _CONNECT:
            name = 8 + body[1] - 4 + 2  # behind protocol, level, flags, keep-alive
            self.connects.append(body[name + 2 : name + 2 + int.from_bytes(body[name : name + 2], "big")].decode())
            connection.write(_packet(0x20, bytes([0, self.code])))
            if self.code:
                connection.close()
        elif kind == _PUBLISH:
            self._published(connection, flags, body)
        elif kind == _SUBSCRIBE:
            self._subscribe(connection, body)
        elif kind == _UNSUBSCRIBE:
            gone = [pattern for pattern, _ in self._patterns(body, 0)]
            kept = self._subscribed.get(connection, [])
            self._subscribed[connection] = [each for each in kept if each not in gone]
            connection.write(_packet(0xB0, body[:2]))
        elif kind == _PINGREQ:
            connection.write(_packet(0xD0, b""))
        elif kind != _PUBACK:  # DISCONNECT, and what this broker has not
            connection.close()

    def _published(self, connection, flags: int, body: bytes) -> None:
        at = 2 + int.from_bytes(body[:2], "big")
        topic, qos = body[2:at].decode(), flags >> 1 & 3
        payload = body[at + 2 :] if qos else body[at:]
        self.messages.append((topic, payload))
        if qos:
            connection.write(_packet(0x40, body[at : at + 2]))
        self.publish(topic, payload, retain=bool(flags & 1))

    @staticmethod
    def _patterns(body: bytes, extra: int):
        """Each topic filter, and the byte behind it."""
        at = 2
        while at < len(body):
            end = at + 2 + int.from_bytes(body[at : at + 2], "big")
            yield body[at + 2 : end].decode(), body[end : end + extra]
            at = end + extra

    def _subscribe(self, connection, body: bytes) -> None:
        wanted = [(pattern, min(qos[0], 1)) for pattern, qos in self._patterns(body, 1)]
        self._subscribed.setdefault(connection, []).extend(pattern for pattern, _ in wanted)
        connection.write(_packet(0x90, body[:2] + bytes(qos for _, qos in wanted)))
        for pattern, _ in wanted:
            for topic, payload in self._retained.items():
                if _matches(pattern.split("/"), topic.split("/")):
                    connection.write(_packet(_PUBLISH << 4 | 1, _text(topic.encode()) + payload))
