"""SIM808 (GSM, GPRS, GNSS).

How it differs from its CIPSTART sibling SIM800: it has GNSS, whose sentences come on this
line where AT+CGNSTST=1 or AT+CGPSOUT asks for them. Sockets are those of the "SIM800 Series AT
Command Manual", the key that of "SIM808 Hardware Design V1.03".
"""

from .cipstart import CipStart


class SIM808(CipStart):
    LINKS = 6
    LACKS = ("AT+CPSI", "IPv6", "LTE context", "settings of time-outs", "PSM or eDRX")
    RESTART = (b"RDY", b"+CFUN: 1", b"SMS ")
    RESET_MS = 110
    REGISTRATION = (b"AT+CGREG?", b"AT+CREG?")
