"""What users test their programs with: fixtures of the plugin, programs on virtual time, the package once installed."""

import asyncio
import errno
import gc
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

from families import FAMILIES
import machine
import pytest
import shim
from pytest_simcom import Blob, Broker, Echo, Hang, Peer, Sink
from test_snippets import snippet
from tools import packages

HERE = pathlib.Path(__file__).parents[1]
TREE = HERE.parent
every_family = pytest.mark.simcom(*FAMILIES)


# --- fixtures


def served(serve, peer):
    serve("peer.example", 80, peer)
    return "peer.example", 80


def connected(modem, address):
    modem.active(True)
    modem.connect("internet")
    s = modem.socket()
    s.connect(address)
    return s


@every_family
def test_a_modem_talks_to_a_peer(module, modem, serve):
    serve("web.example", 80, Blob(b"HTTP/1.0 200 OK\r\n\r\nhello", after=b"\r\n\r\n"))
    modem.active(True)
    modem.connect("internet")
    s = modem.socket()
    s.connect(("web.example", 80))
    s.write(b"GET / HTTP/1.0\r\n\r\n")
    assert s.read() == b"HTTP/1.0 200 OK\r\n\r\nhello"
    assert repr(module) == "<virtual %s>" % module.family.upper()
    assert module.connections[0].received == b"GET / HTTP/1.0\r\n\r\n"


@every_family
def test_a_time_out_takes_virtual_time_only(module, modem, serve):
    s = connected(modem, served(serve, Sink))
    s.settimeout(75)
    before = module.seconds
    with pytest.raises(OSError) as error:
        s.recv(1)
    assert error.value.errno == errno.ETIMEDOUT
    assert 75 <= module.seconds - before < 76


@every_family
@pytest.mark.parametrize(
    "what, code",
    [("lose_context", errno.ENOTCONN), ("restart", errno.ECONNABORTED), ("power_cut", errno.ETIMEDOUT)],
)
def test_a_connection_ends_with_what_the_module_is_told(module, modem, serve, what, code):
    s = connected(modem, served(serve, Sink))
    module.after(20, getattr(module, what))
    with pytest.raises(OSError) as error:
        s.recv(1)
    assert error.value.errno == code
    if what == "power_cut":
        module.restart()
        time.sleep(30)
    modem.recover()
    assert modem.isconnected()


def test_a_hang_costs_a_delay(module, modem, serve):
    s = connected(modem, served(serve, Echo))
    before = module.seconds
    module.hang(30)
    s.write(b"still there?")
    assert s.read(12) == b"still there?"
    assert 30 <= module.seconds - before < 35


def test_the_module_tells_signal_and_registration(module, modem):
    modem.active(True)
    module.signal = 31
    assert modem.status("rssi") == -51
    module.registration = 3
    assert modem.status("registration") == 3 == module.registration
    assert module.signal == 31
    assert module.commands[-1] == "AT+CGREG?"


def test_another_card_asks_for_its_pin(module, modem):
    module.sim("SIM PIN", "0815")
    modem.pin = "0815"
    modem.active(True)
    modem.connect("internet")
    assert module.pins == ["0815"]
    module.restart()
    modem.recover()
    assert module.pins == ["0815", "0815"]
    with pytest.raises(ValueError, match="no such state of a SIM: 'LOCKED'"):
        module.sim("LOCKED")


def test_unsolicited_lines_come_alone_and_inside_answers(module, modem):
    modem.active(True)
    heard = []
    modem.on_urc("+CMTI:", heard.append)
    module.urc('+CMTI: "SM",3')
    module.inject("before_ok", '+CMTI: "SM",4')
    time.sleep(1)
    modem.status("rssi")
    modem.wait()
    assert heard == ['+CMTI: "SM",3', '+CMTI: "SM",4']


def test_bytes_get_lost_on_the_wire(module, modem, serve):
    s = connected(modem, served(serve, Echo))
    s.write(b"x" * 1000)
    at = module.wire.offset["rx"] + 500
    module.wire.drop("rx", at)
    s.settimeout(30)
    with pytest.raises(OSError) as error:
        while s.recv(1000):
            pass
    assert error.value.errno == errno.EIO


