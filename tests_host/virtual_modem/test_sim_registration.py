"""Registration of the virtual module, and how it tells of it."""

from families import CIP, FAMILIES
import pytest
from sim_host import Host

OK = b"\r\nOK\r\n"
LTE = FAMILIES[1:]
each_family = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)
CELL = {"sim800": b',"1A2B","D4E5"', "sim7000": b',"1A2B","01C3D4E5",7'}
CELL.update({"sim7028": b',"3F29","055A7B07",9', "a76xx": b',"1A2B","01C3D4E5",7'})


def reports(family) -> list:
    return ["CREG", "CGREG"] + ["CEREG"] * (family != "sim800")


def told(family, state: int, cell: bytes = b"") -> bytes:
    """The codes of a change, those of all reports."""
    return b"".join(b"\r\n+%s: %d%s\r\n" % (name.encode(), state, cell) for name in reports(family))


def module(family, mode=1, **settings) -> Host:
    host = Host(family, choices={"cfun_cpin": "before"}, register_ms=3000, **settings)
    for name in reports(family):
        assert host.ask("AT+%s=%d" % (name, mode)) == OK
    return host


@each_family
def test_a_change_at_run_time_and_loss_are_told(family):
    host = module(family)
    for state in (2, 5, 0):
        host.vm.registration = state
        assert host.wait(10) == told(family, state)
    host.vm.registration = 0
    assert host.wait(10) == b""


@each_cip
def test_the_cell_is_told_in_the_form_of_the_family(family):
    host = module(family, mode=2)
    host.vm.registration = 2
    assert host.wait(10) == told(family, 2)
    host.vm.registration = 1
    assert host.wait(10) == told(family, 1, CELL[family])
    assert host.ask("AT+CREG?") == b"\r\n+CREG: 2,1" + CELL[family] + b"\r\n" + OK


@each_family
def test_the_radio_off_and_on_is_told(family):
    host = module(family)
    answer = host.ask("AT+CFUN=4", 300)
    assert answer.endswith(OK + told(family, 0))
    assert host.ask("AT+CFUN=1", 300) == b"\r\n+CPIN: READY\r\n" + OK + told(family, 2)
    assert host.wait(2600) == b""
    assert host.wait(400) == told(family, 1)


@each_family
def test_leaving_the_network_and_coming_back_is_told(family):
    host = module(family)
    assert host.ask("AT+COPS=2").endswith(told(family, 0))
    assert host.ask("AT+COPS?") == b"\r\n+COPS: 2\r\n" + OK
    assert host.ask("AT+COPS=0") == OK + told(family, 2)
    assert host.wait(3000) == told(family, 1)


@each_family
def test_power_up_is_told_when_the_setting_was_saved(family):
    host = module(family, boot_lines=(), boot_ms=500, default_autobaud=False, deaf_ms=0)
    host.vm.choices["boot_noise"] = b""
    assert host.ask("AT&W") == OK
    host.vm.restart()
    assert host.wait(3000) == told(family, 2)
    assert host.wait(600) == told(family, 1)


@each_family
def test_a_card_that_is_unlocked_registers(family):
    host = module(family, sim="SIM PIN")
    assert host.ask('AT+CPIN="1234"') == OK + b"\r\n+CPIN: READY\r\n" + told(family, 2)
    assert host.wait(3000) == told(family, 1)


@pytest.mark.parametrize("family", LTE[1:3])
def test_circuit_switched_registration_may_stay_denied(family):
    host = Host(family, choices={"creg": "denied"})
    host.ask("AT+CREG=1;+CEREG=1")
    host.vm.registration = 2
    assert host.wait(10) == b"\r\n+CREG: 2\r\n\r\n+CEREG: 2\r\n"
    host.vm.registration = 1
    assert host.wait(10) == b"\r\n+CREG: 3\r\n\r\n+CEREG: 1\r\n"


NAMES = ((0, b"Simulated"), (1, b"Sim"), (2, b"00101"))


@each_cip
@pytest.mark.parametrize("form, name", NAMES)
def test_the_operator_in_each_form(family, form, name):
    host = Host(family)
    access = {"sim800": b"", "sim7028": b",9"}.get(family, b",7")
    assert host.ask("AT+COPS=3,%d" % form) == OK
    assert host.ask("AT+COPS?") == b'\r\n+COPS: 0,%d,"%s"%s\r\n' % (form, name, access) + OK


def test_a_2g_module_claims_no_lte():
    host = Host("sim800")
    found = host.ask("AT+COPS=?", 4000)
    assert found == b'\r\n+COPS: (2,"Simulated","Sim","00101"),,(0,1,2,3,4),(0,1,2)\r\n' + OK
    assert host.ask("AT+CEREG?") == b"\r\nERROR\r\n"
