"""What real modules do beyond the documents: small inputs of field reports, replayed against the driver.

The files in `cases/` have the format of the transcripts; each is tried on every family that can show it.
"""

import errno
import pathlib

from feed import ERROR, Module, OK, info  # first: it puts the shim in place
from families import CIP, FAMILIES, OPEN
import pytest
from feed_open import OpenModule
from transcript import Transcript

import simcom

FOLDER = pathlib.Path(__file__).parents[1] / "cases"
LTE = CIP[1:]

each_family = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)
each_lte_family = pytest.mark.parametrize("family", LTE)


def case(name):
    return Transcript(FOLDER / (name + ".txt"))


class Field:
    """A module that answers a command as the case does, in its order, then as usual; `for_ever`: again and again."""

    def __init__(self, family, name, for_ever=False, **modem_args):
        self.case = case(name)
        self.module = OpenModule(family) if family in OPEN else Module()
        answers: dict = {}
        for command, said in self.case.exchanges():
            answers.setdefault(command, []).append(said)
        for command, queue in answers.items():
            self.module.say_to[command] = self._player(queue, for_ever)
        self.modem = getattr(simcom, family.upper())(self.module.uart, **modem_args)

    def _player(self, queue, for_ever):
        def play(line):
            if not queue:
                return None
            said = queue[0] if for_ever else queue.pop(0)
            ms = 2
            for each in said:
                if isinstance(each, int):
                    ms += each
                else:
                    self.module.uart.later(ms, each)
                    ms += 5
            return b""

        return play

    def up(self):
        self.modem.active(True)
        self.modem.connect("internet")
        return self

    def socket(self):
        s = self.modem.socket()
        s.settimeout(30)
        s.connect(("1.2.3.4", 80))
        return s

    def carries(self, s):
        """Whether a connection still hears, and after it a new one works."""
        self.module.arrive(0, b"hello")
        assert s.read(5) == b"hello"
        s.close()
        return self.works()

    def works(self):
        """Whether a new connection carries data both ways."""
        s = self.socket()
        s.write(b"said")
        self.module.arrive(0, b"heard")
        assert s.read(5) == b"heard"
        s.close()
        return True


def test_every_case_is_replayed():
    text = "".join(each.read_text() for each in pathlib.Path(__file__).parent.glob("test_field_*.py"))
    for path in FOLDER.glob("*.txt"):
        assert '"%s"' % path.stem in text, path.stem


@each_cip
def test_answer_behind_a_late_ok(family):
    assert Field(family, "late_ok_cpin").up().works()


@each_cip
def test_list_of_networks_of_nine_hundred_characters(family):
    field = Field(family, "cops_list_cut").up()
    (line,) = field.modem.at("+COPS=?", timeout_ms=60_000)
    assert b"\r\n" + line.encode() + b"\r\n" + OK == field.case.exchanges()[0][1][1]
    assert len(line) > 600 and field.works()


@each_cip
def test_identity_with_an_unsolicited_line_behind_it(family):
    field = Field(family, "imsi_or_urc").up()
    assert field.modem.config("imsi") == "001010000000001"


@each_cip
def test_text_message_whose_lines_begin_as_codes(family):
    field = Field(family, "sms_lines_swallowed").up()
    assert field.modem.at("+CMGR=1")[1:] == ["Call me at five", "SMS credit 1.65", "bye"]
    assert field.works()


@each_cip
def test_prompt_that_nobody_awaits(family):
    field = Field(family, "cmgs_prompt").up()
    with pytest.raises(OSError) as caught:
        field.modem.at('+CMGS="+15550100"')
    assert caught.value.errno == errno.EINVAL and "data=" in str(caught.value)
    sent = bytes(field.module.uart.sent)
    assert sent[sent.index(b"AT+CMGS") :].startswith(b'AT+CMGS="+15550100"\r\x1b')
    assert field.modem.at("+CSQ") == ["+CSQ: 20,0"]
    assert field.works()


@each_cip
def test_sentence_of_gnss_between_payload_and_ok(family):
    field = Field(family, "nmea_before_ok").up()
    module = field.module
    module.say_to.clear()
    s = field.socket()
    module.arrive(0, b"first")
    assert s.read(5) == b"first"
    answer = b"".join(field.case.exchanges()[0][1])
    read = module.read

    def once(n, most):
        module.read = read
        module.inbox[n].clear()
        return answer

    module.read = once
    module.arrive(0, b"second")
    assert s.read(6) == b"second"
    module.arrive(0, b"third")
    assert s.read(5) == b"third"


@pytest.mark.parametrize("family", OPEN)
def test_lines_without_a_sign_while_data_is_pushed(family):
    field = Field(family, "push_plain_urc").up()
    field.modem.config(receive="push")
    s = field.socket()
    ms = 10
    for kind, value in field.case.steps:
        if kind == "@":
            ms += value
        else:
            field.module.uart.later(ms, value)
            ms += 5
    assert s.read(6) == b"onetwo"
    field.module.uart.later(10, b"\r\nRECV FROM:192.0.2.7:7\r\n+RECEIVE,0,5:\r\nthree")
    assert s.read(5) == b"three"