def test_a_peer_dials_the_server_of_a_program(module, modem):
    modem.active(True)
    modem.connect("internet")
    listener = modem.socket()
    listener.bind(("", 80))
    listener.listen()
    caller = module.dial(80, Blob(b"hello", close=False))
    s, address = listener.accept()
    assert address == ("192.0.2.7", 50001) and s.read(5) == b"hello"
    s.write(b"hi")
    s.close()
    assert caller.received == b"hi"
    assert module.dial(81, Peer) is None


@pytest.mark.simcom("a76xx", uart=2, csq=7)
def test_the_module_is_at_the_uart_that_the_marker_says(module):
    before, right, other = machine.UART(2, 115200), machine.UART(2, 115200), machine.UART(1, 115200)
    for uart in (before, right, other):
        uart.write(b"AT+CSQ\r")
        time.sleep(1)
    assert before.any() == other.any() == 0
    assert right.read().count(b"+CSQ: 7,") == 1 and module.commands == ["AT+CSQ"]


@pytest.mark.simcom(pwrkey=5, pressed=0)
def test_the_power_key_is_the_pin_that_the_marker_says(module):
    machine.UART(1, 115200)
    assert not module.vm.running
    key = machine.Pin(5, machine.Pin.OUT, value=0)
    time.sleep(2)
    key.on()
    time.sleep(10)
    assert module.vm.running


def test_slips_of_a_test_are_errors(module, serve):
    with pytest.raises(AttributeError, match="signl"):
        module.signl = 5
    with pytest.raises(TypeError, match=r"b'hello' is no peer: Blob\(b'...'\) serves bytes"):
        serve("web.example", 80, b"hello")


@pytest.mark.simcom("sim7000e")
def test_the_marker_may_name_a_model(module, modem):
    modem.active(True)
    assert module.family == "sim7000" and modem.config("model") == "SIMCOM_SIM7000E"


# --- programs


def test_real_time_comes_back(module):
    assert time.time() == 1_609_459_200
    time.sleep(3600)
    assert time.time() == 1_609_459_200 + 3600


def test_time_is_real_without_a_module():
    assert time.time() > 1_700_000_000


def test_other_threads_sleep_in_real_time(module):
    other = threading.Thread(target=time.sleep, args=(0.01,))
    other.start()
    other.join()
    assert module.seconds == 0


def test_a_test_that_waits_for_ever_ends(module):
    with pytest.raises(Hang, match="still waiting after 86400 s of virtual time"):
        while True:
            time.sleep(3600)


def test_files_of_the_library_are_compiled_once():
    loader = importlib.util.find_spec("simcom.socket").loader
    assert loader.get_code("simcom.socket") is loader.get_code("simcom.socket")


def test_a_program_that_never_waits_sees_time_pass(module, run):
    def program():
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < 100:
            pass

    assert run(program) == "returned"
    assert module.seconds == pytest.approx(0.1, abs=0.001)


def test_a_program_ends_as_by_ctrl_c(module, run):
    seen = []

    def program():
        try:
            while True:
                time.sleep(7)
        except KeyboardInterrupt:
            seen.append(module.seconds)
        while True:  # it goes on all the same
            time.sleep(7)

    assert run(program, seconds=60) == "stopped"
    assert seen == [60] and module.seconds == 61


def test_a_program_that_takes_ctrl_c_for_its_end_is_stopped(run):
    def program():
        try:
            while True:
                time.sleep(7)
        except KeyboardInterrupt:
            pass

    assert run(program, seconds=60) == "stopped"


@pytest.mark.parametrize("how", ["reset", "soft_reset", "deepsleep", "watchdog"])
def test_how_a_program_ended(run, how):
    def program():
        if how == "watchdog":
            machine.WDT(timeout=8000)
            time.sleep(10)
        getattr(machine, how)()

    assert run(program) == how.removeprefix("soft_")


def test_a_fed_watchdog_does_not_bite(run):
    def program():
        wdt = machine.WDT(timeout=8000)
        for _ in range(10):
            time.sleep(7)
            wdt.feed()

    assert run(program) == "returned"


def test_a_restart_ends_timers_watchdogs_and_interrupts(module, run):
    calls = []

    def program():
        machine.WDT(timeout=8000)
        machine.Timer(period=1000, callback=calls.append)
        machine.Pin(3).irq(calls.append)
        time.sleep(5)
        machine.reset()

    assert run(program) == "reset" and len(calls) == 5
    machine.Pin(3).drive(1)
    time.sleep(60)
    assert len(calls) == 5


