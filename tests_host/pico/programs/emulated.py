"""The emulated Pico as a target of the shared cases. Copied to its flash."""

import device
import target


class Caller:
    """Somebody who connects to a server of the module."""

    def __init__(self, modem, port):
        self.modem = modem
        self.number = device.call("dial", port)

    def send(self, data):
        """Send bytes."""
        device.call("dial_send", self.number, data)

    def recv(self, n):
        """The next n bytes, fewer only at the end."""
        while True:
            data = device.call("dial_recv", self.number, n)
            if data is not None:
                return data
            self.modem.wait(5)

    def close(self):
        """End the stream."""
        device.call("dial_close", self.number)


class Emulated(target.Target):
    """The modem at UART 1, a second one at UART 0."""

    def __init__(self, family, host, ports):
        self.family = family
        self.host = host
        self.ports = ports
        self.modem = device.modem(family)
        self.modem.active(True)

    def peer(self, kind):
        return self.host, self.ports[kind]

    def dial(self, port):
        return Caller(self.modem, port)

    def sent(self):
        return device.call("sent")

    def new_modem(self):
        modem = device.modem(self.family, 0)
        modem.connect("other")
        return modem

    def fresh(self):
        """Before each case: no links, a new context."""
        if self.modem.isconnected():
            self.modem.disconnect()
        self.modem.connect("internet")
