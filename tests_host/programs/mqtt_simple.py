"""Publishes, subscribes, waits, looks and pings with umqtt.simple, then connects twenty times over."""

import time

import online
from umqtt.simple import MQTTClient

messages = []


def on_message(topic, message):
    messages.append(message)
    print("message", topic, len(message), message[:10])


client = MQTTClient("board", "broker.example", keepalive=30)
client.set_callback(on_message)
client.set_last_will(b"from/board", b"died")
print("connect", client.connect())
client.subscribe(b"to/board", qos=1)
print("check", client.check_msg(), client.check_msg())

client.publish(b"from/board", b"zero")
client.publish(b"from/board", b"one", qos=1)
client.publish("from/board", "x" * 4000, qos=1)
while len(messages) < 2:
    client.wait_msg()

client.ping()
print("ping", client.wait_msg())
client.publish(b"from/board", b"now look", qos=1)
while len(messages) < 4:
    client.check_msg()
    time.sleep_ms(5)
client.disconnect()
print("disconnected")

for n in range(20):  # as after an error: the old socket is dropped, not closed
    client.connect()
    client.publish(b"from/board", b"again %d" % n, qos=1)
print("reconnected")
client.disconnect()
online.use_all_links(("echo.example", 7))