def test_an_exception_of_the_program_is_that_of_the_test(run):
    def program():
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run(program, seconds=10)


PROGRAM = """
import simcom, helper
from machine import UART
helper.starts += 1
modem = simcom.SIM7000(UART(1, 115200, rxbuf=2048))
modem.active(True)
modem.connect("internet")
simcom.install(modem)
import socket
s = socket.socket()
s.connect(("sink.example", 80))
s.write(b"start %d" % helper.starts)
s.close()
"""


def test_a_file_runs_anew_each_time_and_the_module_goes_on(module, serve, run, tmp_path, monkeypatch):
    import socket

    serve("sink.example", 80, Sink)
    (tmp_path / "main.py").write_text(PROGRAM)
    (tmp_path / "helper.py").write_text("from deep import starts\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/deep.py").write_text("starts = 0\n")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    monkeypatch.syspath_prepend(tmp_path)
    import helper  # as a test may do

    monkeypatch.undo()

    assert [run(tmp_path / "main.py") for _ in range(2)] == ["returned"] * 2
    assert [each.received for each in module.connections] == [b"start 1", b"start 1"]
    assert sys.modules["socket"] is not socket
    assert sys.modules.pop("helper") is helper and helper.starts == 0
    del sys.modules["deep"]
    with pytest.raises(FileNotFoundError, match="no nothing.py in "):
        run("nothing.py")


def test_socket_is_the_machines_own_again():
    import socket

    assert socket.socket.__module__ == "socket" and "usocket" not in sys.modules


# --- asyncio


async def talk(n):
    reader, writer = await asyncio.open_connection("echo.example", 7)
    writer.write(b"%d says hello\n" % n)
    await writer.drain()
    line = await reader.readline()
    data = bytes([n]) * 3000
    writer.write(data)
    await writer.drain()
    got = await reader.readexactly(3000)
    try:
        await asyncio.wait_for_ms(reader.read(1), 500)
    except asyncio.TimeoutError:
        writer.write(b"late")
        await writer.drain()
    late = await reader.read(10)
    writer.close()
    await writer.wait_closed()
    return line == b"%d says hello\n" % n and got == data and late == b"late"


@every_family
def test_streams_of_asyncio_on_all_links(module, modem, serve, run):
    serve("echo.example", 7, Echo)
    results = []

    async def main():
        import simcom

        modem.active(True)
        modem.connect("internet")
        simcom.install(modem)
        results.extend(await asyncio.gather(*[talk(n) for n in range(modem.LINKS)]))
        for _ in range(3):
            await asyncio.sleep(20)

    before = module.seconds
    assert run(main) == "returned"
    assert results == [True] * modem.LINKS
    assert 60 < module.seconds - before < 180


def test_a_server_of_asyncio(module, modem, run):
    import simcom

    callers = []

    async def serve(reader, writer):
        writer.write(b"you said " + await reader.readline())
        await writer.drain()
        await writer.wait_closed()

    async def main():
        modem.active(True)
        modem.connect("internet")
        simcom.install(modem)
        async with await asyncio.start_server(serve, "0.0.0.0", 80):
            await asyncio.sleep(2)
            for n in range(3):
                callers.append(module.dial(80, Blob(b"hello %d\n" % n, close=False), source_port=50001 + n))
                await asyncio.sleep(5)

    assert run(main) == "returned"
    assert [each.received for each in callers] == [b"you said hello %d\n" % n for n in range(3)]


def test_old_ways_of_asyncio(run):
    import uasyncio

    beats = []

    async def beat():
        while True:
            beats.append(time.ticks_ms())
            await uasyncio.sleep_ms(1000)

    def main():
        uasyncio.create_task(beat())
        uasyncio.get_event_loop().run_forever()

    assert run(main, seconds=10) == "stopped"
    assert len(beats) == 10


@pytest.mark.simcom(uart=1)
def test_a_stream_over_another_uart(run):
    gps = machine.UART(2, 9600)
    lines = []

    async def main():
        shim.clock.clock.after_ms(900, lambda: gps.feed(b"$GPRMC,1\r\n$GPRMC,2\r\n"))
        async for line in asyncio.StreamReader(gps):
            lines.append(line)

    assert run(main, seconds=5) == "stopped"
    assert lines == [b"$GPRMC,1\r\n", b"$GPRMC,2\r\n"]


