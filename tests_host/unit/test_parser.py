"""The parser: lines, prompts, counted payload, trailers; every case whole, byte by byte and with more behind it."""

import random

import pytest
from feed import FOLLOWS, TRAILER, counted, feed, parser, three_ways, tokens

HOSTILE = (
    bytes(range(256))
    + b"\r\nOK\r\n"
    + b"\r\n> "
    + b"\r\nERROR\r\n"
    + b"\r\n0, CLOSED\r\n"
    + b"\r\n+CIPRXGET: 1,0\r\n"
    + b"\r\n+CIPRXGET: 2,0,5,0\r\nHELLO\r\nOK\r\n"
    + b"\r\n+RECEIVE,0,3:\r\nabc"
    + b"\x1a\x1b\x08+++ATO\r\x00\xff\n"
)
FORMS = [pytest.param(False, id="short"), pytest.param(True, id="long")]


def header(n, rest=0, link=0):
    return b"\r\n+CIPRXGET: 2,%d,%d,%d\r\n" % (link, n, rest)


def answer(payload, form, between=b""):
    return header(len(payload)) + payload + between + TRAILER[form]


def line(text):
    return ("line", text)


def read(payload, ok=True):
    """The tokens of an answer."""
    return [line(header(len(payload)).strip()), ("data", payload), ("end", ok)]


# Lines


