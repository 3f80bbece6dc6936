"""The serial side of the virtual modem: echo, command lines, unsolicited codes, pieces."""

import pytest
from sim.power import RUDE
from sim_host import UP, Host, machine


def test_echo_is_part_of_the_answer_until_ate0():
    host = Host(echo=True)
    assert host.ask("AT") == b"AT\r\r\nOK\r\n"
    assert host.ask("ATE0") == b"ATE0\r\r\nOK\r\n"
    assert host.ask("AT") == b"\r\nOK\r\n"


def test_newline_behind_return_is_echoed_and_ignored():
    host = Host(echo=True)
    assert host.ask(b"AT\r\n") == b"AT\r\n\r\nOK\r\n"
    assert host.ask(b"AT\r") == b"AT\r\r\nOK\r\n"


def test_names_ignore_case_and_commands_join():
    host = Host()
    assert host.ask("at+csq;+cgatt?") == b"\r\n+CSQ: 20,0\r\n\r\n+CGATT: 1\r\n\r\nOK\r\n"


def test_a_joined_line_stops_at_its_first_error():
    host = Host()
    assert host.ask("AT+CSQ;+CIFSR;+CGATT?") == b"\r\n+CSQ: 20,0\r\n\r\nERROR\r\n"


def test_a_line_without_at_is_ignored():
    host = Host()
    assert host.ask("hello") == b""
    assert host.ask("AT") == b"\r\nOK\r\n"


def test_backspace_edits_the_line():
    host = Host()
    assert host.ask(b"AT+CSX\x08Q\r") == b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n"


def test_a_line_beyond_the_buffer_is_an_error():
    host = Host()
    assert host.ask('AT+CSTT="%s"' % ("a" * 600)) == b"\r\nERROR\r\n"


def test_error_reports_follow_cmee():
    host = Host()
    assert host.ask("AT+CIICR") == b"\r\nERROR\r\n"
    host.ask("AT+CMEE=1")
    assert host.ask("AT+CIICR") == b"\r\n+CME ERROR: 3\r\n"
    host.ask("AT+CMEE=2")
    assert host.ask("AT+CIICR") == b"\r\n+CME ERROR: operation not allowed\r\n"


def test_short_results_and_no_results():
    host = Host()
    assert host.ask("ATV0") == b"0\r"
    assert host.ask("AT+CIICR") == b"4\r"
    assert host.ask("ATQ1") == b""
    assert host.ask("ATQ0V1") == b"\r\nOK\r\n"


def test_factory_settings_bring_the_echo_back():
    host = Host()
    host.ask("AT+CIPQSEND=1")
    host.ask("AT&F")
    assert host.ask("AT+CIPQSEND?") == b"AT+CIPQSEND?\r\r\n+CIPQSEND: 0\r\n\r\nOK\r\n"


def test_settings_are_kept_and_told():
    host = Host()
    assert host.ask("AT+CNMP=38") == b"\r\nOK\r\n"
    assert host.ask("AT+CNMP?") == b"\r\n+CNMP: 38\r\n\r\nOK\r\n"
    assert host.ask("AT+NOSUCH=1") == b"\r\nERROR\r\n"


POSITIONS = [
    ("before_echo", b"\r\nX\r\nAT+CSQ\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n"),
    ("after_echo", b"AT+CSQ\r\r\nX\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n"),
    ("before_info", b"AT+CSQ\r\r\nX\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n"),
    ("before_ok", b"AT+CSQ\r\r\n+CSQ: 20,0\r\n\r\nX\r\n\r\nOK\r\n"),
    ("after_ok", b"AT+CSQ\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n\r\nX\r\n"),
]


@pytest.mark.parametrize("position, expected", POSITIONS)
def test_a_code_can_be_put_at_any_position_once(position, expected):
    host = Host(echo=True)
    host.vm.inject(position, b"X")
    assert host.ask("AT+CSQ") == expected
    assert host.ask("AT") == b"AT\r\r\nOK\r\n"


def test_an_unknown_position_is_a_mistake():
    with pytest.raises(ValueError):
        Host().vm.inject("somewhere", b"X")


def test_a_code_waits_for_the_end_of_a_half_typed_command():
    host = Host(echo=True)
    host.send(b"AT+C")
    host.clock.sleep_ms(2)
    host.vm.urc(b"RING")
    assert host.wait(20) == b"AT+C"
    assert host.ask(b"SQ\r") == b"SQ\r\r\nRING\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n"


