"""SIM7090 (Cat-M, NB-IoT).

How it differs from its CAOPEN sibling SIM7080: it is smaller; no command differs.
"""

from .caopen import CaOpen


class SIM7090(CaOpen):
    pass