@pytest.mark.parametrize(
    "stream, expected",
    [
        (b"\r\nOK\r\n", [b"OK"]),
        (b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n", [b"+CSQ: 20,0", b"OK"]),
        (b"AT\r\r\nOK\r\n", [b"AT", b"OK"]),
        (b"ATE0\r\r\nOK\r\n", [b"ATE0", b"OK"]),
        (b"OK\n", [b"OK"]),
        (b"\n\n\r\n\r\n\r\r\n \r\n", []),
        (b"\r\nOK\r\n\r\nSTATE: IP PROCESSING\r\n\r\nC: 0,,\r\n", [b"OK", b"STATE: IP PROCESSING", b"C: 0,,"]),
        (b" \r\nDATA ACCEPT:1,65\r\n", [b"DATA ACCEPT:1,65"]),
        (b"\r\n0, CLOSED\r\n\r\n1, CLOSED\r\n", [b"0, CLOSED", b"1, CLOSED"]),
        (b"\x00\xff\x80II\r\nRDY\r\n", [b"\x00\xff\x80II", b"RDY"]),
        (b"\r\nOVER-VOLTAGE WARNNING\r\n", [b"OVER-VOLTAGE WARNNING"]),
        (b"\r\na b  c\r\n", [b"a b  c"]),
    ],
)
def test_lines_come_without_their_framing(stream, expected):
    assert three_ways(stream) == [line(text) for text in expected]


def test_line_split_anywhere_is_one_line():
    stream = b'\r\n+CIPSTATUS: 0,0,"TCP","5.196.95.208","1883","CONNECTED"\r\n\r\nOK\r\n'
    whole = tokens(stream, [256])
    assert whole == [line(b'+CIPSTATUS: 0,0,"TCP","5.196.95.208","1883","CONNECTED"'), line(b"OK")]
    for first in range(1, len(stream)):
        for second in (1, 2, 7, 256):
            assert tokens(stream, [first, second, 256]) == whole, first


def test_line_that_is_not_finished_is_no_token():
    assert three_ways(b"\r\nOK\r\n+CSQ: 20,0\r", follows=b"") == [line(b"OK")]


@pytest.mark.parametrize("n", [255, 256, 257, 400, 511])
def test_long_line_arrives_whole(n):
    text = bytes(65 + k % 26 for k in range(n))
    assert three_ways(text + b"\r\n\r\nOK\r\n", longest=256) == [line(text), line(b"OK")]


@pytest.mark.parametrize("n", [513, 600, 1024, 5000])
def test_endless_line_costs_no_more_than_its_own_end(n):
    text = bytes(65 + k % 26 for k in range(n))
    for size in (1, 3, 64, 255, 256):
        got = tokens(b"\r\n" + text + b"\r\n\r\nOK\r\n", [size])
        assert len(got) == 2 and got[1] == line(b"OK"), size
        assert text.startswith(got[0][1]) and len(got[0][1]) >= 256, size


def test_line_behind_one_that_was_cut_is_whole():
    for size in (1, 64, 256):
        made, sink = parser()
        feed(made, (b"x" * 2000 + b"\r\n" + b"short\r\n") * 3, [size])
        assert sink.tokens.count(line(b"short")) == 3


# The prompt


@pytest.mark.parametrize("prompt", [b"\r\n> ", b"\r\n>"])
def test_prompt_is_seen_at_once_with_and_without_blank(prompt):
    assert three_ways(prompt, prompt=True) == [("prompt",)]


@pytest.mark.parametrize("prompt", [b"\r\n> ", b"\r\n>"])
def test_blank_of_the_prompt_does_not_stick_to_the_next_line(prompt):
    stream = prompt + b"\r\nDATA ACCEPT:0,10\r\n"
    assert three_ways(stream, prompt=True) == [("prompt",), line(b"DATA ACCEPT:0,10")]


def test_prompt_is_not_seen_unless_awaited():
    assert three_ways(b"\r\n> \r\nOK\r\n") == [line(b"> "), line(b"OK")]
    assert three_ways(b"\r\n> ", follows=b"") == []


def test_prompt_comes_once():
    assert three_ways(b"\r\n> \r\n> hello\r\n", prompt=True) == [("prompt",), line(b"> hello")]


def test_greater_than_inside_a_line_is_no_prompt():
    got = three_ways(b'\r\n+CMTI: "SM",1>2\r\nA>\r\n>', prompt=True, follows=b"")
    assert got == [line(b'+CMTI: "SM",1>2'), line(b"A>"), ("prompt",)]


@pytest.mark.parametrize("urc", [b"\r\n+CIPRXGET: 1,0\r\n", b"\r\n0, CLOSED\r\n", b"\r\nERROR\r\n"])
def test_line_before_the_prompt_is_a_line(urc):
    assert three_ways(b"AT+CIPSEND=0,5\r" + urc + b"\r\n> ", prompt=True) == [
        line(b"AT+CIPSEND=0,5"),
        line(urc.strip()),
        ("prompt",),
    ]


def test_prompt_inside_payload_is_payload():
    payload = b"ab\r\n> cd"
    for form in (False, True):
        stream = answer(payload, form)
        assert three_ways(stream, prompt=True, form=form) == read(payload)


# Counted payload


@pytest.mark.parametrize("form", FORMS)
def test_every_byte_value_and_every_protocol_text_passes_at_every_chunk_size(form):
    stream = answer(HOSTILE, form) + answer(HOSTILE[::-1], form)
    expected = read(HOSTILE) + read(HOSTILE[::-1])
    for size in range(1, 301):
        assert tokens(stream, [size], size=300, form=form) == expected, size
        assert tokens(stream, [size], size=300) == expected, size  # the form is not known before
    assert three_ways(stream, form=form) == expected


@pytest.mark.parametrize("form", FORMS)
def test_payload_of_one_hostile_text_alone(form):
    for payload in (
        b"\r",
        b"\n",
        b"\r\n",
        b"O",
        b"K",
        b"OK",
        b"\r\nOK\r\n",
        b"\r\n\r\nOK\r\n",
        b">",
        b"> ",
        b"\r\n>",
        b" ",
    ):
        assert three_ways(answer(payload, form), form=form) == read(payload)


def test_payload_with_hostile_text_split_at_every_place():
    payload = b"\r\nOK\r\n\r\n> ERROR\r\n0, CLOSED\r\n+CIPRXGET: 1,0\r\n"
    stream = answer(payload, False)
    for first in range(1, len(stream)):
        assert tokens(stream, [first, 256], form=False) == read(payload), first


def test_push_payload_has_no_trailer():
    stream = b"\r\n+RECEIVE,0,16:\r\nSIM7000 TCP test\r\n+RECEIVE,1,4:\r\n\r\nOK\r\n0, CLOSED\r\n"
    assert three_ways(stream) == [
        line(b"+RECEIVE,0,16:"),
        ("data", b"SIM7000 TCP test"),
        line(b"+RECEIVE,1,4:"),
        ("data", b"\r\nOK"),
        line(b"0, CLOSED"),
    ]


def test_push_payload_of_every_byte_value_at_every_chunk_size():
    stream = b"\r\n+RECEIVE,0,%d:\r\n" % len(HOSTILE) + HOSTILE + b"\r\n0, CLOSED\r\n"
    for size in range(1, 301):
        assert tokens(stream, [size], size=300) == [
            line(b"+RECEIVE,0,%d:" % len(HOSTILE)),
            ("data", HOSTILE),
            line(b"0, CLOSED"),
        ], size


def test_payload_of_1460_bytes_through_a_small_buffer():
    payload = (HOSTILE * 6)[:1460]
    for size in (1, 17, 64, 128, 255, 256):
        assert tokens(answer(payload, True), [size], form=True) == read(payload)


def test_payload_that_is_not_complete_has_no_end():
    got = three_ways(header(20) + b"only these", follows=b"", form=False)
    assert got == [line(b"+CIPRXGET: 2,0,20,0"), ("data", b"only these")]


def test_reset_forgets_line_prompt_payload_and_trailer():
    for stream in (b"\r\n+CS", header(10) + b"abc", header(3) + b"abc\r\nO", header(3) + b"abc\r\n+CIPRX"):
        made, sink = parser(form=False)
        made.prompt = True
        feed(made, stream, [256])
        made.reset()
        sink.tokens.clear()
        feed(made, b"\r\n> x\r\nOK\r\n", [256])
        assert sink.tokens == [line(b"> x"), line(b"OK")], stream


def test_reset_keeps_the_form_that_was_learnt():
    for form in (False, True):
        made, sink = parser(form=form)
        feed(made, header(10) + b"abc", [256])
        made.reset()
        sink.tokens.clear()
        feed(made, answer(b"hello", not form) + b"\r\n", [256])
        assert ("end", True) not in sink.tokens, form


# The trailer


@pytest.mark.parametrize("form", FORMS)
def test_form_of_the_trailer_is_learnt_from_the_first_answer(form):
    stream = answer(b"first", form) + answer(b"second", form)
    assert three_ways(stream) == read(b"first") + read(b"second")


@pytest.mark.parametrize("form", FORMS)
def test_other_form_than_the_learnt_one_is_lost_data(form):
    got = three_ways(answer(b"hello", not form), form=form, follows=b"")
    assert got[:2] == read(b"hello")[:2]
    assert ("end", False) in got or not form, got  # the short one is not complete yet where the long one is awaited
    assert ("end", True) not in got


@pytest.mark.parametrize("form", FORMS)
def test_one_to_eight_lost_bytes_are_detected_wherever_they_are(form):
    payload = b"ab\r\ncd\r\n\r\nOK\r\nefgh\r\n"
    body = payload + TRAILER[form]
    for lost in range(1, 9):
        for at in range(len(body) - lost + 1):
            left = body[:at] + body[at + lost :]
            for sizes in ([256], [1]):
                assert_not_taken(header(len(payload)), left, payload, form, sizes, (lost, at))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("payload", [b"x" * 20, b"\n" * 20, b"\r\n" * 10, b"\r" * 20, b"OK\r\n" * 5, b"\r\nOK" * 5])
def test_lost_bytes_are_detected_in_payload_that_looks_like_a_trailer(form, payload):
    body = payload + TRAILER[form]
    for lost in range(1, 9):
        for at in range(len(body) - lost + 1):
            assert_not_taken(header(len(payload)), body[:at] + body[at + lost :], payload, form, [256], (lost, at))


@pytest.mark.parametrize("urc", [b"\r\n+CIPRXGET: 1,1\r\n", b"\r\nOVER-VOLTAGE WARNNING\r\n", b"\r\nRING\r\n"])
@pytest.mark.parametrize("form", FORMS)
def test_lost_bytes_are_detected_with_a_urc_between_payload_and_ok(form, urc):
    payload = b"ab\r\ncd\r\n\r\nOK\r\nefgh\r\n"
    body = payload + urc + TRAILER[form]
    for lost in range(1, 9):
        if lost == len(urc):
            continue  # the count swallows the whole code: nobody can tell
        for at in range(len(body) - lost + 1):
            assert_not_taken(header(len(payload)), body[:at] + body[at + lost :], payload, form, [256], (lost, at))


def assert_not_taken(head, body, payload, form, sizes, where):
    """Damaged payload does not end well, whatever comes behind it; good payload may."""
    for behind in (b"", b"\r\n+CIPRXGET: 1,0\r\n", b"\r\n1, CLOSED\r\n"):
        got = tokens(head + body + behind, sizes, form=form)
        data = b"".join(token[1] for token in got if token[0] == "data")
        assert ("end", True) not in got or data == payload, (where, behind, got)


def test_first_answer_with_lost_bytes_misleads_for_one_answer_at_most():
    # Of the long form two bytes may be lost: it looks like the short one. Lost payload teaches nothing.
    for payload in (b"x", b"\n", b"ab\r\n", b"\r\n\r\n", b"OK\r\n"):
        body = payload + TRAILER[True]
        for lost in range(1, 9):
            for at in range(len(body) - lost + 1):
                made, sink = parser()
                feed(made, header(len(payload)) + body[:at] + body[at + lost :], [256])
                made.reset()  # what the owner does when the rest does not come
                sink.tokens.clear()
                feed(made, answer(b"hello", True), [256])
                if at < len(payload):
                    assert sink.tokens == read(b"hello"), (payload, lost, at)
                assert sink.tokens[:2] == read(b"hello")[:2], (payload, lost, at)
                sink.tokens.clear()
                feed(made, answer(b"again", True), [256])
                assert sink.tokens == read(b"again"), (payload, lost, at)


# A URC between payload and OK


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "urcs",
    [
        [b"+CIPRXGET: 1,0"],
        [b"OVER-VOLTAGE WARNNING"],  # begins as OK does
        [b"+CIPRXGET: 1,0", b"+CIPRXGET: 1,1", b"RING"],
        [b"OVER-VOLTAGE WARNNING", b"OVER-VOLTAGE POWER DOWN"],
    ],
)
@pytest.mark.parametrize("payload", [b"hello", b"hello\r\n", b"\r\n\r\n"])
def test_urc_between_payload_and_ok(form, urcs, payload):
    between = b"".join(b"\r\n" + urc + b"\r\n" for urc in urcs)
    expected = read(payload)
    expected[2:2] = [line(urc) for urc in urcs]
    assert three_ways(answer(payload, form, between), form=form) == expected
    if not payload.endswith(b"\n"):
        got = three_ways(answer(payload, form, between) + answer(b"next", form))
        assert got == expected + read(b"next")  # the form was learnt from it


