"""One fault in a session: no byte wrong, none lost in silence, none twice, and everything works again."""

import re

import faults  # first: it puts the shim in place
from families import CA, CIP, OPEN
import pytest


EACH = 80  # of some nine thousand that each session has
SESSIONS = [(f, s, p) for f in faults.FAMILIES for s in faults.sessions(f) for p in faults.PAYLOADS]


@pytest.mark.parametrize("family, session, payload", SESSIONS)
def test_single_faults(family, session, payload):
    verdicts = [faults.run(name) for name in faults.sample(family, session, payload, EACH)]
    assert {each.run: each.problems for each in verdicts if each.problems} == {}


def test_sample_is_five_thousand_runs_of_every_kind():
    assert len(SESSIONS) * EACH >= 5000
    runs = [faults.parts(name) for name in faults.sample("sim7000", "client", "text", EACH)]
    assert len(set(runs)) == EACH
    assert {direction for _, direction, _, _ in runs} == {"rx", "tx"}
    kinds = {re.match("[a-z]+", fault)[0] for _, _, _, fault in runs}
    assert kinds == {kind if kind != "drops" else "drop" for kind in faults.KINDS}


def problems(family, session, direction, at, fault):
    """What a fault at an offset does to a session with payload of text."""
    return faults.run("%s/%s/text/0/%s/%d/%s" % (family, session, direction, at, fault)).problems


@pytest.mark.parametrize("family", ("sim800", "sim7000"))
def test_module_that_restarts_inside_the_ok_of_a_setting_is_told_all_of_them_again(family):
    # The line that comes next ends the OK, and only the echo tells of the restart.
    seen = faults.reference(family, "start", "text", 0)["rx"]
    first, last = seen.index(b"SHUT OK"), seen.index(b"CONNECT OK")
    for each in re.finditer(rb"\r\nOK\r\n", seen[first:last]):
        for at in range(6):
            assert problems(family, "start", "rx", first + each.start() + at, "restart") == [], (each, at)


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize("session", ("client", "server"))
def test_refusal_that_is_not_about_no_data_does_not_hide_bytes_that_wait(family, session):
    stray = faults.STRAYS.index("+CIPERROR: 4\r\n\r\nERROR")
    seen = faults.reference(family, session, "text", 0)["rx"]
    for each in re.finditer(rb"\r\n\+CIPRXGET: 2,", seen):
        assert problems(family, session, "rx", each.start(), "stray%d" % stray) == [], each


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize("report", (b"+CIPSEND: ", b"+IPCLOSE: "))
def test_report_that_lost_its_link_number_is_no_other_links(family, report):
    seen = faults.reference(family, "beside", "text", 0)["rx"]
    for each in re.finditer(re.escape(report) + b"1,", seen):
        for fault in ("drop1", "drop2", "flip6", "flip7", "insert32"):
            assert problems(family, "beside", "rx", each.end() - 2, fault) == [], fault


CLOSES = re.compile(rb"\r\n(?:(\d), CLOSED|\+IPCLOSE: (\d),|\+CASTATE: (\d),0|\+CACLOSE: (\d))")


@pytest.mark.parametrize(
    "family, session", [(f, s) for f in faults.FAMILIES for s in faults.sessions(f) if "beside" in s]
)
@pytest.mark.parametrize("payload", faults.PAYLOADS)
def test_close_that_is_reported_of_another_link_ends_no_stream_early(family, session, payload):
    key = family, session, payload, 0
    found = list(CLOSES.finditer(faults.reference(*key)["rx"]))
    assert {each[each.lastindex] for each in found} == {b"0", b"1"}
    for each in found:
        made, _ = faults.session(*key, direction="rx", at=each.start(each.lastindex), fault="flip0")
        assert (made.problems, made.error) == ([], None), each
        assert all(len(tally.got) == len(tally.sent) for tally in made.tallies), each


@pytest.mark.parametrize("family", CA)
@pytest.mark.parametrize("fault", ("drop1", *("flip%d" % bit for bit in range(7))))
def test_header_that_turns_into_an_unsolicited_code_or_an_empty_answer_hides_no_payload(family, fault):
    # "+CERECV:" and "+CRECV:" begin as "+CEREG:" and "+CREG:" do; "40" may become "0".
    for payload in faults.PAYLOADS:
        for header in re.finditer(rb"\+CARECV: [1-9]\d*", faults.reference(family, "client", payload, 0)["rx"]):
            for at in range(*header.span()):
                run = "%s/client/%s/0/rx/%d/%s" % (family, payload, at, fault)
                assert faults.run(run).problems == [], run


