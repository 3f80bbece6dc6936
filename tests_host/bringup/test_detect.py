"""Which class a module gets that nobody has named."""

import errno
import re

from rig import ECHO, QUICK, Echo  # first: it puts the shim in place
import families
import machine
import pytest
from pytest_simcom import Module

import simcom
from sim import Network

EVERY = families.FAMILIES + tuple(each for each in families.ALL if each not in families.FAMILIES)
SEEDS = (None, 1, 2, 3)


class Bench:
    """A module at a UART, and no object of the library yet."""

    def __init__(self, family, seed=None, powered=True, baud=115200, **settings):
        self.net = Network(connect_ms=20, latency_ms=5, dns_ms=5)
        settings = QUICK | families.quick(family) | settings
        module = Module(family, pwrkey=4, powered=powered, seed=seed, net=self.net, baud=baud, **settings)
        self.net.serve(*ECHO, Echo)
        self.vm, self.pwrkey, self.clock = module.vm, module.pwrkey, self.net.clock
        self.uart = machine.UART(1, 115200, rxbuf=2048)
        module.wire.plug(self.uart)
        module.patience()

    def detect(self, **args):
        return simcom.detect(self.uart, pwrkey=self.pwrkey, **args)


def works(modem):
    modem.connect("internet")
    with modem.socket() as s:
        s.settimeout(30)
        s.connect(ECHO)
        s.write(b"hello")
        assert s.read(5) == b"hello"
    return True


@pytest.mark.parametrize("powered", (True, False))
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", EVERY)
def test_class_of_the_module_that_is_there(family, seed, powered, capsys):
    bench = Bench(family, seed, powered)
    modem = bench.detect()
    assert type(modem).__name__ == family.upper()
    assert modem.guessed == "" and capsys.readouterr().out == ""
    assert [level for _, level in bench.pwrkey.history].count(1) == (not powered)
    assert works(modem)


ALSO = [("sim7600", "SIM7500E", "SIM7600"), ("sim7600", "SIM7800CE", "SIM7600"), ("a76xx", "SIM7672G", "A76XX")]
ALSO += [("a76xx", "A7608SA-H", "A76XX"), ("sim900", "SIM908", "SIM900"), ("sim800", "SIM800L", "SIM800")]


@pytest.mark.parametrize("family, model, name", ALSO)
def test_models_that_share_a_class(family, model, name):
    modem = Bench(family, model=model).detect()
    assert type(modem).__name__ == name and modem.guessed == ""


UNKNOWN = [("a76xx", "A76XX", "AT+NETOPEN"), ("sim7028", "A76XX", "AT+NETOPEN")]
UNKNOWN += [("sim7000", "SIM7000", "AT+CIPMUX and AT+CEREG"), ("sim900", "SIM800", "AT+CIPMUX")]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family, name, has", UNKNOWN)
def test_model_that_nobody_knows_gets_a_class_by_its_commands(family, name, has, seed, capsys):
    bench = Bench(family, seed, model="L501C")
    modem = bench.detect()
    assert type(modem).__name__ == name
    assert "L501C" in modem.guessed
    assert re.fullmatch(
        "simcom: nobody knows .*L501C.*: taken for %s, as it has %s\n" % (name, re.escape(has)), capsys.readouterr().out
    )
    assert works(modem)


def test_module_that_does_not_tell_its_name(capsys):
    bench = Bench("sim7000")
    bench.vm.do_CGMM = bench.vm.do_I = None
    bench.vm.identity = {}
    modem = bench.detect()
    assert type(modem).__name__ == "SIM7000" and modem.guessed == "a module that does not tell its name"
    assert "does not tell its name: taken for SIM7000" in capsys.readouterr().out


@pytest.mark.parametrize("family", families.FAMILIES)
def test_module_that_tells_its_name_late(family, capsys):
    bench = Bench(family, powered=False)
    known, bench.vm.identity = bench.vm.identity, {}
    bench.vm.do_I = None
    bench.clock.after_ms(bench.vm.boot_ms + 5000, lambda: setattr(bench.vm, "identity", known))
    modem = bench.detect()
    assert type(modem).__name__ == family.upper() and modem.guessed == ""


def test_newer_firmware_of_sim7000_gets_the_class_of_the_older():
    bench = Bench("sim7000ca")
    assert type(bench.detect()).__name__ == "SIM7000"


@pytest.mark.parametrize("family", ("sim7070", "sim7080", "sim7090"))
def test_class_that_this_version_has_not_is_named(family, monkeypatch):
    older = [name for name in simcom.NAMES.split() if name not in ("SIM7070", "SIM7080", "SIM7090")]
    monkeypatch.setattr(simcom, "NAMES", " %s " % " ".join(older))
    with pytest.raises(OSError) as caught:
        Bench(family).detect()
    assert caught.value.errno == errno.ENODEV
    assert re.fullmatch(
        "detect: .*%s.* has AT.CAOPEN: simcom.SIM7080, not in this version" % family.upper(), caught.value.args[1]
    )


def test_module_without_any_of_the_dialects():
    bench = Bench("sim7000", model="EC25")
    bench.vm.do_CIPMUX = None
    with pytest.raises(OSError) as caught:
        bench.detect()
    assert caught.value.errno == errno.ENODEV
    assert re.match(r"detect: .*EC25.* has no AT\+NETOPEN, AT\+CIPMUX, AT\+CAOPEN: ", caught.value.args[1])


def test_nothing_answers():
    bench = Bench("sim7000", powered=False)
    begin = bench.clock.ms
    with pytest.raises(OSError) as caught:
        simcom.detect(bench.uart)
    assert caught.value.errno == errno.ETIMEDOUT and "check supply, TX/RX, pwrkey" in caught.value.args[1]
    assert bench.clock.ms - begin < 30_000


def test_time_that_it_is_given_holds():
    bench = Bench("sim7600", powered=False)
    begin = bench.clock.ms
    with pytest.raises(OSError) as caught:
        bench.detect(timeout_ms=5000)
    assert caught.value.errno == errno.ETIMEDOUT
    assert bench.clock.ms - begin <= 5100


@pytest.mark.parametrize("family", families.CIP)
def test_another_rate_is_found_and_changed(family):
    bench = Bench(family, baud=9600)
    modem = bench.detect(baudrate=460800, pin="1234")
    assert works(modem) and bench.vm.baud == 460800 and modem.pin == "1234"


def test_arguments_are_those_of_the_class():
    bench = Bench("sim800")
    modem = bench.detect(mux=False)
    assert works(modem) and "AT+CIPMUX=0" in [line.decode() for line in bench.vm.commands]
    with pytest.raises(ValueError, match="pressed: a whole number from 0 to 1, not 2"):
        bench.detect(pressed=2)
    with pytest.raises(TypeError, match="uart: a machine.UART"):
        simcom.detect(None)
    with pytest.raises(ValueError, match="timeout_ms"):
        bench.detect(timeout_ms=0)


def test_running_module_with_echo_and_lines_of_others():
    bench = Bench("sim7028")
    bench.vm.echo = True
    for ms in range(0, 3000, 40):
        bench.clock.after_ms(ms, lambda: bench.vm.urc("+CSQN: 1,2"))
    modem = bench.detect()
    assert type(modem).__name__ == "SIM7028" and works(modem)
