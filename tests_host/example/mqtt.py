"""A small MQTT client: QoS 1, nothing else."""

import socket


class Client:
    """Publishes at a broker; every failure is an OSError."""

    def __init__(self, host, name, port=1883):
        self._address, self._name = (host, port), name
        self._socket = None
        self._id = 0

    def connect(self):
        """Connect, or connect anew."""
        self.close()
        self._socket = socket.socket()
        self._socket.settimeout(30)
        self._socket.connect(self._address)
        self._send(0x10, b"\0\4MQTT\4\2\0\0" + self._text(self._name))
        if self._receive(0x20)[1]:
            raise OSError(1, "the broker refuses us")

    def publish(self, topic, message):
        """Publish; returns when the broker has it."""
        self._id = self._id % 65535 + 1
        number = self._id.to_bytes(2, "big")
        self._send(0x32, self._text(topic) + number + message)
        if self._receive(0x40) != number:
            raise OSError(1, "another message was acknowledged")

    def close(self):
        """Give the connection back, whatever its state."""
        if self._socket:
            self._socket.close()
            self._socket = None

    @staticmethod
    def _text(data):
        return len(data).to_bytes(2, "big") + data

    def _send(self, kind, body):
        self._socket.write(bytes([kind, len(body)]) + body)

    def _receive(self, kind):
        head = self._socket.read(2)
        if len(head) < 2 or head[0] != kind:
            raise OSError(1, "no answer of the broker")
        return self._socket.read(head[1])
