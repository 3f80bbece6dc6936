"""A virtual modem on a pseudo-terminal, with its control channel."""

import ast
import collections
import datetime
import os
import pathlib
import stat

import shim

from . import VirtualModem
from .bridge import Bridge
from .loop import Loop
from .pty_port import PtyPort
from .terminal import say


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
    """Everything that `python -m sim` runs; usable from a test as well (run() in a thread, or step() by hand).

    It is an ordinary module on an ordinary day: polite, with the clock of this machine, and, in LTE, a bit error rate
    that is not known and a context that is there since the module has attached.
    """

    def __init__(
        self,
        family="sim7000",
        table=None,
        listen=None,
        *,
        link=None,
        control=None,
        log=None,
        off=False,
        quiet=False,
        **kw,
    ):
        shim.install(real=True)
        self.loop = Loop()
        net_kw = {name: kw.pop(name) for name in ("connect_ms", "latency_ms", "dns_ms") if name in kw}
        net_kw.setdefault("connect_ms", 50)
        net_kw.setdefault("dns_ms", 50)
        self.net = Bridge(self.loop, table, **net_kw)
        self.net.listen_table.update(listen or {})
        self.port = PtyPort(self.loop, lambda: self.modem.baud)
        kw.setdefault("polite", True)
        self.modem = modem = VirtualModem(family, self.port, net=self.net, **kw)
        if modem.lte and "bit_errors" not in kw:
            modem.bit_errors = 99
        if hasattr(modem, "netopen_ms") and "netopen_ms" not in kw:
            modem.netopen_ms = 5  # the context is that of the attach
        now = datetime.datetime.now().astimezone()
        modem.time, modem.quarters = now.replace(tzinfo=None), int(now.utcoffset().total_seconds() // 900)
        modem.log = FileLog(log)
        modem.commands = collections.deque(maxlen=1000)
        modem.on_note = None if quiet else say
        self.path = self.port.path
        self._made: list[pathlib.Path] = []
        self._answers: "int | None" = None  # where the control channel answers
        if link:
            self._make_link(pathlib.Path(link))
        if control:
            self._open_control(pathlib.Path(control))
        modem.note("%s at %s" % (modem.model or modem.family, link or self.path))
        if not off:
            modem.boot()

    def _make_link(self, path: pathlib.Path) -> None:
        if path.is_symlink():
            path.unlink()
        path.symlink_to(self.path)
        self._made.append(path)

    # --- control channel

    def _open_control(self, path: pathlib.Path) -> None:
        """Lines come in at `path`; what became of them goes out at `path`.out."""
        fd, self._answers = self._make_fifo(path), self._make_fifo(path.with_name(path.name + ".out"))
        rest = bytearray()

        def readable():
            rest.extend(os.read(fd, 4096))
            while b"\n" in rest:
                line, _, behind = bytes(rest).partition(b"\n")
                rest[:] = behind
                self.control(line.decode("utf-8", "replace").strip())

        self.loop.watch(fd, readable)

    def _make_fifo(self, path: pathlib.Path) -> int:
        if path.exists() and stat.S_ISFIFO(path.stat().st_mode):
            path.unlink()
        os.mkfifo(path)
        self._made.append(path)
        return os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def control(self, line: str) -> str:
        """One line of the control channel; what became of it, which is also said."""
        try:
            answer = self._obey(*(line.split(" ", 1) + [""])[:2]) or "ok"
        except (TypeError, ValueError) as error:
            answer = "refused: %s" % error
        self.modem.note("control: %s: %s" % (line, answer))
        if self._answers is not None:
            try:
                os.write(self._answers, answer.encode() + b"\n")
            except BlockingIOError:
                pass  # nobody reads them
        return answer

    def _obey(self, verb: str, text: str) -> "str | None":
        modem = self.modem
        actions = {
            "pwrkey": lambda: modem.pwrkey(_flag(text)),
            "urc": lambda: modem.urc(text),
            "sms": self._sms,
            "call": modem.call_from,
            "call_ends": modem.call_ends,
            "restart": modem.restart,
            "hang": lambda: modem.hang(*map(int, text.split())),
            "silent": lambda: setattr(modem, "silent", _flag(text)),
            "pdp_deact": modem.network_lost,
            "network_lost": modem.network_lost,
            "power_off": modem.power_off,
            "power_cut": modem.power_cut,
            "inject": lambda: modem.inject(*text.split(" ", 1)),
            "set": self._set,
            "get": self._get,
            "quit": self.loop.stop,
        }
        if verb not in actions:
            raise ValueError("there are: %s" % ", ".join(sorted(actions)))
        takes_text = verb in ("sms", "call", "set", "get")
        return actions[verb](text) if takes_text else actions[verb]()

    def _sms(self, text: str) -> None:
        sender, _, body = text.partition(" ")
        self.modem.store_sms(body.encode(), sender)

    def _set(self, text: str) -> str:
        name, value = parse_setting(text)
        self.modem.check_setting(name, value)
        setattr(self.modem, name, value)
        self.modem.registration_changed()
        return self._get(name)

    def _get(self, name: str) -> str:
        self.modem.check_setting(name, 0)
        return "%s=%r" % (name, getattr(self.modem, name))

    # --- life

    def run(self) -> None:
        """Serve until stop()."""
        self.loop.run()

    def close(self) -> None:
        """Tell what was asked for and is not there; remove what was made in the file system."""
        if self.modem.not_known and self.modem.on_note is not None:
            counts = ", ".join("%s (%d)" % pair for pair in self.modem.not_known.most_common())
            say("commands that this module does not have: " + counts)
        for path in self._made:
            path.unlink(missing_ok=True)
        self.port.close()


def _flag(text: str) -> bool:
    if text not in ("on", "off", "1", "0"):
        raise ValueError("on or off?")
    return text in ("on", "1")


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
            raise ValueError("map is host:port=127.0.0.1:port,...: %s" % entry)
        table[host, int(port)] = address, int(real)
    return table


def parse_listen(text: str) -> dict:
    """`port=real port,...` as a table for Bridge."""
    table = {}
    for entry in filter(None, text.split(",")):
        outer, _, real = entry.partition("=")
        if not (outer.isdigit() and real.isdigit()):
            raise ValueError("listen is port=real port,...: %s" % entry)
        table[int(outer)] = int(real)
    return table


def parse_seed(text: str) -> "int | None":
    """A number, or `none`."""
    if text.lower() != "none" and not text.isdigit():
        raise ValueError("seed is a number, or none: %s" % text)
    return None if text.lower() == "none" else int(text)
