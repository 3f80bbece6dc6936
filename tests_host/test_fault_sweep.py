"""One fault in a session: no byte wrong, none lost in silence, none twice, and everything works again."""

import re

import faults  # first: it puts the shim in place
import pytest


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


@pytest.mark.parametrize("family", ("sim7028", "a76xx"))
@pytest.mark.parametrize("session", ("client", "server"))
def test_refusal_that_is_not_about_no_data_does_not_hide_bytes_that_wait(family, session):
    stray = faults.STRAYS.index("+CIPERROR: 4\r\n\r\nERROR")
    seen = faults.reference(family, session, "text", 0)["rx"]
    for each in re.finditer(rb"\r\n\+CIPRXGET: 2,", seen):
        assert problems(family, session, "rx", each.start(), "stray%d" % stray) == [], each


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
