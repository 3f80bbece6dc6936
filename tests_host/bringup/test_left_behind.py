"""What an earlier program, or somebody meanwhile, left the module in: multiplexer, echo, digits, no results at all."""

import errno

from families import CA, CIP as FAMILIES, OPEN
import pytest
from rig import ECHO, Rig
from sim import Peer
from test_bringup import press

each_family = pytest.mark.parametrize("family", FAMILIES)
with_ca = pytest.mark.parametrize("family", FAMILIES + CA)

# The multiplexer


@with_ca
@pytest.mark.parametrize("baud", (115200, 9600))
def test_module_in_multiplexer_mode_is_freed_by_the_close_down_frame(family, baud):
    rig = Rig(family=family, on=False, multiplexed=True, baud=baud)
    begin = rig.clock.ms
    rig.modem.active(True)
    assert press(rig) == [] and not rig.vm.multiplexed
    assert baud != 115200 or rig.clock.ms - begin < 4000, "at its own rate it is freed before others are tried"
    rig.modem.connect("internet")
    assert rig.works()


@with_ca
def test_module_in_multiplexer_mode_that_takes_no_close_down_is_switched_off_and_on(family):
    rig = Rig(family=family, on=False, multiplexed=True, choices={"close_down": "ignored"})
    rig.modem.active(True)
    assert press(rig) and not rig.vm.multiplexed
    rig.modem.connect("internet")
    assert rig.works()


@with_ca
def test_module_in_multiplexer_mode_is_named_where_there_is_no_key(family):
    rig = Rig(family=family, on=False, multiplexed=True, choices={"close_down": "ignored"}, modem_args={"pwrkey": None})
    with pytest.raises(OSError) as caught:
        rig.modem.active(True)
    assert caught.value.errno == errno.ETIMEDOUT and "CMUX" in str(caught.value)
    rig.vm.restart()
    rig.modem.connect("internet")
    assert rig.works()


# Results


def results(rig, form):
    """How the module words results from now on."""
    if form == "digits":
        rig.vm.verbose = False
    elif form == "none":
        rig.vm.quiet = True
    else:
        rig.vm.verbose, rig.vm.quiet = False, True


each_form = pytest.mark.parametrize("form", ("digits", "none", "both"))


@with_ca
@each_form
def test_module_that_is_found_with_results_as_digits_or_off(family, form):
    rig = Rig(family=family, on=False)
    results(rig, form)
    begin = rig.clock.ms
    rig.modem.active(True)
    assert rig.clock.ms - begin < 4000
    assert press(rig) == [] and rig.vm.verbose and not rig.vm.quiet
    rig.modem.connect("internet")
    assert rig.works()


@each_family
@each_form
def test_results_that_become_digits_or_none_in_mid_session(family, form):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    results(rig, form)
    with pytest.raises(OSError) as caught:
        rig.modem.at("+CSQ")
    assert caught.value.errno == errno.ETIMEDOUT
    assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    assert rig.vm.verbose and not rig.vm.quiet
    s.write(b"the connection is what it was")
    assert s.read(29) == b"the connection is what it was"
    assert press(rig) == []


@with_ca
@each_form
def test_module_that_restarts_with_results_as_digits_or_off(family, form):
    rig = Rig(family=family)
    factory = rig.vm._factory

    def stored():
        factory()
        results(rig, form)

    rig.vm._factory = stored
    rig.modem.reset()
    rig.modem.connect("internet")
    assert rig.works()


# Echo


@with_ca
@pytest.mark.parametrize("when", ("before", "between"))
def test_echo_that_comes_back_is_switched_off_at_once(family, when):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    rig.vm.echo = True
    if when == "between":
        rig.modem.at("")
    s.write(b"some bytes\r\n")
    assert s.read(12) == b"some bytes\r\n"
    rig.pump(2000)
    assert not rig.vm.echo


EVIL = (
    b"0, CLOSED\r\n",
    b"\r\n0, CLOSED\r\n",
    b"\r\n+IPCLOSE: 0,1\r\n+CIPCLOSE: 0,0\r\n",
    b"\r\n+PDP: DEACT\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n",
    b"RDY\r\n*ATREADY: 1\r\n+CFUN: 1\r\n",
    b"NORMAL POWER DOWN\r\n",
    b"SEND FAIL\r\n0, SEND FAIL\r\nERROR\r\n",
    b"\r\n+CIPRXGET: 1,0\r\n\r\n+CIPSEND: 0,1,-1\r\n0, CONNECT FAIL\r\n",
    b"x" * 600 + b"\r\n0, CLOSED\r\n  0, CLOSED\r\n" + b"y" * 100,
    b"DATA ACCEPT:0,1\r\nOK\r\n",
    bytes(range(256)) * 3,
)


class Keeps(Peer):
    """Keeps what it gets, says it again."""

    def __init__(self):
        self.got = bytearray()

    def received(self, connection, data):
        self.got += data
        connection.write(data)


@with_ca
@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("off", ("heard", "never"))
def test_payload_that_is_echoed_is_never_taken_for_lines(family, evil, off):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    if off == "never":
        rig.vm.do_E = lambda op, args: "OK"
    for _ in range(3):
        rig.vm.echo = True
        s.write(evil)
        assert s.read(len(evil)) == evil
    assert rig.modem.isconnected() and rig.modem.active()
    s.write(b"still the same connection")
    assert s.read(25) == b"still the same connection"
    assert len(rig.net.connections) == 1


@with_ca
@pytest.mark.parametrize("payload", (b"hello\r\n", b"x" * 700, bytes(range(256)), b"BOOK\r\nOKAY"))
def test_module_that_echoes_commands_but_no_payload(family, payload):
    rig = Rig(family=family, echo_payload=False)
    s = rig.socket(ECHO)
    rig.vm.do_E = lambda op, args: "OK"
    rig.vm.echo = True
    for _ in range(3):
        s.write(payload)
        assert s.read(len(payload)) == payload
    rig.connection().close()
    assert s.read(1) == b"", "a line of the module's own is one"


# The network


@pytest.mark.parametrize("family", OPEN)
def test_network_that_can_neither_be_closed_nor_opened_again(family):
    rig = Rig(family=family, stays_open=True)
    rig.socket(rig.serve(Peer))  # … and a connection that nobody knows of
    rig.make()
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.works()
    rig.modem.disconnect()
    rig.modem.connect("internet")
    assert rig.works()
