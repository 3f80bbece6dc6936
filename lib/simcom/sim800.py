"""SIM800 (GSM, GPRS).

How it differs from its CIPSTART sibling SIM7000: six links instead of eight;
registration is told by CREG (GSM) and CGREG (GPRS).
"""

from .cipstart import CipStart


class SIM800(CipStart):
    LINKS = 6
    REGISTRATION = (b"AT+CGREG?", b"AT+CREG?")
