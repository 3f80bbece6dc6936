"""SIM7028 (NB-IoT).

How it differs from its CIPOPEN sibling A76XX: two links instead of ten; it starts
when it is supplied, and answers soon after *ATREADY.
"""

from .cipopen import CipOpen


class SIM7028(CipOpen):
    LINKS = 2