@pytest.mark.parametrize("family", CA)
def test_read_that_becomes_the_command_for_results_as_digits_is_given_up_in_the_end(family):
    reads = list(re.finditer(rb"AT\+CAREC(?=V=0,)", faults.reference(family, "client", "text", 0)["tx"]))
    for read in reads[:2] + reads[-2:]:
        assert problems(family, "client", "tx", read.start() + 2, "drop6") == [], read


PUSHED = re.compile(rb'(?:\+RECEIVE|\+CAURC: "recv"),(?=\d)')


@pytest.mark.parametrize("family", [each for each in faults.FAMILIES if "push" in faults.sessions(each)])
@pytest.mark.parametrize("fault", ("flip0", "flip1", "flip2", "flip3", "double1", "insert49"))
def test_pushed_bytes_for_a_number_that_was_damaged_are_no_other_links(family, fault):
    seen = faults.reference(family, "push-beside", "text", 0)["rx"]
    for header in PUSHED.finditer(seen):
        assert problems(family, "push-beside", "rx", header.end(), fault) == [], header


@pytest.mark.parametrize("family", CA)
def test_header_behind_a_refusal_that_is_no_answer_to_its_read_is_no_strangers(family):
    stray = faults.STRAYS.index("ERROR\r\n\r\nERROR")
    seen = faults.reference(family, "server", "text", 0)["rx"]
    for header in re.finditer(rb"\r\n\+CARECV: [1-9]", seen):
        for at in (header.start(), header.start() + 4, header.start() + 7):
            assert problems(family, "server", "rx", at, "stray%d" % stray) == [], at


@pytest.mark.parametrize("family", CIP)
@pytest.mark.parametrize("payload", faults.PAYLOADS)
def test_datagram_goes_out_once_when_what_is_told_of_it_is_damaged(family, payload):
    seen = faults.reference(family, "udp", payload, 0)["rx"]
    for each in re.finditer(rb"(CIPSEND: ?0|ACCEPT: ?0),[^\r]*\r\n", seen):
        for at in range(each.start(1), each.end()):
            fault = ("drop1", "drop2", "drop1", "double1")[at % 4]
            run = "%s/udp/%s/0/rx/%d/%s" % (family, payload, at, fault)
            assert faults.run(run).problems == [], run


@pytest.mark.parametrize("family", CIP)
@pytest.mark.parametrize("session", ("client", "udp"))
def test_payload_that_flow_control_holds_back_is_ended_by_filler(family, session):
    seen = faults.reference(family, session, "text", 0)["tx"]
    for each in re.finditer(rb"AT\+CIPSEND=0,\d+[^\r]*\r", seen):
        assert problems(family, session, "tx", each.end() + 5, "stall25000") == [], each


@pytest.mark.parametrize("family", CIP)
def test_module_that_waits_for_more_than_there_is_gets_no_command(family):
    seen = faults.reference(family, "client", "text", 0)["tx"]
    for each in re.finditer(rb"AT\+CIPSEND=0,\d+(?=\r)", seen):
        for at, fault in enumerate(("double1", "insert49", "flip3")):
            assert problems(family, "client", "tx", each.end() - at, fault) == [], fault


@pytest.mark.parametrize("family", CIP)
@pytest.mark.parametrize("session", ("client", "push", "udp"))
def test_payload_is_not_sent_again_behind_filler_that_went_out_in_its_place(family, session):
    # It holds "A/", so that it waits for a prompt: the command lost its CR, or the prompt a bit.
    key = family, session, "random", 0
    seen = faults.reference(*key)
    send = re.search(rb"AT\+CIPSEND=0,\d+[^\r]*\r", seen["tx"])
    prompt = seen["rx"].index(b"\r\n>") + 2
    for direction, at, fault in (("tx", send.end() - 1, "drop1"), ("rx", prompt, "flip5"), ("rx", prompt, "drop1")):
        made, _ = faults.session(*key, direction=direction, at=at, fault=fault)
        peer = made.tallies[0].talker
        came = b"".join(peer.came) if session == "udp" else bytes(peer.connection.received)
        assert made.error is not None and faults.PAYLOADS["random"][0][:9] not in came, fault
        assert faults.run("/".join((*key[:3], "0", direction, str(at), fault))).problems == [], fault


@pytest.mark.parametrize("family", CIP)
def test_pushed_header_that_announces_more_than_comes_holds_nothing_up(family):
    # What the module is asked in the silence that follows is counted as payload, and so is its answer.
    seen = faults.reference(family, "push", "text", 0)["rx"]
    for each in re.finditer(rb"\+RECEIVE,0,(?=\d)", seen):
        for at in (each.end(), each.end() + 1):
            assert problems(family, "push", "rx", at, "double1") == [], at


