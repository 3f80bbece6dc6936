"""SIM7000 (Cat-M, NB-IoT, EGPRS).

How it differs from its CIPSTART sibling SIM800: eight links instead of six;
registration is told by CEREG or CGREG, never CREG; sends of 1024 bytes at most
(larger ones fail on real modules); CONNECT FAIL can take two minutes.
"""

from .cipstart import CipStart


class SIM7000(CipStart):
    LINKS = 8
    LACKS = ("IPv6", "settings of time-outs", "sleep without DTR")
    RESET_MS = 260
    SEND_MAX = 1024
    CONNECT_MS = 125000
