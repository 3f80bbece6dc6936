"""The virtual modules say what the transcripts say."""

import pytest
import stages_caopen
import stages_cipopen
import stages_cipstart
from sim_host import Host
from sim_stage import Stage
from transcript import Transcript, transcripts

# Transcripts that are not replayed against the virtual module, and why.
NOT_REPLAYED: dict = {
    "field/sim7000ca_04": "the module restarts in it, at another rate than the host's; half of what it sent is missing",
}

STAGES = {"sim800": stages_cipstart, "sim7000": stages_cipstart, "sim7028": stages_cipopen, "a76xx": stages_cipopen}
STAGES.update(sim70x0=stages_caopen, sim7000ca=stages_caopen)
PROFILES = {"sim70x0": "sim7080"}  # the virtual module of a family, where it has another name

# What a module sends besides: (transcript, module line) -> bytes behind it that the logger did not wait for.
NOT_LOGGED = {("field/sim7000_02", b"STATE: PDP DEACT\r\n", b'AT+CIPSTART="TCP"'): b"\r\nCONNECT FAIL\r\n"}
NOT_LOGGED["field/sim7000ca_02", b"+CAOPEN: 1,11\r\n", b"AT+CAOPEN"] = b"\r\nOK\r\n"


def stem(transcript: Transcript) -> str:
    """Folder, edition and number of a transcript."""
    return "_".join(transcript.name.split("_")[:2])


def stage(transcript: Transcript) -> Stage:
    """What surrounds a transcript: its own, or that of its number."""
    table = STAGES[transcript.family].STAGES
    name = stem(transcript)
    return table[name] if name in table or "/" in name else table[name.split("_")[1]]


ALL = transcripts(*STAGES)
REPLAYED = [transcript for transcript in ALL if stem(transcript) not in NOT_REPLAYED]


def test_every_transcript_is_there():
    assert len(ALL) == 147


@pytest.mark.parametrize("transcript", REPLAYED, ids=lambda transcript: transcript.name)
def test_module_says_what_the_transcript_says(transcript):
    around = stage(transcript)
    host = Host(PROFILES.get(transcript.family, transcript.family), **around.settings)
    around.setup(host)
    sent, count = b"", 0
    for i, (kind, value) in enumerate(transcript.joined()):
        if kind == "@":
            host.clock.sleep_ms(value)
        elif kind == ">":
            around.between.get(count, lambda host: None)(host)
            count += 1
            sent = value
            host.send(value)
        else:
            more = b""
            for (where, ending, command), behind in NOT_LOGGED.items():
                if where == stem(transcript) and value.endswith(ending) and sent.startswith(command):
                    more = behind
            assert host.collect(len(value + more), 100_000) == value + more, "step %d, after %r" % (i, sent)
    host.clock.sleep_ms(1000)
    assert not host.uart.any()
