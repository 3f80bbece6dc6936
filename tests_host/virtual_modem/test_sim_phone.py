"""What strangers' programs ask of the virtual module before they connect, and what is no business of sockets."""

import inspect

from families import FAMILIES, OPEN
import pytest
from sim_host import Host

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
each_family = pytest.mark.parametrize("family", FAMILIES)
on_cipstart = pytest.mark.parametrize("family", FAMILIES[:2])


def told(text: str) -> bytes:
    """An information response and its OK."""
    return b"\r\n" + text.encode() + b"\r\n" + OK


# --- V.250


@each_family
def test_a_slash_repeats_the_last_line_without_return(family):
    host = Host(family, echo=True)
    assert host.ask("AT+CPAS") == b"AT+CPAS\r" + told("+CPAS: 0")
    assert host.ask(b"A/") == b"A/" + told("+CPAS: 0")
    assert host.ask(b"a/AT\r") == b"a/" + told("+CPAS: 0") + b"AT\r" + OK


def test_repeating_before_any_line_is_an_empty_one():
    assert Host().ask(b"A/") == OK


@each_family
def test_registers_are_set_and_told(family):
    host = Host(family)
    assert host.ask("ATS0=2") == OK
    assert host.ask("ATS0?") == told("002")
    assert host.ask("ATS0=0S7?") == told("060")
    assert host.ask("ATS99=1") == ERROR
    assert host.ask("ATS0=256") == ERROR


@each_family
def test_settings_without_effect_have_their_ranges(family):
    host = Host(family)
    for command in ("ATX4", "ATX", "ATL9M2", "AT&C1&D0", "AT&K3", "AT&S1", "ATH", "ATH0"):
        assert host.ask(command) == OK, command
    for command in ("ATX5", "ATM3", "AT&C2"):
        assert host.ask(command) == ERROR, command


@each_family
def test_the_profile_is_shown_kept_and_taken_back(family):
    host = Host(family, choices={"cmee": 0})
    first = host.ask("AT&V")
    assert first.startswith(b"\r\nACTIVE PROFILE:\r\nE0 Q0 V1 &D0 L0 M0 N0 X4 &C1 &K0 &S0\r\nS0:000 S3:013")
    host.ask("AT+CMEE=1;+CREG=1;S0=3&W")
    host.ask("AT+CMEE=2;+CREG=0;S0=4")
    assert host.ask("ATZ;+CMEE?;+CREG?;S0?") == b"\r\n+CMEE: 1\r\n\r\n+CREG: 1,1\r\n\r\n003\r\n" + OK
    host.ask("AT&F")
    assert host.ask("ATE0;+CMEE?;S0?").endswith(b"\r\n+CMEE: 0\r\n\r\n000\r\n" + OK)


@each_family
def test_short_results_take_the_headers_from_information_too(family):
    host = Host(family, choices={"cmee": 2})
    assert host.ask("ATV0") == b"0\r"
    assert host.ask("AT+CPAS") == b"+CPAS: 0\r\n0\r"
    assert host.ask("AT+NONSENSE") == b"+CME ERROR: unknown\r\n"
    assert host.ask("ATV1") == OK


# --- identity


def lines(host: Host, command: str) -> str:
    return host.ask(command).decode()


@each_family
@pytest.mark.parametrize("model", (None, "SIM868"))
def test_a_module_is_the_same_in_every_answer(family, model):
    host = Host(family, **({"model": model} if model else {}))
    for command in ("ATI", "AT+GMM", "AT+CGMM"):
        assert host.vm.model in lines(host, command)
    for command in ("AT+GSN", "AT+CGSN"):
        assert lines(host, command).split()[0] == host.vm.imei
    assert lines(host, "AT+GMR") == lines(host, "AT+CGMR")
    assert "+CGSM" in lines(host, "AT+GCAP")
    for command in ("AT+GMM=?", "AT+CGSN=?", "AT+CGMR=?"):
        assert host.ask(command) == OK
    if family == "a76xx":
        assert "IMEI: " + host.vm.imei in lines(host, "ATI") and host.vm.imei in lines(host, "AT+SIMCOMATI")


# --- what a module has, and what values it takes

LISTS = {"CSCS": ('("IRA","GSM","UCS2","HEX")', FAMILIES), "CPMS": ('("SM"),("SM"),("SM")', FAMILIES)}
LISTS["CNMP"] = "((2-Automatic),(13-GSM Only),(38-LTE Only),(51-GSM And LTE Only))", ("sim7000",)
LISTS["CMNB"] = "((1-Cat-M),(2-NB-IoT),(3-Cat-M And NB-IoT))", ("sim7000",)
LISTS["CIPSSL"] = "(0-1)", FAMILIES[:2]
LISTS["CMGL"] = "(0,1,2,3,4)", FAMILIES
LISTS["CNMI"] = "(0-3),(0-3),(0,2),(0-2),(0,1)", FAMILIES


