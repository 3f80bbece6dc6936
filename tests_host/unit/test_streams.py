"""The parser cuts every transcript of the dialect as a simple splitter does, however the bytes are split."""

import random
import re

import pytest
from feed import counted, feed, parser
from transcript import transcripts

FAMILY = transcripts("sim7000")
ALL = FAMILY + transcripts("sim800")  # the same dialect
SIZES = {"byte-by-byte": [1], "by-two": [2], "by-seven": [7], "by-64": [64], "whole": [256]}
SIZES["random"] = [random.Random(7000).randrange(1, 30) for _ in range(10_000)]


def is_command(data: bytes) -> bool:
    return data.startswith(b"AT") or data == b"+++"


def exchanges(transcript) -> list:
    """(module bytes, whether a prompt is awaited in them): what comes between two things that the host sends."""
    steps = [step for step in transcript.joined() if step[0] != "@"]
    found, stream = [], b""
    for i, (kind, value) in enumerate(steps):
        if kind == "<":
            stream += value
        if kind == ">" or i == len(steps) - 1:
            payload = kind == ">" and not is_command(value) and not stream.endswith(b"CONNECT\r\n")
            found.append((stream, payload))
            stream = b""
    return [exchange for exchange in found if exchange[0]]


def split(stream: bytes, awaited: bool) -> tuple:
    """Tokens of a stream that begins at a line, and what is left: cut at newlines, but for prompt and payload."""
    tokens = []
    while stream:
        if awaited and stream.startswith(b">"):
            tokens.append(("prompt",))
            awaited = False
            stream = stream[1:]
            continue
        if b"\n" not in stream:
            break  # no line yet
        text, _, stream = stream.partition(b"\n")
        text = text.strip(b"\r").lstrip(b" ")
        if not text:
            continue
        tokens.append(("line", text))
        if counted(text):
            n, trailer = counted(text)
            tokens.append(("data", stream[:n]))
            stream = stream[n:]
            if trailer:
                end = re.match(rb"(\r\n)?\r\nOK\r\n", stream)
                tokens.append(("end", True))
                stream = stream[end.end() :]
    return tokens, stream


def tokens_of(transcript, sizes) -> list:
    """The tokens of the parser, which lives through the whole transcript."""
    made, sink = parser()
    for stream, awaited in exchanges(transcript):
        made.prompt = awaited
        feed(made, stream, sizes)
        assert not (awaited and made.prompt), "the prompt was not seen in %r" % stream
    return sink.tokens


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_tokens_are_those_of_a_simple_splitter(transcript, sizes):
    expected = []
    left = b""  # a line that goes on in the next exchange
    for stream, awaited in exchanges(transcript):
        tokens, left = split(left + stream, awaited)
        expected += tokens
    assert tokens_of(transcript, sizes) == expected


@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_nothing_of_the_stream_is_lost(transcript):
    streams = exchanges(transcript)
    left = b""
    for stream, awaited in streams:
        left = split(left + stream, awaited)[1]
    text = b""
    for token in tokens_of(transcript, [5]):
        text += {"prompt": b">", "end": b"OK"}.get(token[0]) or token[1]

    def bare(data):
        return re.sub(rb"[\r\n ]", b"", data)

    everything = b"".join(stream for stream, _ in streams)
    assert bare(text) == bare(everything[: len(everything) - len(left)])


def test_every_transcript_of_the_family_is_here():
    names = {transcript.name for transcript in FAMILY}
    assert len(names) == len(FAMILY) >= 38
    assert len([name for name in names if name.startswith("field/")]) == 3
    assert len([name for name in names if name.startswith("sim7000cn_")]) == 17


def test_prompts_and_payloads_of_the_transcripts_are_seen():
    count = {"prompt": 0, "data": 0, "end": 0}
    for transcript in FAMILY:
        for token in tokens_of(transcript, [256]):
            count[token[0]] = count.get(token[0], 0) + 1
    sends = [value for each in FAMILY for kind, value in each.steps if kind == ">" and value.startswith(b"AT+CIPSEND")]
    refused = [value for value in sends if value[10:11] == b"?" or value[11:15] == b"1461"]
    assert count["prompt"] == len(sends) - len(refused) > 30
    assert count["end"] == 5 and count["data"] == 5 + 12