@pytest.mark.parametrize("urc", [b"OVER-VOLTAGE WARNNING", b"+CIPRXGET: 1,0"])
def test_urc_inside_the_long_trailer(urc):
    payload = b"hello"
    stream = header(5) + payload + b"\r\n" + b"\r\n" + urc + b"\r\n" + b"\r\nOK\r\n"
    expected = read(payload)
    expected.insert(2, line(urc))
    assert three_ways(stream, form=True, urc=lambda text: text == urc) == expected


def test_unknown_line_between_payload_and_ok_is_lost_data():
    for text in (b"nonsense", b"O", b"OKAY", b"K", b"hello\r"):
        for form in (False, True):
            stream = header(4) + b"data" + b"\r\n" + text + b"\r\n"
            got = three_ways(stream, form=form, urc=lambda line: False)
            assert ("end", False) in got and ("end", True) not in got, (text, form)


def test_line_without_return_between_payload_and_ok_is_lost_data():
    stream = header(4) + b"data" + b"\r\n+CIPRXGET: 1,0\n"
    assert ("end", False) in three_ways(stream, form=False)


def test_lines_after_lost_data_are_lines_again():
    stream = answer(b"data", False)[:-6] + b"x\r\n" + b"\r\n0, CLOSED\r\n"
    got = three_ways(stream, form=False)
    assert got[2] == ("end", False)
    assert got[-1] == line(b"0, CLOSED")


