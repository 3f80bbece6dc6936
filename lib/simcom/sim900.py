"""SIM900 (GSM, GPRS); SIM900A, SIM900B, SIM900D and SIM908 too.

How it differs from its CIPSTART sibling SIM800: eight links instead of six ("SIM900 AT
Command Manual V1.03": <n> is 0 to 7); its boot ends with Call Ready, SMS Ready never comes;
its key is held for 1 to 5 s to switch it off ("SIM900 Hardware Design V1.05", 3.4.2).
"""

from .cipstart import CipStart


class SIM900(CipStart):
    LINKS = 8
    LACKS = ("AT+CPSI", "IPv6", "LTE context", "settings of time-outs", "PSM or eDRX")
    RESTART = (b"RDY", b"+CFUN: 1", b"Call R")
    RESET_MS = 110
    REGISTRATION = (b"AT+CGREG?", b"AT+CREG?")
