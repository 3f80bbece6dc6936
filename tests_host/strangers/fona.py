"""adafruit-circuitpython-fona on a terminal: `fona.py TERMINAL HOST PORT`; prints what it found, as JSON."""

import json
import sys
import types

import serial
import shim

shim.install(real=True)  # its `micropython` has const()
# what a board brings: names for annotations, and one function
sys.modules["busio"] = sys.modules["digitalio"] = sys.modules["circuitpython_typing"] = types.SimpleNamespace(
    UART=None, DigitalInOut=None, ReadableBuffer=None
)
sys.modules["simpleio"] = types.SimpleNamespace(map_range=lambda x, a, b, c, d: c + (x - a) * (d - c) / (b - a))

from adafruit_fona import adafruit_fona_socket as socket  # noqa: E402
from adafruit_fona.adafruit_fona import FONA  # noqa: E402
from adafruit_fona.adafruit_fona_network import CELLULAR  # noqa: E402


class Reset:
    """A pin that leads nowhere."""

    value = True

    def switch_to_output(self):
        """As it is."""


path, host, port = sys.argv[1:]
fona = FONA(serial.Serial(path, 115200, timeout=2), Reset())
found = {"version": fona.version, "imei": fona.iemi, "status": fona.network_status, "rssi": fona.rssi}
network = CELLULAR(fona, ("internet", "user", "password"))
network.connect()
found["connected"] = network.is_connected
socket.set_interface(fona)
s = socket.socket()
s.connect(socket.getaddrinfo(host, int(port))[0][4])
found["open"] = s.connected
s.send(b"GET")
found["line"] = s.readline().decode()
found["rest"] = len(s.recv(1024))
found["closed"] = s.close()
network.disconnect()
print(json.dumps(found))