@pytest.mark.parametrize("family, name", [(family, name) for name in LISTS for family in LISTS[name][1]])
def test_a_test_form_tells_the_values(family, name):
    assert Host(family).ask("AT+%s=?" % name) == told("+%s: %s" % (name, LISTS[name][0]))


@each_family
def test_what_a_module_lacks_is_refused_and_counted(family):
    host = Host(family, choices={"cmee": 0})
    for command in ("AT+QIOPEN=1", "AT+QIOPEN=2", "AT^USSDMODE=0", "AT$QCRMCALL=1", "AT*FOO"):
        assert host.ask(command) == ERROR
    assert host.vm.not_known == {"+QIOPEN": 2, "^USSDMODE": 1, "$QCRMCALL": 1, "*FOO": 1}


@each_family
def test_battery_clock_and_names(family):
    host = Host(family)
    volts = family in OPEN
    assert host.ask("AT+CBC") == told("+CBC: 4.012V" if volts else "+CBC: 0,85,4012")
    assert host.ask("AT+CSPN?") == told('+CSPN: "Simulated",0')
    assert host.ask("AT+CNUM") == told('+CNUM: "","+15550123",145')
    assert host.ask("AT+CBATCHK=1;+CBATCHK?") == told("+CBATCHK: 1")
    assert host.ask('AT+CSCA="+15559999";+CSCA?') == told('+CSCA: "+15559999",145')
    modes = {"sim7000": "7", "sim7028": "9", "a76xx": "8"}
    if family in modes:
        assert host.ask("AT+CNSMOD?") == told("+CNSMOD: 0," + modes[family])
        host.vm.registration = 2
        assert host.ask("AT+CNSMOD?") == told("+CNSMOD: 0,0")
    else:
        assert host.ask("AT+CNSMOD?") == ERROR


@each_family
def test_the_clock_is_the_networks_and_goes_on(family):
    host = Host(family)

    def seconds():
        text = host.ask("AT+CCLK?").decode()
        assert text.startswith('\r\n+CCLK: "24/05/17,') and '+32"' in text
        hours, minutes, rest = text.split(",")[1][:8].split(":")
        return int(hours) * 3600 + int(minutes) * 60 + int(rest)

    before = seconds()
    host.wait(59_900)
    assert seconds() - before == 60
    assert host.ask('AT+CCLK="25/01/02,03:04:05+00"') == OK
    assert host.ask("AT+CCLK?") == told('+CCLK: "25/01/02,03:04:05+32"')
    assert host.ask('AT+CCLK="yesterday"') == ERROR


# --- calls


@each_family
def test_an_incoming_call_rings_until_it_is_answered(family):
    host = Host(family)
    host.ask("AT+CLIP=1")
    host.vm.call_from("+15550100")
    ring = b'\r\nRING\r\n\r\n+CLIP: "+15550100",145,"",0,"",0\r\n'
    assert host.wait(4000) == ring + ring
    assert host.ask("AT+CPAS;+CLCC") == b"\r\n+CPAS: 3\r\n" + told('+CLCC: 1,1,4,0,0,"+15550100",145')
    assert host.ask("AT+CHUP=?") == OK
    assert host.ask("ATA") == OK
    assert host.ask("AT+CLCC") == told('+CLCC: 1,1,0,0,0,"+15550100",145')
    assert host.wait(10_000) == b""
    assert host.ask("AT+CPAS") == told("+CPAS: 4")
    host.vm.call_ends()
    assert host.wait(10) == b"\r\nNO CARRIER\r\n"
    assert host.ask("AT+CLCC") == OK
    assert host.ask("ATA") == b"\r\nNO CARRIER\r\n"


def test_changes_of_a_call_are_told_when_asked_for():
    host = Host("sim800", answer_ms=2000)
    assert host.ask("AT+CLCC=1;+CLCC?") == told("+CLCC: 1")
    row = b'\r\n+CLCC: 1,%d,%d,0,0,"+15550100",145\r\n'
    assert host.ask("ATD+15550100;", 2500) == OK + row % (0, 2) + row % (0, 3) + row % (0, 0)
    assert host.ask("ATH") == OK + row % (0, 6)
    host.vm.call_from("+15550100")
    assert host.wait(100) == b"\r\nRING\r\n" + row % (1, 4)


@each_family
def test_a_call_that_is_given_up_rings_no_more(family):
    host = Host(family)
    host.ask("AT+CRC=1")
    host.vm.call_from("+15550100")
    assert host.wait(10) == b"\r\n+CRING: VOICE\r\n"
    assert host.ask("ATH") == OK
    assert host.wait(10_000) == b""


