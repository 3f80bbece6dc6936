"""SIM7070 (Cat-M, NB-IoT, GPRS).

How it differs from its CAOPEN sibling SIM7080: GSM too, so AT+CNMP can be 2, 13, 38 and 51.
"""

from .caopen import CaOpen


class SIM7070(CaOpen):
    pass