# Anything


@pytest.mark.parametrize("seed", range(20))
def test_garbage_gives_lines_only(seed):
    rnd = random.Random(seed)
    garbage = bytes(rnd.choice(b"\r\n> OKx+:,0123\x00\xff") for _ in range(3000))
    expected = [text.rstrip(b"\r").lstrip(b" \r") for text in garbage.split(b"\n")[:-1]]
    expected = [line(text) for text in expected if text]
    for size in (1, 5, 64, 256):
        assert tokens(garbage, [size], header=lambda text: None) == expected, size


@pytest.mark.parametrize("seed", range(20))
def test_garbage_around_answers_never_ends_well_with_wrong_data(seed):
    rnd = random.Random(100 + seed)
    for _ in range(200):
        payload = bytes(rnd.choice(b"\r\nOK> a+") for _ in range(rnd.randrange(1, 40)))
        form = rnd.random() < 0.5
        body = bytearray(payload + TRAILER[form])
        for _ in range(rnd.randrange(1, 4)):  # lose some bytes in several places
            at = rnd.randrange(len(body))
            del body[at : at + rnd.randrange(1, 3)]
        got = tokens(header(len(payload)) + bytes(body), [rnd.randrange(1, 20)], form=form)
        data = b"".join(token[1] for token in got if token[0] == "data")
        assert ("end", True) not in got or data == payload, (payload, bytes(body), form)


