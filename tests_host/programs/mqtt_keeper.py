"""Publishes and listens with mqtt_async, an asyncio client that keeps its network interface up by itself."""

import asyncio
import sys

import cellular


class Machine:  # which the unix port lacks
    @staticmethod
    def unique_id():
        return b"board"


sys.modules["machine"] = Machine

from mqtt_async import MQTTClient, config  # noqa: E402

messages = []
beats = 0


def on_message(topic, message, retained, qos):
    messages.append(message)
    print("message", topic, len(message), message[:10])


async def beat():
    global beats
    while True:
        beats += 1
        await asyncio.sleep_ms(10)


async def until(n):
    while len(messages) < n:
        await asyncio.sleep_ms(10)


async def main():
    asyncio.create_task(beat())
    config.server = "broker.example"
    config.ssid = "internet"  # the APN
    config.subs_cb = on_message
    config.response_time = 3
    client = MQTTClient(config)
    await client.connect()
    await client.subscribe(b"to/board", qos=1)
    await client.publish(b"from/board", b"zero")
    await client.publish(b"from/board", b"x" * 4000, qos=1)
    await until(2)
    print("stop the broker")
    input()
    await client.publish(b"from/board", b"after", retain=True, qos=1)
    print("published; is the other client there again?")
    input()
    await client.subscribe(b"to/board", qos=1)
    await client.publish(b"from/board", b"end", qos=1)
    await until(3)
    await client.disconnect()
    print("beats", beats > 20)


asyncio.run(main())
print("links free", cellular.modem.flush() and not any(cellular.modem.links.slots))
