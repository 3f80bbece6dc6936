"""Publishes with umqtt.robust while the broker is away for some time."""

import online
from umqtt.robust import MQTTClient


class Client(MQTTClient):
    DELAY = 0.1
    DEBUG = True


client = Client("board", "broker.example", keepalive=30)
client.connect()
client.publish(b"from/board", b"before", qos=1)
print("stop the broker")
input()
print("publishing")
client.publish(b"from/board", b"after", retain=True, qos=1)
print("published; is the other client there again?")
input()
client.publish(b"from/board", b"end", qos=1)
client.disconnect()
online.use_all_links(("echo.example", 7))
