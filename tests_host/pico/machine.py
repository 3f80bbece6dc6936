"""An emulated Pico whose surroundings live in this process, on the virtual clock.

    pico = Pico(firmware, flash)
    VirtualModem("sim7000", pico.uarts[1], ...)
    print(pico.exec("import os; print(os.uname())"))

The emulator is a process of its own that runs only while it is asked to, up to the next event of the clock; what it
does to its UARTs and pins reaches the virtual modules at most 20 us later. So the same program always takes the same
cycles, however fast or busy this machine is.
"""

import ast
import contextlib
import json
import pathlib
import subprocess

from pico.firmware import FOLDER
from shim import clock as shim_clock
from tools.system import command

HERE = pathlib.Path(__file__).parent
RATES = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1500000, 3000000)
BOOT_MS = 400  # reset to a REPL that listens


class Failure(Exception):
    """The program on the Pico ended with an exception; the message is its traceback."""


class Hang(BaseException):
    """More simulated time has passed than any correct program would need."""


def nominal(rate):
    """The rate that is meant by what a divider makes of it."""
    nearest = min(RATES, key=lambda known: abs(known - rate))
    return nearest if abs(nearest / rate - 1) < 0.03 else rate


class Port:
    """One of the Pico's UARTs, as a virtual module sees it."""

    def __init__(self, pico, number):
        self.pico, self.number = pico, number
        self.receiver = None
        self.taken = 0  # bytes that the Pico has sent
        self._end = 0.0  # when the line to the Pico will be free

    def attach(self, receiver):
        """Call receiver(bytes, rate) with what the Pico sends."""
        self.receiver = receiver

    def feed(self, data, baud):
        """Send bytes to the Pico, behind those already on the line."""
        self.pico.give("u%d:%d:%s" % (self.number, baud, bytes(data).hex()))
        self._end = max(self.pico.clock.now_us, self._end) + 1e7 / baud * len(data)
        return self._end

    def backlog_us(self):
        """How long the line is still busy with what was fed."""
        return max(0.0, self._end - self.pico.clock.now_us)


class Pico:
    """The emulator, and a program's way to its REPL.

    `answers`: functions that the program on the Pico can call (see programs/device.py), by name. `printed`, if set, is
    called with each piece of text that a running program prints.
    """

    def __init__(self, firmware, flash=None):
        self.clock = shim_clock.clock
        self.uarts = [Port(self, 0), Port(self, 1)]
        self.pins = {}  # number: a Pin of the shim
        self.answers = {}
        self.printed = None
        self.repl = bytearray()  # from USB, not yet looked at
        self._words = []
        words = [HERE / "pico.mjs", FOLDER, firmware, *([flash] if flash else [])]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([*command("node"), *map(str, words)], **pipes)
        self.run(BOOT_MS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Switch off."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    # --- time

    def _ask(self, line):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the emulator has ended with %r" % self.process.wait())
        return answer.decode().rstrip("\n")

    def give(self, word):
        """Something for the Pico, when it next runs."""
        self._words.append(word)

    def step(self, end_us):
        """Let it run to the next event of the clock, at most until end_us; whatever it does is passed on."""
        clock = self.clock
        due = clock.next_due()
        until = end_us if due is None else min(end_us, due)
        words, self._words = self._words, []
        line = " ".join(["run %d" % ((until - shim_clock.START_US) * 1000 + 1), *words])
        now, *words = self._ask(line).split(" ")
        clock.advance_to(max(clock.now_us, shim_clock.START_US + int(now) / 1000))
        for word in words:
            self._told(word)

    def _told(self, word):
        name, _, rest = word.partition(":")
        if name == "usb":
            self.repl += bytes.fromhex(rest)
        elif name == "box":
            name, *args = ast.literal_eval(bytes.fromhex(rest).decode())
            self.give("box:" + repr(self.answers[name](*args)).encode().hex())
        elif name[0] == "p":
            pin, _, level = name[1:].partition("=")
            if int(pin) in self.pins:
                self.pins[int(pin)].drive(int(level))
        else:
            port = self.uarts[int(name[1:])]
            rate, _, data = rest.partition(":")
            data = bytes.fromhex(data)
            port.taken += len(data)
            if port.receiver:
                port.receiver(data, nominal(int(rate)))

    def run(self, ms):
        """Let so many milliseconds pass."""
        end = self.clock.now_us + ms * 1000
        while self.clock.now_us < end:
            self.step(end)

    def counters(self):
        """What the emulator counts: cycles, idle, ns, erased (sectors), uarts."""
        return json.loads(self._ask("stat"))

    def save(self, path):
        """Write the flash to a file."""
        self._ask("save %s" % path)

    # --- the raw REPL

    def _until(self, end, seconds):
        """What is printed up to `end`."""
        limit = self.clock.now_us + seconds * 1e6
        looked = 0
        while (at := self.repl.find(end, looked)) < 0:
            looked = max(0, len(self.repl) - len(end) + 1)
            if self.clock.now_us >= limit:
                raise Hang("after %d s: %r" % (seconds, bytes(self.repl[-500:])))
            before = len(self.repl)
            self.step(limit)
            if self.printed and len(self.repl) > before:
                self.printed(self.repl[before:].decode("utf-8", "replace"))
        found = bytes(self.repl[:at])
        del self.repl[: at + len(end)]
        return found

    def _type(self, data):
        self.give("usb:" + data.hex())

    def restart(self):
        """End what runs, restart MicroPython, come to the raw REPL."""
        self.repl.clear()
        self._type(b"\r\x03\x03\r\x01")
        self._until(b"raw REPL; CTRL-B to exit\r\n>", 5)
        self._type(b"\x04")
        self._until(b"raw REPL; CTRL-B to exit\r\n>", 60)

    def exec(self, program, seconds=600, printed=None):
        """Run a program at the raw REPL; what it has printed. Needs restart() once before."""
        self._type(program.encode() + b"\x04")
        self._until(b"OK", 60)
        self.printed = printed
        try:
            text = self._until(b"\x04", seconds)
        finally:
            self.printed = None
        error = self._until(b"\x04", 60)
        self._until(b">", 5)
        if error:
            raise Failure(text.decode("utf-8", "replace") + error.decode("utf-8", "replace"))
        return text.decode("utf-8", "replace")
