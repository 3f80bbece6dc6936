"""SIM7028 (NB-IoT).

How it differs from its CIPOPEN sibling A76XX: two links instead of ten; it starts
when it is supplied, and answers soon after *ATREADY; a send without a length has no
empty place for it.
"""

from .cipopen import CipOpen


class SIM7028(CipOpen):
    LINKS = 2
    SERVERS = 2
    LACKS = ("sleep", "second PDP context")
    RESET_MS = 310
    UNSIZED = b""
