"""Commands that would change behind the driver's back what it relies on."""

import errno

_RECEIVE = "config(receive=…)"
_ACKNOWLEDGE = "config(acknowledge=…)"
_SEND = "config(send=…)"
_SOCKET = "a socket"
_LISTEN = "listen() of a socket"
_RESET = "reset()"

# What to use instead.
_INSTEAD = {
    "CIPMUX": "mux= of the modem",
    "CIPMODE": "transparent()",
    "CIPRXGET": _RECEIVE,
    "CIPHEAD": _RECEIVE,
    "CIPSRIP": _RECEIVE,
    "CIPSHOWTP": _RECEIVE,
    "CIPQSEND": _ACKNOWLEDGE,
    "CIPSENDMODE": _ACKNOWLEDGE,
    "CIPSPRT": "config(prompt=…)",
    "CIPATS": _SEND,
    "CIPSEND": _SOCKET,
    "CIPSENDHEX": _SOCKET,
    "CIPSTART": _SOCKET,
    "CIPOPEN": _SOCKET,
    "CIPCLOSE": _SOCKET,
    "CIPUDPMODE": _SOCKET,
    "CIPSERVER": _LISTEN,
    "SERVERSTART": _LISTEN,
    "SERVERSTOP": _LISTEN,
    "CLPORT": "bind() of a socket",
    "CIPCCFG": "config(retries=…)",
    "CAOPEN": _SOCKET,
    "CASEND": _SOCKET,
    "CARECV": _SOCKET,
    "CACLOSE": _SOCKET,
    "CASRIP": _SOCKET,
    "CASERVER": _LISTEN,
    "CASWITCH": "transparent()",
    "IPR": "baudrate= of the modem",
    "CSCLK": "sleep()",
    "CPOWD": "active(False)",
    "CPOF": "active(False)",
    "CRESET": _RESET,
    "CREBOOT": _RESET,
    "CMUX": "the UART without it",
    "CGDATA": "transparent()",
    "CMEE": "AT+CMEE=1, as it is",
    "E": "ATE0, as it is",
    "V": "ATV1, as it is",
    "Q": "ATQ0, as it is",
    "S3": "CR, as it is",
    "S4": "LF, as it is",
    "S5": "BS, as it is",
    "Z": _RESET,
    "&F": _RESET,
    "D*": "transparent()",
    "O": "resume() of the stream",
}
_SAME = (("E", "0"), ("V", "1"), ("V", ""), ("Q", "0"), ("Q", ""), ("CMEE", "=1"))
# Those that end the context, or may: known as soon as they were answered.
_ENDS = ("CIPSHUT", "NETCLOSE")
_MAY_END = ("CFUN", "CGATT", "CGACT", "COPS", "CNMP", "CNBP", "CSTT", "CIICR", "NETOPEN", "CNACT")


def parts(cmd):
    """The commands of a line, as V.250 cuts them: a list of (NAME, what follows it without blanks)."""
    line = ""
    quoted = False
    for c in cmd:
        if c == '"':
            quoted = not quoted
        if quoted:
            c = "." if c in ";=?" else c
        elif c == " ":
            continue
        line += c if quoted else c.upper()
    found = []
    for part in line.split(";"):
        while part and part[0] not in "+*^$#%":
            n = 2 if part[0] in "&S" or part[:2] == "D*" else 1
            k = n if part[0] != "D" else len(part)
            while k < len(part) and (part[k].isdigit() or part[n : n + 1] == "=" and part[0] == "S"):
                k += 1
            found.append((part[:n], part[n:k]))
            part = part[k:]
        if part:
            k = min([k for k in (part.find("="), part.find("?"), len(part)) if k >= 0])
            found.append((part[1:k], part[k:]))
    return found


def check(m, found):
    """ValueError for a command that is the driver's own; else what is to be done when it was answered, or None."""
    after = None
    for name, args in found:
        if args in ("?", "=?") or (name, args) in _SAME:
            continue
        cmd = name if name in ("E", "V", "Q", "Z", "O", "&F", "D*") else "+" + name
        if name == "CFUN" and "," in args:
            _refuse(cmd + args, _RESET)
        if name == "CIPCCFG" and _ours(m, args):
            after = after or _Remember(args)
        elif name in _INSTEAD and not (
            b"AT" + (cmd + args).encode() in m.SETTINGS or (name == "CIPRXGET" and args[:2] == "=4")
        ):
            _refuse(cmd + args, _INSTEAD[name])
        if name in _ENDS:
            after = _ended
        elif name in _MAY_END and not after:
            after = _doubted
    return after


def _refuse(cmd, instead):
    raise ValueError("at: AT%s is the driver's own affair: use %s" % (cmd, instead))


def _setting(m):
    # The driver's AT+CIPCCFG, as fields.
    for cmd in m.SETTINGS:
        if cmd.startswith(b"AT+CIPCCFG="):
            return cmd[11:].decode().split(",")
    return []


def _ours(m, args):
    # Whether only those fields of AT+CIPCCFG differ that are not the driver's: retries, delay, time-out.
    mine = _setting(m)
    theirs = args[1:].split(",")
    if not mine or args[:1] != "=" or len(theirs) > len(mine):
        return False
    for k, each in enumerate(theirs):
        if not each.isdigit() or (k not in (0, 1, 6) and each != mine[k]):
            return False
    return True


class _Remember:
    """AT+CIPCCFG as the program has it, for every later connect()."""

    def __init__(self, args):
        self._fields = args[1:].split(",")

    def __call__(self, m):
        from ..options.remembered import remember

        fields = self._fields + _setting(m)[len(self._fields) :]
        remember(m, b"AT+CIPCCFG=" + ",".join(fields).encode())


def _ended(m):
    m.on_lost(errno.ENOTCONN, "the context was closed by at()")


def _doubted(m):
    if m.up:
        m.suspect()


def count(cmd):
    """How many bytes a command asks for whose last field is a number."""
    last = bytes(cmd[:-1]).decode().split(",")[-1].split("=")[-1]
    return min(int(last), 10240) if last.isdigit() else 0
