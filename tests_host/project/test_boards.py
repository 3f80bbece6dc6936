"""Each board's file brings its module up through the pins that it names."""

import pathlib
import runpy
import time

import pytest
import rig  # first: it puts the shim in place
import machine
import shim
from shim import uart as _uart
from sim import Echo, Network, VirtualModem

FOLDER = pathlib.Path(__file__).parents[2] / "boards"
# by file: the pin of the power key and its level while it is held, the pin that the module's supply hangs on, and what
# modem() is given
WIRES = {
    "lilygo_t_a7670": (4, 1, 12, ()),
    "lilygo_t_call_sim800": (4, 0, 23, ()),
    "lilygo_t_sim7000g": (4, 1, None, ()),
    "lilygo_t_sim7080g": (41, 1, None, ()),
    "pico_breakout": (2, 1, None, ("SIM7000",)),
    "waveshare_pico_sim7080g": (14, 1, None, ()),
}


def test_every_board_is_tried_here():
    assert {path.stem for path in FOLDER.glob("*.py")} == {*WIRES, "virtual"}


@pytest.mark.parametrize("board", WIRES)
def test_board_switches_its_module_on_and_works(board):
    shim.reset()
    machine.I2C.devices[0x34] = bytearray(256)
    key, pressed, supply, given = WIRES[board]
    modem = runpy.run_path(str(FOLDER / (board + ".py")))["modem"](*given)
    assert supply is None or machine.Pin(supply).value() == 1
    family = type(modem).__name__.lower()
    net = Network(connect_ms=20)
    net.serve(*rig.ECHO, Echo)
    pin = machine.Pin(key)
    before = len(pin.history)
    module = VirtualModem(family, modem.channel.uart, powered=False, pwrkey=pin, pwrkey_level=pressed, net=net)
    modem.active(True)
    modem.connect("internet")
    assert module.running and [level for _, level in pin.history[before:]] == [pressed, 1 - pressed]
    s = modem.socket()
    s.connect(rig.ECHO)
    data = bytes(range(256)) * 6
    s.write(data)
    for _ in range(200):  # a program that is busy: what it asked for waits in the UART
        modem.pump()
        time.sleep_ms(50)
    assert s.read(len(data)) == data
    assert modem.channel.uart.overruns == 0
    s.close()


def test_supply_that_hangs_on_a_power_manager():
    shim.reset()
    registers = machine.I2C.devices[0x34] = bytearray(256)
    registers[0x80] = 0b11  # DC1 supplies the microcontroller
    board = runpy.run_path(str(FOLDER / "lilygo_t_sim7080g.py"))
    board["modem"]()
    assert registers[0x80] == 0b111 and 1600 + 100 * (registers[0x84] - 88) == 3000
    board["supply"](False)
    assert registers[0x80] == 0b11
    machine.I2C.devices.clear()
    with pytest.raises(OSError):
        board["modem"]()


@pytest.mark.parametrize("family", ("sim800", "a76xx"))
def test_board_whose_module_varies_asks_it(family, monkeypatch):
    shim.reset()
    net = Network(connect_ms=20)
    wired = []

    def made(uart):
        wired.append(VirtualModem(family, uart, powered=True, net=net))

    monkeypatch.setattr(_uart, "on_make", [made])
    modem = runpy.run_path(str(FOLDER / "pico_breakout.py"))["modem"]()
    assert type(modem).__name__ == family.upper()
    modem.connect("internet")
    assert wired[0].running
