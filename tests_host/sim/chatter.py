"""Unsolicited lines of everything in a module that is not its sockets, by name, once or again and again."""

import random

from .core import Serial

_NMEA = (
    b"$GNRMC,093446.00,A,2518.00000,N,11022.00000,E,0.0,,230322,,,A,V*18",
    b"$GPGSV,3,1,10,02,49,310,33,05,20,210,28,12,71,035,40,15,33,152,37*7A",
    b"$BDGSA,A,3,08,13,,,,,,,,,,,1.8,1.0,1.5*26",
    b"$GPTXT,01,01,02,ANTSTATUS=OPEN*2B",
)
SAMPLES: dict = {
    "nmea": _NMEA,
    "gnss": (
        b"+CGNSSINFO: 2,09,05,00,3113.330650,N,12121.262554,E,131117,091918.0,32.9,0.0,255.0,1.1,0.8,0.7",
        b"+UGNSINF: 1,1,20240517101112.000,31.221700,121.354300,44.9,0.00,0.0,1,,1.0,1.3,0.8,,12,8,,,42,,",
        b"+CGPSINFO: 3113.343286,N,12121.234064,E,250311,072809.3,44.1,0.0,0",
        b"+CGNSSINFO: ,,,,,,,,",
    ),
    "cells": (b'+CENG: 0,"0724,36,00,001,01,25,12,1a2b,00,05,255"', b"+CSCON: 1", b"+CNSMOD: 8", b"+CSQN: 20,0"),
    "network": (b"*REJCAUSE: 7", b"+CEDRXP: 4,0010,0010,0001", b"+CPSMSTATUS: ENTER PSM", b"^MODE: 17"),
    "sim": (
        b"+STIN: 25",
        b"+CSMINS: 0,1",
        b'+MSTK: 11, "D023810301250082"',
        b'+STKPCI: 0,"D0"',
        b'*ISIMAID: "A0000000000000000000000000000000"',
        b"+ICCID: 89860",
    ),
    "calls": (b"MISSED_CALL: 10:11AM +15550100", b"RING", b'+CLIP: "+15550100",145,,,,0', b"+COLP: 1"),
    "boot": (b"QCRDY", b"PACSP0", b"+CPIN: READY"),
    "messages": (  # codes of several lines: the others have no CR LF in front
        b'+CMTI: "SM",3',
        b'+CMT: "+15550100",,"24/05/17,10:11:12+08"\r\nMeet me at 7\r\nor at 8',
        b"+CBM: 1,50,1,1,1\r\nFlood warning",
        b'+CUSD: 0,"Your balance is\r\n1.65 credit",15',
        b'+CMT: "+15550100"',  # its text is missing
    ),
    "unheard": (b"+NEVERHEARD: 1,2", b"*XYZ,1", b"^QWERTY: 1", b"+A_B2: x", b"$ABC,1"),
}
_PLACES = ("", "before_info", "before_data_ok", "before_ok", "after_ok")  # "": as soon as it may come out


class Chatter(Serial):
    """What else the module has to say."""

    # what it says, but for codes that no document has, and those of a restart …
    chatter: "tuple | str" = tuple(name for name in SAMPLES if name not in ("unheard", "boot"))
    chatter_ms = 0  # … so often, at places that the seed chooses; 0: never
    nmea_bare: "bool | None" = None  # sentences come without CR LF in front, as from some modules; None: by seed

    def __init__(self, port, seed: "int | None" = 0, **profile):
        super().__init__(port, seed, **profile)
        self._chat = random.Random(seed or 0)  # of its own: what else the seed decides stays as it is
        self._said = 0
        if self.nmea_bare is None:
            self.nmea_bare = seed is not None and self._chat.random() < 0.5

    def tell(self, line: "bytes | str", place: str = "") -> None:
        """One line, or the next one of a group of SAMPLES, at a place of `inject()` or as soon as it may come out."""
        if line in SAMPLES:
            line = SAMPLES[line][self._said % len(SAMPLES[line])]
            self._said += 1
        data = line.encode("latin-1") if isinstance(line, str) else line
        bare = self.nmea_bare and data.startswith(b"$")
        data = (b"" if bare else b"\r\n") + data + b"\r\n"
        if place:
            self._hooks.setdefault(place, []).append(data)
        else:
            self.push(data)

    def chat(self, ms: "float | None" = None, chatter: "tuple | str" = ()) -> None:
        """Say one of the groups (or lines) every so many milliseconds from now on; 0: be quiet."""
        self.chatter_ms = self.chatter_ms if ms is None else ms
        self.chatter = chatter or self.chatter
        self._turn = turn = object()

        def tick():
            if self.chatter_ms and self._turn is turn:
                what = self.chatter if isinstance(self.chatter, str) else self._chat.choice(self.chatter)
                self.tell(what, self._chat.choice(_PLACES))
                self.later(self.chatter_ms, tick)

        if self.chatter_ms:
            self.later(self.chatter_ms, tick)