def test_what_stops_the_program_is_no_error_of_a_task(run, caplog):
    async def block():
        while True:
            time.sleep(1)
            await asyncio.sleep(0)

    async def main():
        asyncio.create_task(block())
        await asyncio.sleep(3600)

    assert run(main, seconds=10) == "stopped"
    gc.collect()
    assert caplog.records == []


def test_a_pin_wakes_a_task(module, run):
    flag = asyncio.ThreadSafeFlag()
    seen = []

    async def main():
        machine.Pin(3).irq(lambda _: flag.set(), machine.Pin.IRQ_RISING)
        for _ in range(2):
            await flag.wait()
            seen.append(round(module.seconds))

    for seconds in (5, 70):
        module.after(seconds, lambda: machine.Pin(3).drive(1))
        module.after(seconds + 1, lambda: machine.Pin(3).drive(0))
    assert run(main) == "returned"
    assert seen == [5, 70]


def test_a_task_that_only_yields_sees_time_pass(module, run):
    async def main():
        while module.seconds < 1:
            await asyncio.sleep_ms(0)

    assert run(main) == "returned"


def test_asyncio_is_cpythons_own_without_a_module():
    async def main():
        await asyncio.sleep(0)
        return type(asyncio.get_event_loop()).__module__

    assert asyncio.run(main()).startswith("asyncio.")


# --- MQTT


@every_family
def test_umqtt_on_cpython(module, modem, serve, run, monkeypatch):
    monkeypatch.syspath_prepend(packages.folder("umqtt.simple"))
    broker = serve("broker.example", 1883, Broker())
    heard = []

    def main():
        import simcom

        modem.active(True)
        modem.connect("internet")
        simcom.install(modem)
        from umqtt.simple import MQTTClient

        client = MQTTClient("board", "broker.example", keepalive=60)
        client.set_callback(lambda *message: heard.append(message))
        client.connect()
        client.subscribe(b"to/#")
        client.publish(b"from/board", b"zero", qos=0)
        client.publish(b"from/board", b"one", qos=1)
        broker.publish("to/board", b"hello")
        broker.publish("other", b"not for us")
        client.wait_msg()
        client.ping()
        client.wait_msg()
        client.disconnect()

    assert run(main, seconds=600) == "returned"
    assert broker.messages == [("from/board", b"zero"), ("from/board", b"one")]
    assert heard == [(b"to/board", b"hello")] and broker.connects == ["board"]


class Line:
    """What a Broker asks of a connection."""

    def __init__(self, broker, *packets):
        self.notes, self.is_open, self.sent = {}, True, []
        for packet in packets:
            broker.received(self, packet)

    def write(self, data):
        self.sent.append(data)

    def close(self):
        self.is_open = False


CONNECT = b"\x10\x10\0\4MQTT\4\2\0\0\0\4name"


def test_a_broker_takes_packets_in_pieces_and_together():
    broker = Broker()
    data = CONNECT + b"\x32\x0c\0\5topic\0\7abc" + b"\xc0\0"
    assert Line(broker, data).sent == Line(broker, *[data[i : i + 1] for i in range(len(data))]).sent
    assert Line(broker, data).sent == [b"\x20\2\0\0", b"\x40\2\0\7", b"\xd0\0"]
    assert broker.messages == [("topic", b"abc")] * 3 and broker.connects == ["name"] * 3


def test_a_broker_keeps_what_is_retained_and_knows_wildcards():
    broker = Broker()
    broker.publish("a/b/c", b"kept", retain=True)
    found = {
        pattern: Line(broker, b"\x82%c\0\1\0%c%s\0" % (len(pattern) + 5, len(pattern), pattern)).sent[1:]
        for pattern in (b"a/b/c", b"a/+/c", b"a/#", b"#", b"a/b", b"a/+", b"a/b/c/d", b"+/c")
    }
    assert [pattern for pattern, sent in found.items() if sent == [b"\x31\x0b\0\5a/b/ckept"]] == list(found)[:4]
    assert [sent for sent in found.values() if not sent] == [[]] * 4


