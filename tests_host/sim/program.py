"""A virtual modem on a pseudo-terminal, with its control channel."""

import ast
import collections
import os
import pathlib
import stat

import shim

from . import VirtualModem
from .bridge import Bridge
from .loop import Loop
from .pty_port import PtyPort


class FileLog(list):
    """Writes each entry to a file instead of keeping it: milliseconds, direction, bytes with escapes."""

    def __init__(self, path: "str | None"):
        super().__init__()
        self._file = open(path, "a", encoding="ascii", buffering=1) if path else None

    def append(self, entry) -> None:
        """One entry of Serial.log."""
        if self._file is not None:
            ms, direction, data = entry
            self._file.write("%8d %s %s\n" % (ms, direction, repr(data)[2:-1]))


class Program:
    """Everything that `python -m sim` runs; usable from a test as well (run() in a thread, or step() by hand)."""

    def __init__(self, family="sim7000", table=None, listen=None, link=None, control=None, log=None, off=False, **kw):
        shim.install(real=True)
        self.loop = Loop()
        net_kw = {name: kw.pop(name) for name in ("connect_ms", "latency_ms", "dns_ms") if name in kw}
        net_kw.setdefault("connect_ms", 50)
        net_kw.setdefault("dns_ms", 50)
        self.net = Bridge(self.loop, table, **net_kw)
        self.net.listen_table.update(listen or {})
        self.port = PtyPort(self.loop, lambda: self.modem.baud)
        self.modem = VirtualModem(family, self.port, net=self.net, **kw)
        self.modem.log = FileLog(log)
        self.modem.commands = collections.deque(maxlen=1000)
        self.path = self.port.path
        self._made: list[pathlib.Path] = []
        if link:
            self._make_link(pathlib.Path(link))
        if control:
            self._open_control(pathlib.Path(control))
        if not off:
            self.modem.boot()

    def _make_link(self, path: pathlib.Path) -> None:
        if path.is_symlink():
            path.unlink()
        path.symlink_to(self.path)
        self._made.append(path)

    def _open_control(self, path: pathlib.Path) -> None:
        if path.exists() and stat.S_ISFIFO(path.stat().st_mode):
            path.unlink()
        os.mkfifo(path)
        self._made.append(path)
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        rest = bytearray()

        def readable():
            rest.extend(os.read(fd, 4096))
            while b"\n" in rest:
                line, _, behind = bytes(rest).partition(b"\n")
                rest[:] = behind
                self.control(line.decode("utf-8", "replace").strip())

        self.loop.watch(fd, readable)

    def control(self, line: str) -> None:
        """One line of the control channel."""
        verb, _, text = line.partition(" ")
        modem, flag = self.modem, text in ("on", "1")
        actions = {
            "pwrkey": lambda: modem.pwrkey(flag),
            "urc": lambda: modem.urc(text),
            "restart": modem.restart,
            "hang": lambda: modem.hang(*map(int, text.split())),
            "silent": lambda: setattr(modem, "silent", flag),
            "pdp_deact": modem.network_lost,
            "network_lost": modem.network_lost,
            "power_off": modem.power_off,
            "power_cut": modem.power_cut,
            "inject": lambda: modem.inject(*text.split(" ", 1)),
            "set": lambda: setattr(modem, *parse_setting(text)),
            "quit": self.loop.stop,
        }
        try:
            actions[verb]()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.net.log("control line not understood: %s (%r)" % (line, error))

    def run(self) -> None:
        """Serve until stop()."""
        self.loop.run()

    def close(self) -> None:
        """Remove what was made in the file system."""
        for path in self._made:
            path.unlink(missing_ok=True)
        self.port.close()


def parse_setting(text: str) -> tuple:
    """`key=value`: the value is a Python literal, or else text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError("not key=value: %s" % text)
    try:
        return key.strip(), ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key.strip(), value


def parse_map(text: str) -> dict:
    """`host:port=127.0.0.1:port,...` as a table for Bridge."""
    table = {}
    for entry in filter(None, text.split(",")):
        outer, equals, inner = entry.partition("=")
        (host, _, port), (address, _, real) = outer.rpartition(":"), inner.rpartition(":")
        if not (equals and host and address and port.isdigit() and real.isdigit()):
            raise ValueError("not host:port=address:port: %s" % entry)
        table[host, int(port)] = address, int(real)
    return table