@each_lte_family
def test_apn_of_another_card_is_replaced_before_registration(family):
    field = Field(family, "apn_before_registration_a76xx")
    said, module = {"CEREG": b"0,0", "CGREG": b"0,3", "apn": b"YourAPN"}, field.module

    def set_apn(line):
        if b"new.apn" in line:
            said.update(CEREG=b"0,1", CGREG=b"0,1", apn=b"new.apn")
        return OK

    module.say_to = {
        b"AT+CEREG?": lambda line: info(b"+CEREG: " + said["CEREG"]),
        b"AT+CGREG?": lambda line: info(b"+CGREG: " + said["CGREG"]),
        b"AT+CGDCONT?": lambda line: info(b'+CGDCONT: 1,"IP","%s"' % said["apn"]),
        b"AT+CGDCONT=": set_apn,
    }
    field.modem.active(True)
    field.modem.connect("new.apn", timeout_ms=60_000)
    assert field.modem.isconnected() and said["apn"] == b"new.apn"
    assert not field.module.sent(b"AT+CFUN=0")
    assert field.works()


@each_cip
def test_radio_that_an_earlier_program_left_off(family):
    field = Field(family, "cfun_left_off").up()
    assert field.module.sent(b"AT+CFUN=1") and field.works()


@each_cip
def test_right_pin_after_which_the_card_still_asks(family):
    field = Field(family, "pin_lag", pin="1234")
    module, asked = field.module, []
    given = []

    def state(line):
        asked.append(line)
        if not given or len(asked) < given[0] + 4:
            return info(b"+CPIN: SIM PIN")
        return info(b"+CPIN: READY")

    module.say_to[b"AT+CPIN?"] = state
    module.say_to[b'AT+CPIN="1234"'] = lambda line: given.append(len(asked)) or OK
    field.up()
    assert len(given) == 1 and field.works()


@each_family
@pytest.mark.parametrize("stat", [6, 7, 8, 11])
def test_registration_for_messages_or_emergency_only(family, stat):
    field = Field(family, "sms_only_registration", for_ever=True)
    for name in (b"CEREG", b"CGREG", b"CREG"):
        field.module.say_to[b"AT+%s?" % name] = info(b"+%s: 0,%d" % (name, stat))
    field.modem.active(True)
    with pytest.raises(OSError) as caught:
        field.modem.connect("internet", timeout_ms=120_000)
    assert "SMS" in str(caught.value) and "plan and APN" in str(caught.value)


@each_family
def test_wrong_pin_of_a_board_that_starts_again_and_again(family):
    field = Field(family, "wrong_pin_each_start", pin="9999")
    module = field.module
    left = [3]

    def wrong(line):
        left[0] -= 1
        return b"\r\n+CME ERROR: 16\r\n"

    module.say_to = {
        b"AT+CPIN?": lambda line: info(b"+CPIN: SIM PIN" if left[0] else b"+CPIN: SIM PUK"),
        b"AT+CPIN=": wrong,
        b"AT+SPIC": lambda line: info(b"+SPIC: %d,10,3,10" % left[0]),
    }
    for _ in range(5):
        modem = type(field.modem)(module.uart, pin="9999")
        modem.active(True)
        with pytest.raises(OSError) as caught:
            modem.connect("internet")
        assert caught.value.errno == errno.EACCES and "at('+CPIN=" in str(caught.value)
    assert left == [1]


def test_multiplexer_that_an_earlier_program_left_on():
    frame = case("cmux_left_on").steps[-1][1]
    field = Field("a76xx", "cmux_left_on")
    module = field.module
    take, closed = module.receive, []

    def receive(data):
        if closed:
            return take(data)
        received.extend(data)
        if b"\xf9\x03\xef" in received:  # the frame that closes the multiplexer: CLD
            closed.append(True)
        elif b"AT\r" in data:
            module.uart.later(5, frame)

    received = bytearray()
    module.uart.on_write = receive
    field.modem.active(True)
    assert closed and field.modem.at("+CSQ") == ["+CSQ: 20,0"]


@pytest.mark.parametrize("family", OPEN)
def test_report_of_the_network_that_never_comes(family):
    field = Field(family, "late_ok_cpin")
    module = field.module

    def network(line):
        if line in (b"AT+NETOPEN", b"AT+NETCLOSE"):
            module.net = line == b"AT+NETOPEN"
            module.open.clear()
            return OK
        return None

    module.say_to[b"AT+NET"] = network
    field.modem.active(True)
    field.modem.connect("internet", timeout_ms=60_000)
    assert field.works()
    field.modem.disconnect(timeout_ms=20_000)
    assert not module.net and field.modem.status() == "idle"


