"""A request, a connect and a publish, as they come and with small writes collected; AT+CSQ stands between them."""

import online
import requests
import simcom
from umqtt.simple import MQTTClient


def mark():
    online.modem.flush()
    online.modem.at("+CSQ")


for nodelay in (True, False):
    simcom.install(online.modem, nodelay=nodelay)
    client = MQTTClient("board", "broker.example")
    mark()
    print(requests.get("http://www.example/greeting").status_code)
    mark()
    print(client.connect())
    mark()
    client.publish(b"from/board", b"hello")
    mark()
    client.disconnect()
    mark()