def test_a_code_does_not_wait_for_ever():
    host = Host(echo=True)
    host.send(b"AT+C")
    host.clock.sleep_ms(2)
    host.vm.urc(b"RING")
    assert host.wait(300) == b"AT+C\r\nRING\r\n"


def test_a_second_command_waits_for_the_first():
    host = Host()
    host.do("AT+CIPSHUT", 'AT+CSTT="x"')
    assert host.ask(b"AT+CIICR\rAT+CSQ\r", 500) == b""
    assert host.wait(1000) == b"\r\nOK\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n"


def test_answers_come_at_the_rate_of_the_line():
    host = Host(baud=9600, think_ms=0)
    host.vm.baud = 9600
    host.send("AT+CGMR\r")
    host.uart.flush()
    size = len(b"\r\nRevision:1529B11SIM7000G\r\n\r\nOK\r\n")
    begin = host.clock.now_us
    assert len(host.collect(size)) == size
    assert (host.clock.now_us - begin) / 1000 == pytest.approx(size * 10 / 9.6, rel=0.05)


def test_split_answers_have_the_same_bytes():
    host = Host(split_ms=50)
    pauses = 0
    for _ in range(20):
        begin = host.clock.now_us
        assert host.ask("AT+CSQ", 0) == b""
        assert host.collect(22) == b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n"
        pauses += host.clock.now_us - begin > 20_000
    assert pauses > 3


def test_one_seed_gives_one_module():
    def answers(seed):
        host = Host(seed=seed, split_ms=10)
        host.do("AT+CIPMUX=1", *UP)
        return host.vm.choices, [(ms, way, data) for ms, way, data in host.vm.log]

    assert answers(5) == answers(5)
    assert len({str(answers(seed)[0]) for seed in range(10)}) > 5


def test_a_silent_module_says_nothing():
    host = Host()
    host.vm.silent = True
    assert host.ask("AT", 1000) == b""
    host.vm.silent = False
    assert host.ask("AT") == b"\r\nOK\r\n"


def test_the_rate_changes_behind_the_ok():
    host = Host()
    assert host.ask("AT+IPR=460800") == b"\r\nOK\r\n"
    assert b"OK" not in host.ask("AT")
    host.uart.init(baudrate=460800)
    assert host.ask("AT") == b"\r\nOK\r\n"
    assert host.ask("AT+IPR?") == b"\r\n+IPR: 460800\r\n\r\nOK\r\n"
    assert host.ask("AT+IPR=12345") == b"\r\nERROR\r\n"


def test_autobaud_spends_the_first_characters():
    host = Host(default_autobaud=True, baud=9600)
    assert host.ask("AT") == b""
    assert host.ask("AT") == b"\r\nOK\r\n"


def test_the_log_and_the_commands_are_kept():
    host = Host()
    host.ask("AT+CSQ")
    assert host.vm.commands == [b"AT+CSQ"]
    assert b"".join(data for _, way, data in host.vm.log if way == ">") == b"AT+CSQ\r"
    assert b"".join(data for _, way, data in host.vm.log if way == "<") == b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n"


def test_unknown_settings_and_choices_are_mistakes():
    with pytest.raises(TypeError):
        Host(no_such_setting=1)
    with pytest.raises(ValueError):
        Host(choices={"no_such_choice": 1})


@pytest.mark.parametrize("mode, level, answered", [(0, 1, True), (1, 1, False), (1, 0, True)])
def test_sleep_follows_dtr(mode, level, answered):
    host = Host(powered=False)
    dtr = machine.Pin(7, machine.Pin.OUT, value=0)
    host.vm._dtr = dtr
    host.vm.boot()
    host.wait(10_000)
    host.ask("AT+CSCLK=%d" % mode)
    dtr.value(level)
    assert (b"OK" in host.ask("AT")) is answered


def test_the_first_character_wakes_a_dozing_module_and_is_lost():
    host = Host()
    host.ask("AT+CSCLK=2")
    host.wait(6000)
    assert host.ask("AT", 50) == b""
    host.wait(60)
    assert host.ask("AT") == b"\r\nOK\r\n"


def test_a_polite_seed_chooses_no_faults():
    first = Host().vm.choices
    names = [name for name in RUDE if name in first]
    modules = [Host(seed=seed, polite=True).vm.choices for seed in range(8)]
    assert all(chosen[name] == first[name] for chosen in modules for name in names)
    assert any(Host(seed=seed).vm.choices["answers"] != first["answers"] for seed in range(8))
    assert len({chosen["closed"] for chosen in modules}) == 2
