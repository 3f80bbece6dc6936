"""SIM868 (GSM, GPRS, GNSS).

How it differs from its CIPSTART sibling SIM800: it has GNSS; its key is held for more than
1.5 s to switch it off, and its last words are NORMAL POWER OFF ("SIM868 Series Hardware
Design V1.06", 5.3). Sockets are those of the "SIM800 Series AT Command Manual".
"""

from .cipstart import CipStart


class SIM868(CipStart):
    LINKS = 6
    LACKS = ("AT+CPSI", "IPv6", "LTE context", "settings of time-outs", "PSM or eDRX")
    RESTART = (b"RDY", b"+CFUN: 1", b"SMS ")
    RESET_MS = 110
    PRESS_OFF_MS = 2000
    REGISTRATION = (b"AT+CGREG?", b"AT+CREG?")
