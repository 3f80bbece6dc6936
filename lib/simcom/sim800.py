"""SIM800 (GSM, GPRS).

How it differs from its CIPSTART sibling SIM7000: six links instead of eight;
registration is told by CREG (GSM) and CGREG (GPRS).
"""

from .cipstart import CipStart


class SIM800(CipStart):
    LINKS = 6
    LACKS = ("AT+CPSI", "IPv6", "LTE context", "settings of time-outs", "PSM or eDRX")
    RESTART = (b"RDY", b"+CFUN: 1", b"SMS ")  # Ready: while it finds the rate itself, the first boot lines are missing
    RESET_MS = 110
    REGISTRATION = (b"AT+CGREG?", b"AT+CREG?")