def test_a_broker_forgets_what_is_unsubscribed_and_who_is_gone():
    broker = Broker()
    stays, goes, left = (Line(broker, b"\x82\6\0\1\0\1t\0") for _ in range(3))
    broker.received(left, b"\xa2\5\0\2\0\1t")
    broker.received(goes, b"\xe0\0")
    broker.publish("t", b"x" * 200)
    assert stays.sent[1:] == [b"\x30\xcb\1\0\1t" + b"x" * 200]
    assert goes.sent[1:] == [] and not goes.is_open and left.sent[1:] == [b"\xb0\2\0\2"]


def test_a_broker_that_refuses_says_why():
    line = Line(Broker(code=5), CONNECT)
    assert line.sent == [b"\x20\2\0\5"] and not line.is_open


# --- the package, installed as users install it


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of a fresh environment, with the installed packages; pytest is that of this machine."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin/python"
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "pytest.pth").write_text(str(pathlib.Path(pytest.__file__).parent.parent) + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    before = snapshot()
    subprocess.run([*pip, "--no-index", HERE, HERE / "sim"], check=True)
    assert snapshot() == before
    return python


def snapshot():
    """What lies in the folders of the projects, where building them could leave something."""
    return {path for folder in (HERE, HERE / "sim") for path in folder.iterdir() if path.name != "__pycache__"}


def ran(python, *args, cwd):
    """What a run of that Python says, outside this tree."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run([python, *args], cwd=cwd, env=env, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.xdist_group("installed")
def test_a_sensor_program_is_tested_with_the_installed_package(python, tmp_path):
    for path in (HERE / "example").glob("*.py"):
        shutil.copy(path, tmp_path)
    (tmp_path / "test_readme.py").write_text(snippet("module.lose_context"))
    said = ran(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "6 passed" in said, said


@pytest.mark.xdist_group("installed")
@pytest.mark.parametrize("first", ["simcom", "machine", "micropython", "pytest_simcom"])
def test_whatever_is_imported_first_the_library_runs(python, tmp_path, first):
    code = "import %s, simcom, time; print(simcom.SIM7000.__name__, simcom.Tap.__name__, time.ticks_ms() > 0)" % first
    code += "; from machine import Pin, UART; from micropython import const"
    assert ran(python, "-c", code, cwd=tmp_path) == "SIM7000 Tap True\n"


@pytest.mark.xdist_group("installed")
def test_names_of_the_package_are_free_for_the_program(python, tmp_path):
    for name in ("sim", "shim"):
        (tmp_path / (name + ".py")).write_text("raise SystemExit('not this one')\n")
    assert ran(python, "-c", "import simcom; print(simcom.A76XX.__name__)", cwd=tmp_path) == "A76XX\n"


@pytest.mark.xdist_group("installed")
def test_the_virtual_module_installs_alone(python, tmp_path):
    program = [python.parent / "virtual-simcom", "--family", "a76xx", "--think-ms", "1"]
    with subprocess.Popen(program, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as module:
        with open(module.stdout.readline().strip(), "r+b", buffering=0) as terminal:
            got = b""
            while not got.endswith(b"OK\r\n"):
                terminal.write(b"AT\r")
                got += terminal.read(100)
        module.terminate()
    assert module.returncode == 0


NEWCOMER = """
import machine, pytest, time

@pytest.mark.simcom("sim800", "a76xx")
def test_each_family(module):
    assert module.family in ("sim800", "a76xx")

def test_the_family_of_the_settings(module):
    assert module.family == "sim7028"

def test_a_reset(module):
    machine.reset()

@pytest.mark.simcom("sim9999")
def test_a_slip(modem):
    pass

@pytest.mark.simcom(signal=3)
def test_another_slip(modem):
    pass
"""


@pytest.mark.xdist_group("installed")
def test_what_a_newcomer_reads(python, tmp_path):
    (tmp_path / "test_new.py").write_text(NEWCOMER)
    (tmp_path / "pytest.ini").write_text("[pytest]\nsimcom_family = sim7028\n")
    said = ran(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "3 passed" in said and "1 failed, 3 passed, 2 errors" in said, said
    for words in (
        "the program has ended by reset: call it by run()",
        "no such family: sim9999; there are: a76xx, sim7000, ",
        "no such setting: signal",
    ):
        assert words in said, said
