"""Publishes and looks with umqtt.robust2, which polls a socket that never blocks, while the broker restarts."""

import time

import online
from umqtt.robust2 import MQTTClient

messages = []


def on_message(topic, message, retained, duplicate):
    messages.append(message)
    print("message", topic, message)


def until(done):
    """The main loop of its documentation."""
    for _ in range(2000):
        if client.is_conn_issue():
            client.reconnect()
            if client.is_conn_issue():
                time.sleep_ms(100)
                continue
            client.resubscribe()
        client.check_msg()
        client.send_queue()
        if done():
            return
        time.sleep_ms(5)
    raise OSError("it does not come")


client = MQTTClient("board", "broker.example", keepalive=30)
client.set_callback(on_message)
client.connect()
client.subscribe(b"to/board", qos=1)
client.publish(b"from/board", b"zero")
client.publish(b"from/board", b"one", qos=1)
until(lambda: messages and not client.things_to_do())
print("stop the broker")
input()
while not client.is_conn_issue():
    client.check_msg()
    time.sleep_ms(5)
print("start it")
input()
client.publish(b"from/board", b"after", retain=True, qos=1)
until(lambda: not client.things_to_do())
print("published; is the other client there again?")
input()
client.publish(b"from/board", b"end", qos=1)
until(lambda: len(messages) == 2 and not client.things_to_do())
client.disconnect()
online.use_all_links(("echo.example", 7))