@pytest.mark.parametrize("family", ("sim800", "sim7000", "a76xx"))
def test_a_call_goes_out_and_is_answered(family):
    host = Host(family, answer_ms=2000)
    assert host.ask("ATD+15550100;") == OK
    states = [host.ask("AT+CLCC") for _ in range(2) if host.wait(500) == b""]
    assert states == [told('+CLCC: 1,0,%d,0,0,"+15550100",145' % state) for state in (2, 3)]
    host.wait(1000)
    assert host.ask("AT+CLCC") == told('+CLCC: 1,0,0,0,0,"+15550100",145')
    assert host.ask("AT+CHUP;+CPAS") == told("+CPAS: 0")


@each_family
def test_a_call_for_data_finds_nobody(family):
    assert Host(family).ask("ATD*99#") == b"\r\nNO CARRIER\r\n"


# --- contexts of 27.007, SAPBR


@on_cipstart
def test_activating_a_context_attaches_first(family):
    host = Host(family)
    assert host.ask("AT+CGATT=0", 500).endswith(OK)
    assert host.ask('AT+CGDCONT=1,"IP","internet"') == OK
    assert host.ask("AT+CGPADDR=1") == told('+CGPADDR: 1,"0.0.0.0"')
    assert host.ask("AT+CGACT=1,1", 500) == OK
    assert host.ask("AT+CGATT?") == told("+CGATT: 1")
    assert host.ask("AT+CGACT?") == told("+CGACT: 1,1")
    assert host.ask("AT+CGPADDR=1") == told('+CGPADDR: 1,"10.78.245.128"')
    assert host.ask("AT+CGACT=0,1", 500) == OK
    assert host.ask("AT+CGACT?") == told("+CGACT: 1,0")


@on_cipstart
def test_no_context_without_a_network(family):
    host = Host(family, choices={"cmee": 0})
    host.vm.registration = 2
    assert host.ask("AT+CGACT=1,1", 500) == ERROR


@pytest.mark.parametrize("family, cid", (("sim7028", 0), ("a76xx", 1)))
def test_the_address_of_a_context(family, cid):
    host = Host(family)
    assert host.ask("AT+CGPADDR=%d" % cid) == told('+CGPADDR: %d,"10.78.245.128"' % cid)
    assert host.ask("AT+CGPADDR=5") == told('+CGPADDR: 5,"0.0.0.0"')
    assert host.ask("AT+CGPADDR=?") == told("+CGPADDR: (%d)" % cid)


@on_cipstart
def test_a_bearer_opens_once_and_closes_once(family):
    host = Host(family, choices={"cmee": 1})
    closed, refused = told('+SAPBR: 1,3,"0.0.0.0"'), b"\r\n+CME ERROR: 3\r\n"
    assert host.ask("AT+SAPBR=2,1") == closed
    assert host.ask("AT+SAPBR=0,1", 2000) == refused
    assert host.ask('AT+SAPBR=3,1,"Contype","GPRS"') == OK
    assert host.ask('AT+SAPBR=3,1,"APN","internet"') == OK
    assert host.ask("AT+SAPBR=1,1", 2000) == OK
    assert host.ask("AT+SAPBR=2,1") == told('+SAPBR: 1,1,"10.78.245.128"')
    assert host.ask("AT+SAPBR=1,1", 2000) == refused
    assert b"\r\nAPN: internet\r\n" in host.ask("AT+SAPBR=4,1")
    assert host.ask("AT+SAPBR=2,2") == told('+SAPBR: 2,3,"0.0.0.0"')
    assert host.ask("AT+SAPBR=0,1", 2000) == OK
    assert host.ask("AT+SAPBR=2,1") == closed
    assert host.ask('AT+SAPBR=3,1,"NONSENSE","x"') == ERROR


@on_cipstart
def test_a_bearer_dies_with_the_network_and_wants_the_right_apn(family):
    host = Host(family, home_apns=("internet",), choices={"cmee": 0})
    host.vm._attach_apn = "internet"
    host.ask('AT+SAPBR=3,1,"APN","wrong"')
    assert host.ask("AT+SAPBR=1,1", 2000) == ERROR
    host.ask('AT+SAPBR=3,1,"APN","internet"')
    assert host.ask("AT+SAPBR=1,1", 2000) == OK
    host.ask("AT+CGATT=0", 500)
    assert host.ask("AT+SAPBR=2,1").endswith(told('+SAPBR: 1,3,"0.0.0.0"'))


# --- The module is made of parts that know nothing of each other


@each_family
def test_no_part_takes_the_place_of_another_ones_method(family):
    parts = type(Host(family).vm).__mro__[:-1]
    for at, part in enumerate(parts):
        for name, method in vars(part).items():
            others = [each for each in parts[at + 1 :] if inspect.isfunction(method) and name in vars(each)]
            if others and not issubclass(part, others[0]) and not name.startswith("__"):
                assert "super()." + name in inspect.getsource(method), (part, others[0], name)