@pytest.mark.parametrize("seed", range(10))
def test_random_sessions_at_random_chunks(seed):
    rnd = random.Random(200 + seed)
    form = seed % 2 == 0
    stream, expected = b"", []
    for _ in range(60):
        kind = rnd.randrange(4)
        if kind == 0:
            text = rnd.choice((b"OK", b"ERROR", b"0, CLOSED", b"+CSQ: 1,2"))
            stream += b"\r\n" + text + b"\r\n"
            expected.append(line(text))
        elif kind == 1:
            payload = rnd.randbytes(rnd.randrange(1, 600))
            stream += b"\r\n+RECEIVE,3,%d:\r\n" % len(payload) + payload
            expected += [line(b"+RECEIVE,3,%d:" % len(payload)), ("data", payload)]
        else:
            payload = rnd.randbytes(rnd.randrange(1, 600))
            stream += answer(payload, form)
            expected += read(payload)
    for _ in range(5):
        sizes = [rnd.randrange(1, 257) for _ in range(len(stream))]
        assert tokens(stream, sizes, form=form) == expected


def test_header_reader_of_these_tests():
    assert counted(b"+CIPRXGET: 2,0,12,0") == (12, True)
    assert counted(b"+CIPRXGET:2,11,0") == (11, True)
    assert counted(b"+CIPRXGET: 3,11,0") == (22, True)
    assert counted(b"+CIPRXGET: 1,0") is None
    assert counted(b"+RECEIVE,0,15,1.2.3.4:9600") == (15, False)
    assert FOLLOWS.strip() == b"+CSQ: 20,0"
