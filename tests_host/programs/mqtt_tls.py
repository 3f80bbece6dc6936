"""MQTT over TLS with umqtt.simple: the broker's certificate is checked, on this side of the modem."""

import sys

import online
import tls
from umqtt.simple import MQTTClient


class ussl:
    """What this umqtt imports; MicroPython 1.24 has `tls` only."""

    @staticmethod
    def wrap_socket(sock, server_hostname, cadata):
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED
        context.load_verify_locations(cadata)
        return context.wrap_socket(sock, server_hostname=server_hostname)


sys.modules["ussl"] = ussl

with open("ca.der", "rb") as f:
    ca = f.read()


def client(name):
    return MQTTClient("board", "broker.example", ssl=True, ssl_params={"server_hostname": name, "cadata": ca})


messages = []
mqtt = client("broker.example")
mqtt.set_callback(lambda topic, message: messages.append(message))
mqtt.connect()
mqtt.subscribe(b"to/board", qos=1)
print("check", mqtt.check_msg())
mqtt.publish(b"from/board", b"x" * 5000, qos=1)
while not messages:
    mqtt.wait_msg()
print("message", messages[0] == b"y" * 5000)
mqtt.ping()
print("ping", mqtt.wait_msg())
mqtt.publish(b"from/board", b"now look", qos=1)
while len(messages) < 2:
    mqtt.check_msg()
print("message", messages[1])
for n in range(5):
    mqtt.connect()
    mqtt.publish(b"from/board", b"again %d" % n, qos=1)
mqtt.disconnect()

try:
    client("other.example").connect()
    print("connected to who knows whom")
except (OSError, ValueError) as e:
    print("refused:", str(e).strip())
online.use_all_links(("echo.example", 7))
