"""MQTT programs, unchanged, on MicroPython and a virtual module, against a real broker."""

import contextlib
import socket
import struct

import pytest
from authority import Authority
from live import Broker, Echo, Program, cipsends, run, serving
from test_programs import FAMILIES, REFUSED, families
from test_programs_tls import WRONG_HOST
from test_snippets import snippet

SIMPLE = ("umqtt.simple",)
ROBUST = ("umqtt.simple", "umqtt.robust")
ROBUST2 = ("umqtt.simple2", "umqtt.robust2")


class Client:
    """Another client of the broker, with QoS 0 only: subscribed to what the board publishes."""

    def __init__(self, broker):
        self._socket = socket.create_connection(("127.0.0.1", broker.plain), timeout=120)
        self._file = self._socket.makefile("rb")
        self._send(0x10, b"\0\4MQTT\4\2\0\0" + self._text(b"host"))
        assert self._receive(0x20) == b"\0\0"
        self._send(0x82, b"\0\1" + self._text(b"from/board") + b"\0")
        assert self._receive(0x90) == b"\0\1\0"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self._socket.close()

    @staticmethod
    def _text(data):
        return struct.pack("!H", len(data)) + data

    def _send(self, kind, data):
        length = bytes([len(data)]) if len(data) < 128 else bytes([len(data) % 128 + 128, len(data) // 128])
        self._socket.sendall(bytes([kind]) + length + data)

    def _receive(self, kind):
        got = self._file.read(1)
        length = shift = 0
        while True:
            byte = self._file.read(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        data = self._file.read(length)
        assert got[0] & 0xF0 == kind & 0xF0
        return data

    def publish(self, message):
        self._send(0x30, self._text(b"to/board") + message)

    def message(self):
        """The next message of the board."""
        data = self._receive(0x30)
        assert data.startswith(self._text(b"from/board"))
        return data[12:]


@families
def test_umqtt_simple(family, tmp_path):
    with Broker(tmp_path) as broker, Client(broker) as host, serving(Echo) as echo:
        names = {"broker.example:1883": broker.port, "echo.example:7": echo.server_address[1]}
        with Program(tmp_path, family, "mqtt_simple", names, SIMPLE) as program:
            assert [host.message() for _ in range(3)] == [b"zero", b"one", b"x" * 4000]
            host.publish(b"first")
            host.publish(b"y" * 4000)
            assert host.message() == b"now look"
            host.publish(b"third")
            host.publish(b"z" * 4000)
            lines = program.result()
        again = [host.message()]
        while again[-1] != b"again 19":
            again.append(host.message())
    assert lines == [
        "connect 0",
        "check None None",
        "message b'to/board' 5 b'first'",
        "message b'to/board' 4000 b'yyyyyyyyyy'",
        "ping None",
        "message b'to/board' 5 b'third'",
        "message b'to/board' 4000 b'zzzzzzzzzz'",
        "disconnected",
        "reconnected",
        "all links usable",
    ]
    again = [message for message in again if message != b"died"]  # the broker ends the session that was left behind
    assert again == [b"again %d" % n for n in range(20)]


@families
def test_umqtt_robust_when_the_broker_restarts(family, tmp_path):
    with serving(Echo) as echo:
        broker = Broker(tmp_path)
        names = {"broker.example:1883": broker.port, "echo.example:7": echo.server_address[1]}
        with contextlib.ExitStack() as stack:
            with broker, Client(broker) as host:
                program = stack.enter_context(Program(tmp_path, family, "mqtt_robust", names, ROBUST))
                program.until("stop the broker")
                assert host.message() == b"before"
            program.enter()
            for _ in range(3):
                program.until(r"mqtt reconnect: OSError\((%d|%d)," % REFUSED)
            # `after` may come before a client of ours can subscribe; it is retained
            with broker, Client(broker) as host:
                program.until("^published")
                program.enter()
                assert [host.message(), host.message()] == [b"after", b"end"]
                assert program.result()[-1] == "all links usable"


@families
def test_umqtt_robust2_when_the_broker_restarts(family, tmp_path):
    with serving(Echo) as echo:
        broker = Broker(tmp_path)
        names = {"broker.example:1883": broker.port, "echo.example:7": echo.server_address[1]}
        with contextlib.ExitStack() as stack:
            with broker, Client(broker) as host:
                program = stack.enter_context(Program(tmp_path, family, "mqtt_robust2", names, ROBUST2))
                assert [host.message(), host.message()] == [b"zero", b"one"]
                host.publish(b"first")
                program.until("stop the broker")
            program.enter()
            program.until("start it")
            with broker, Client(broker) as host:
                program.enter()
                program.until("^published")
                seen = [host.message()]
                host.publish(b"second")
                program.enter()
                while seen[-1] != b"end":
                    seen.append(host.message())
                assert b"after" in seen
                assert program.result()[-2:] == ["message b'to/board' b'second'", "all links usable"]


@families
def test_mqtt_async_when_the_broker_restarts(family, tmp_path):
    (tmp_path / "cellular.py").write_text(snippet("class WLAN"))
    broker = Broker(tmp_path)
    with contextlib.ExitStack() as stack:
        with broker, Client(broker) as host:
            names = {"broker.example:1883": broker.port}
            program = stack.enter_context(Program(tmp_path, family, "mqtt_keeper", names, ("mqtt_async",)))
            assert [host.message(), host.message()] == [b"zero", b"x" * 4000]
            host.publish(b"first")
            host.publish(b"y" * 4000)
            program.until("stop the broker")
        with broker, Client(broker) as host:
            program.enter()
            program.until("^published")
            assert host.message() == b"after"
            program.enter()
            assert host.message() == b"end"
            host.publish(b"third")
            lines = program.result()
    assert lines[-3:] == ["message b'to/board' 5 b'third'", "beats True", "links free True"]


@families
def test_umqtt_simple_over_tls(family, tmp_path):
    authority = Authority(tmp_path)
    certificate = authority.certificate("broker.example")
    with Broker(tmp_path, certificate) as broker, Client(broker) as host, serving(Echo) as echo:
        names = {"broker.example:8883": broker.port, "echo.example:7": echo.server_address[1]}
        with Program(tmp_path, family, "mqtt_tls", names, SIMPLE) as program:
            assert host.message() == b"x" * 5000
            host.publish(b"y" * 5000)
            assert host.message() == b"now look"
            host.publish(b"done")
            assert [host.message() for _ in range(5)] == [b"again %d" % n for n in range(5)]
            lines = program.result()
    assert lines == [
        "check None",
        "message True",
        "ping None",
        "message b'done'",
        "refused: " + WRONG_HOST,
        "all links usable",
    ]


@pytest.mark.parametrize("family, sim", [*((family, "READY") for family in FAMILIES), ("sim7000", "SIM PIN")])
def test_network_stand_in_for_mqtt_as(family, sim, tmp_path):
    (tmp_path / "cellular.py").write_text(snippet("class WLAN"))
    with serving(Echo) as echo:
        lines = run(tmp_path, family, "wlan", {"echo.example:7": echo.server_address[1]}, settings={"sim": sim})
    up = ["connected True", "3 True", "b'hello'", "False"]
    assert lines == ["True False", *(up if sim == "READY" else ["failed False", "False"]) * 2]


def test_the_other_client_tells_messages_apart(tmp_path):
    with Broker(tmp_path) as broker, Client(broker) as host:
        host._send(0x30, host._text(b"from/board") + b"a" * 300)
        host._send(0x30, host._text(b"from/board"))
        assert host.message() == b"a" * 300 and host.message() == b""


@families
def test_small_writes_collected_are_one_send_each(family, tmp_path):
    assert cipsends(tmp_path, family) == {
        "cipsends_http_get": 10,
        "cipsends_http_get_nodelay_off": 1,
        "cipsends_mqtt_connect": 4,
        "cipsends_mqtt_connect_nodelay_off": 1,
        "cipsends_mqtt_publish": 4,
        "cipsends_mqtt_publish_nodelay_off": 1,
    }