@each_lte_family
def test_apn_that_is_refused_while_a_context_of_an_earlier_program_is_up(family):
    field = Field(family, "late_ok_cpin")
    module = field.module
    attached = [True]

    def attach(line):
        attached[0] = line.endswith(b"1")
        return OK

    def set_apn(line):
        return b"\r\n+CME ERROR: operation not allowed\r\n" if attached[0] else OK

    module.say_to = {
        b"AT+CGDCONT?": info(b'+CGDCONT: 1,"IP","internet.mnc001.mcc001.gprs","10.1.2.3",0,0,0,0'),
        b"AT+CGDCONT=": set_apn,
        b"AT+CGATT=": attach,
    }
    field.up()
    assert module.sent(b"AT+CGDCONT=") == [b'AT+CGDCONT=1,"IP","internet"'] * 2
    assert attached[0] and field.works()


@each_family
def test_module_that_is_locked_to_a_network(family):
    field = Field(family, "late_ok_cpin")
    field.module.say_to[b"AT+CPIN?"] = info(b"+CPIN: PH-NET PIN")
    field.modem.active(True)
    with pytest.raises(OSError) as caught:
        field.modem.connect("internet")
    assert caught.value.errno == errno.EACCES and "locked to a network" in str(caught.value)


@each_cip
@pytest.mark.parametrize("word", [b"SIM PIN required", b"11"])
def test_pin_that_is_asked_for_by_an_error(family, word):
    field = Field(family, "late_ok_cpin", pin="1234")
    module = field.module
    error = b"\r\n+CME ERROR: " + word + b"\r\n"
    module.say_to = {b"AT+CPIN?": lambda line: None if module.sent(b"AT+CPIN=") else error}
    module.say_to[b"AT+CEREG?"] = module.say_to[b"AT+CGREG?"] = module.say_to[b"AT+CREG?"] = lambda line: (
        None if module.sent(b"AT+CPIN=") else info(line[2:-1] + b": 0,0")
    )
    assert field.up().works() and module.sent(b"AT+CPIN=") == [b'AT+CPIN="1234"']


@each_cip
def test_context_that_is_refused_once(family):
    field = Field(family, "context_refused_once").up()
    assert len(field.module.sent(b"AT+NETOPEN" if family in OPEN else b"AT+CIICR")) == 2
    assert field.works()


@each_cip
def test_context_that_is_refused_after_a_long_time_leaves_time_to_tell_why(family):
    field = Field(family, "context_refused_once", for_ever=True)
    for _, said in field.case.exchanges():
        said[said.index(500)] = 70_000
    field.modem.active(True)
    with pytest.raises(OSError) as caught:
        field.modem.connect("internet")
    assert ("AT+NETOPEN: error 1" if family in OPEN else "AT+CIICR: ERROR") in str(caught.value)


USUAL = {"start": "MODE=0 QSEND=1 SPRT=1", "open": "MODE=0 SENDMODE=0 CCFG"}


@each_cip
@pytest.mark.parametrize("place", range(3))
def test_setting_that_a_firmware_refuses_although_it_has_it(family, place):
    field = Field(family, "settings_refused")
    name = USUAL["open" if family in OPEN else "start"].split()[place]
    field.module.say_to[b"AT+CIP" + name.encode()] = dict(field.case.exchanges())[b"AT+CIPSENDMODE=0"][0]
    assert field.up().works()
    assert [why for why in field.modem.status("refused") if name in why and "ERROR" in why]


@each_cip
def test_setting_that_sockets_need_is_told_from_a_wrong_apn(family):
    field = Field(family, "settings_refused")
    field.module.say_to[b"AT+CIPRXGET=1"] = ERROR
    field.modem.active(True)
    with pytest.raises(OSError) as caught:
        field.modem.connect("internet")
    assert "settings: AT+CIPRXGET=1: ERROR" in str(caught.value) and "APN" not in str(caught.value)


@each_cip
def test_question_that_a_starting_module_swallows(family):
    field = Field(family, "start_in_bring_up").up()
    assert len(field.module.sent(b"AT+CPIN?")) > 2 and field.works()


@each_cip
@pytest.mark.parametrize("lost", [b"AT+CGATT?", b"AT+CIPMODE=0", b"AT+CFUN?", b"AT+CSTT=", b"AT+NETOPEN", b"AT+CGREG?"])
def test_any_short_command_that_is_swallowed_once(family, lost):
    field = Field(family, "start_in_bring_up")
    field.module.say_to = {lost: lambda line: None if len(field.module.sent(lost)) > 2 else b""}
    assert field.up().works()


@each_cip
def test_lines_of_a_sim_toolkit(family):
    field = Field(family, "toolkit_lines").up()
    s = field.socket()
    read = field.module.read
    for _, said in field.case.steps:
        field.module.read = lambda n, most, said=said: said + read(n, most)
        field.module.arrive(0, b"heard")
        assert s.read(5) == b"heard"


@each_cip
def test_error_of_another_command_before_the_receive_mode_is_told(family):
    field = Field(family, "late_ok_cpin")
    field.module.say_to[b"AT+CIPRXGET=1"] = b"\r\n+CMS ERROR: 500\r\n" + OK
    assert field.up().works()
