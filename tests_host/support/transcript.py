"""Reader of AT transcripts (format `simcom-at-transcript 1`, described in transcripts/README.md)."""

import functools
import pathlib
import re
from collections.abc import Iterator

FOLDER = pathlib.Path(__file__).parents[1] / "transcripts"

Step = tuple  # (">", bytes) host to module | ("<", bytes) module to host | ("@", milliseconds of silence)


class Transcript:
    """One file: `header` (note: a list) and `steps`."""

    def __init__(self, path: "pathlib.Path | str"):
        self.path = pathlib.Path(path)
        head, body = self.path.read_text(encoding="ascii").split("\n---\n", 1)
        self.header: dict = {"note": []}
        for line in head.split("\n"):
            key, _, value = line.partition(": ")
            if key == "note":
                self.header["note"].append(value)
            else:
                self.header[key] = value
        if self.header.get("format") != "simcom-at-transcript 1":
            raise ValueError("%s: unknown format" % self.path.name)
        self.steps = list(parse(body))

    @property
    def name(self) -> str:
        """The path below the folder of transcripts, without its ending."""
        return str(self.path.relative_to(FOLDER).with_suffix("")) if FOLDER in self.path.parents else self.path.stem

    @property
    def number(self) -> str:
        """Of sim7028_t03_cipopen it is t03; of field/sim7000_08_x it is field/sim7000_08."""
        stem = "_".join(self.name.split("_")[:2])
        return stem if stem.startswith("field/") else stem.split("_")[1]

    @property
    def family(self) -> str:
        """The family that the header names."""
        return self.header["family"]

    def exchanges(self) -> list:
        """Each command or payload of the host, with what answers it: (bytes, [answers, pauses in ms])."""
        out: list = []
        for kind, value in self.steps:
            if kind == ">":
                out.append((value.rstrip(b"\r"), []))
            elif out:
                out[-1][1].append(value)
        return out

    def joined(self) -> list:
        """The steps with consecutive module lines as one: the split between them means nothing."""
        out: list = []
        for kind, value in self.steps:
            if out and kind == out[-1][0] == "<":
                out[-1] = ("<", out[-1][1] + value)
            else:
                out.append((kind, value))
        return out


def parse(body: str) -> "Iterator[Step]":
    """The steps of a transcript's body."""
    for line in body.split("\n"):
        kind, text = line[:1], line[2:]
        if kind in "><" and kind:
            yield kind, unescape(text)
        elif kind == "@":
            event, _, value = text.partition(" ")
            if event != "wait":
                raise ValueError("unknown event: %s" % text)
            yield "@", int(value)
        elif kind not in ("", "#"):
            raise ValueError("unknown line: %s" % line)


def unescape(text: str) -> bytes:
    r"""Bytes of a line: \r \n \\ \xNN."""
    table = {"r": b"\r", "n": b"\n", "\\": b"\\"}

    def byte(match: "re.Match") -> str:
        word = match.group(1)
        return (table.get(word) or bytes([int(word[1:], 16)])).decode("latin-1")

    return re.sub(r"\\(x[0-9A-Fa-f]{2}|.)", byte, text).encode("latin-1")


def field(name: str) -> Transcript:
    """A log of a real module."""
    return Transcript(FOLDER / "field" / (name + ".txt"))


@functools.cache
def everything() -> list:
    """All transcripts, by name."""
    return [Transcript(path) for path in sorted(FOLDER.rglob("*.txt"))]


def transcripts(*families: str, number: str = "") -> list:
    """The transcripts of families, or those of them with a number, by family and name."""
    found = [each for family in families for each in everything() if each.family == family]
    return [each for each in found if number in ("", each.number)]
