"""SIM7600 (LTE Cat-1, Cat-4); SIM7500 and SIM7800 too.

How it differs from its CIPOPEN sibling A76XX: half a second of its key switches it on, it
says RDY instead of *ATREADY, answers some 15 s later, and takes 26 s to go off ("SIM7600 Series
Hardware Design", 3.2). Sockets are those of "SIM7500_SIM7600_SIM7800 Series TCPIP AT Command
Manual V1.00", which are A76XX's.
"""

from .cipopen import CipOpen


class SIM7600(CipOpen):
    LINKS = 10
    SERVERS = 4
    LACKS = ("IPv6", "second PDP context", "PSM or eDRX")
    RESET_MS = 300
    PRESS_ON_MS = 600
    PRESS_OFF_MS = 3000
    BOOT_MS = 30000
    OFF_MS = 27000
