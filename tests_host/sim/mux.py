"""A module that an earlier program left in the multiplexer mode of 3GPP TS 27.010."""

from .power import Power

FRAME = b"\xf9\x07\xef\x21\x7e\x0f\xf9"  # what logs show in place of answers
CLOSE_DOWN = b"\xf9\x03\xef\x05\xc3\x01\xf2\xf9"  # CLD on the control channel …
CLOSED_DOWN = b"\xf9\x01\xef\x05\xc1\x01\xf2\xf9"  # … and its answer


class Mux(Power):
    """Frames instead of lines, until it is closed down or restarts."""

    multiplexed = False
    CHOICES = {"close_down": ("heard", "ignored")}

    def boot(self) -> None:
        """It starts with plain commands."""
        self.multiplexed = False
        self._frames = b""
        super().boot()

    _frames = b""

    def intake(self, data: bytes) -> None:
        """Bytes that have passed the UART."""
        if not self.multiplexed:
            super().intake(data)
            return
        self._frames = (self._frames + bytes(data))[-400:]
        end = self._frames.find(CLOSE_DOWN)
        if end >= 0 and self.choices["close_down"] == "heard":
            self.multiplexed = False
            self.send(CLOSED_DOWN)
            rest, self._frames = self._frames[end + len(CLOSE_DOWN) :], b""
            super().intake(rest)
        elif b"\r" in data:
            self.send(FRAME)