@pytest.mark.parametrize("family", ("sim800", "sim7000"))
def test_line_inside_a_pushed_header_is_no_end_of_it(family):
    seen = faults.reference(family, "push", "text", 0)["rx"]
    line = "line%d" % faults.LINES.index('+CMTI: "SM",10')
    for each in re.finditer(rb"\+RECEIVE,0,\d+,[\d.]+(?=:)", seen):
        for at in range(each.start(), each.end()):
            assert problems(family, "push", "rx", at, line) == [], at
    # The port may be cut as well, once it is known that a colon follows it on this module.
    at = seen.rindex(b":80:\r\n") + 2
    assert problems(family, "push", "rx", at, line) == []


# --- the judge


@pytest.mark.parametrize(
    "got, kind",
    [
        (b"abcd", None),
        (b"abcdefghij", None),
        (b"abXdef", "wrong bytes"),
        (b"abcdefghijX", "wrong bytes"),
        (b"abdefg", "silent loss"),
        (b"bcdefg", "silent loss"),
        (b"ababcd", "duplication"),
        (b"abcdefghijhij", "duplication"),
    ],
)
def test_difference_from_what_should_have_come(got, kind):
    assert [each for each, _ in faults.difference("read", got, b"abcdefghij")] == (kind and ["read: " + kind] or [])


def tally(sent=b"answer", writes=(b"ask",), received=b"ask"):
    talker = faults.Talker()
    talker.connection = type("Connection", (), {"received": received})
    made = faults.Tally(talker, sent, writes)
    made.got, made.eof = bytearray(b"answer"), True
    made.tried = made.reported = 3
    return made


def found(made):
    return [kind for kind, _ in made.judge()]


def test_both_ends_agree():
    assert found(tally()) == []


def test_an_early_end_of_the_stream_is_a_silent_loss():
    made = tally()
    made.got = bytearray(b"ans")
    assert found(made) == ["read: silent loss"]
    made.error = OSError(5)
    assert found(made) == []


def test_a_write_that_returned_though_the_peer_has_less_is_a_silent_loss():
    assert found(tally(received=b"as")) == ["peer: silent loss"]


def test_bytes_that_nobody_wrote_are_wrong():
    assert found(tally(received=b"ask!")) == ["peer: wrong bytes"]
    assert found(tally(received=b"AT+CSQ")) == ["peer: a command"]
    assert found(tally(received=b"as\r\r")) == ["peer: filler"]


def test_datagrams_come_whole_and_once_or_not_at_all():
    talker = faults.Datagrams()
    talker.came = [b"two"]
    made = faults.DatagramTally(talker, (b"a", b"bc"), (b"one", b"two"))
    made.got = [b"bc"]
    assert found(made) == []
    made.got = [b"abc"]
    assert found(made) == ["read: wrong bytes"]
    made.got = [b"a", b"a"]
    talker.came = [b"two", b"one"]
    assert found(made) == ["read: duplication", "peer: duplication"]
    made.got = [b"a"]
    talker.came = [b"on\r"]
    assert found(made) == ["peer: filler"]


# --- what cannot be told


def test_bits_turned_in_payload_are_told_apart():
    key = "sim7000", "client", "random", 0
    for direction, text in (("rx", faults.PAYLOADS["random"][1]), ("tx", faults.PAYLOADS["random"][0])):
        at = faults.reference(*key)[direction].index(text[1:]) + 10
        verdict = faults.run("/".join((*key[:3], "0", direction, str(at), "flip3")))
        assert verdict.problems == [] and [reason for _, reason in verdict.undecidable] == [faults.TURNED]


def test_a_fault_behind_the_end_of_the_session_is_not_met():
    verdict = faults.run("sim7000/client/text/0/rx/99999/drop1")
    assert [kind for kind, _ in verdict.problems] == ["not met"]


@pytest.mark.parametrize("family", CIP)
def test_line_in_the_place_of_pushed_bytes_is_told_apart_only_when_it_is_as_long(family):
    key = family, "push", "text", 0
    seen = faults.reference(*key)["rx"]
    report = re.search(rb"\r\n(0, CLOSED|\+IPCLOSE: 0,1)\r\n$", seen)
    for less, apart in ((0, [faults.REPLACED]), (1, []), (-1, [])):
        n = len(report[0]) - less
        verdict = faults.run("/".join((*key[:3], "0", "rx", str(report.start() - 20), "drop%d" % n)))
        assert verdict.problems == [] and [reason for _, reason in verdict.undecidable] == apart, n
