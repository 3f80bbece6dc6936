"""A76XX (LTE Cat-1: A7670, A7672, A7608, SIM7670, SIM7672 …).

How it differs from its CIPOPEN sibling SIM7028: ten links instead of two; its key
is held for at least 2.5 s to switch it off.
"""

from .cipopen import CipOpen


class A76XX(CipOpen):
    LINKS = 10
    SERVERS = 4
    LACKS = ("IPv6", "second PDP context", "PSM or eDRX")
    RESET_MS = 2600
    PRESS_OFF_MS = 3000
    BOOT_MS = 20000
