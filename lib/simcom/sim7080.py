"""SIM7080 (Cat-M, NB-IoT).

How it differs from its CAOPEN sibling SIM7070: no GSM.
"""

from .caopen import CaOpen


class SIM7080(CaOpen):
    pass
