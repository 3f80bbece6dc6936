"""A Pico with virtual modules at its UARTs, peers behind them, and files on its flash."""

import pathlib
import shutil
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / name) for name in ("lib", "tests_device")]

import rig  # noqa: E402  first: it puts the shim in place
import families  # noqa: E402
import peer  # noqa: E402
import shim  # noqa: E402
from machine import Pin  # noqa: E402
from pico import flash  # noqa: E402
from pico.firmware import FOLDER  # noqa: E402
from pico.machine import Pico  # noqa: E402
from sim import Network, Peer, VirtualModem  # noqa: E402

HOST = "peers.example"
PORTS = {kind: 7001 + i for i, kind in enumerate((*peer.KINDS, "refused"))}
PWRKEY, DTR = 2, 3  # at these pins of the Pico
HERE = pathlib.Path(__file__).parent


class Dialled(Peer):
    """Somebody who has connected to a server of the module, moved by the program on the Pico."""

    def __init__(self, net, port, source):
        self.at = 0
        self.ended = False
        self.connection = net.dial(port, self, "192.0.2.7", source)

    def closed(self, connection):
        self.ended = True


class Stage:
    """`pico`, `net` and `module`; what is not named goes to the virtual module.

    `library`: "mpy" (build/lib), "source" or "frozen" (in the firmware). `files`: more of them, name -> bytes.
    """

    def __init__(self, family, library="mpy", firmware=None, files=None, powered=True, net=None, **settings):
        shim.reset()
        self.family = family
        self.net = net or Network(connect_ms=20, latency_ms=5, dns_ms=5)
        for kind, maker in peer.KINDS.items():
            self.net.serve(HOST, PORTS[kind], maker)
            if kind in peer.DATAGRAM_KINDS:
                self.net.serve(HOST, PORTS[kind], maker, "UDP")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pico-"))
        image = self.folder / "flash.bin"
        flash.image(image, self.files(library) | (files or {}))
        self.pico = Pico(firmware or FOLDER / "stock/firmware.bin", image)
        self.pins = self.pico.pins = {number: Pin("GP%d" % number, Pin.OUT, value=0) for number in (PWRKEY, DTR)}
        self.module = self.modem(1, powered, pwrkey=self.pins[PWRKEY], dtr=self.pins[DTR], **settings)
        self._dialled = []
        answers = {"dial": self.dial, "dial_send": self.dial_send, "dial_recv": self.dial_recv}
        self.pico.answers = answers | {"dial_close": self.dial_close, "sent": lambda: self.pico.uarts[1].taken}

    def modem(self, number, powered=True, **settings):
        """A virtual module at a UART."""
        settings = rig.QUICK | families.quick(self.family) | {"pwrkey_level": 1} | settings
        port = self.pico.uarts[number]
        module = VirtualModem(self.family, port, seed=None, powered=powered, net=self.net, **settings)
        module.random.seed(number)  # the recommended readings, and jitter that is the same in every run
        return module

    def files(self, library):
        """What every program finds on the Pico."""
        files = {"device.mpy": flash.compiled(HERE / "programs/device.py", "device", self.folder)}
        if library == "mpy":
            for path in sorted((TREE / "build/lib").rglob("*.mpy")):
                files["lib/" + str(path.relative_to(TREE / "build/lib"))] = path.read_bytes()
        elif library == "source":
            for path in sorted((TREE / "lib").rglob("*.py")):
                files["lib/" + str(path.relative_to(TREE / "lib"))] = path.read_bytes()
        return files

    def __enter__(self):
        self.pico.restart()
        return self

    def __exit__(self, *_):
        self.pico.close()
        shutil.rmtree(self.folder)

    # --- what device.call() reaches

    def dial(self, port):
        """Connect to the module's server; a number, or None when nobody takes it."""
        caller = Dialled(self.net, port, 50001 + len(self._dialled))
        self._dialled.append(caller)
        return len(self._dialled) - 1 if caller.connection else None

    def dial_send(self, number, data):
        """Send bytes."""
        self._dialled[number].connection.write(data)

    def dial_recv(self, number, count):
        """The next `count` bytes, fewer at the end, None while they are not there."""
        caller = self._dialled[number]
        if len(caller.connection.received) < caller.at + count and not caller.ended:
            return None
        got = bytes(caller.connection.received[caller.at : caller.at + count])
        caller.at += len(got)
        return got

    def dial_close(self, number):
        """End the stream."""
        self._dialled[number].connection.close()
        self._dialled[number].ended = True
