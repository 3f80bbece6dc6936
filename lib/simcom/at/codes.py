"""Which lines behind a command are unsolicited codes, and not its answer."""

# Answers that hold free text, lines of all kinds.
_TEXTS = ("CMGR", "CMGL", "CMGRO", "CMGRD", "CLAC", "HTTPREAD", "HTTPHEAD", "FTPGET", "FSREAD", "FSLS", "CFTRANTX")

# Unsolicited codes: whole lines …
_WORDS = "|RING|NO CARRIER|RDY|QCRDY|CLOSED|Call Ready|SMS Ready|SMS DONE|PB DONE|CHARGE-ONLY MODE|NORMAL POWER DOWN|"
_WORDS += "NORMAL POWER OFF|UNDER-VOLTAGE POWER OFF|OVER-VOLTAGE POWER OFF|"
_WORDS += "UNDER-VOLTAGE POWER DOWN|OVER-VOLTAGE POWER DOWN|UNDER-VOLTAGE WARNNING|OVER-VOLTAGE WARNNING|SERVER OK|"
_WORDS += "UNDER-VOLTAGE WARNING|OVER-VOLTAGE WARNING|VOICE CALL: BEGIN|+PDP DEACT|+CIPEVENT|+IPCLOSE|"
# … and what stands in front of a colon, or of a blank (+SAPBR 1: DEACT).
_NAMES = " +CMT +CMTI +CBM +CBMI +CDS +CDSI +CPIN +CFUN +CREG +CGREG +CEREG +CGEV +CUSD +CLIP +CRING +CCWA +CTZV +CTZE "
_NAMES += "+CTVZ +CIEV +CSCON +STIN +PDP +CIPEVENT +CIPRXGET +RECEIVE +CIPERROR +IP +NETOPEN +NETCLOSE +CIPOPEN "
_NAMES += "+CIPSEND +CIPCLOSE +IPCLOSE +CDNSGIP +SERVERSTOP +CLIENT +CCHEVENT +CCH_PEER_CLOSED +CCH_RECV_CLOSED "
_NAMES += (
    "+CCHOPEN +CCHCLOSE +CMTE +CMQTTCONNLOST +SAPBR +APP +SIMCARD +CESQ +CASTATE +CADATAIND +UGNSINF +CENG *PSUTTZ "
)
_NAMES += "*PSNWID *ATREADY *ISIMAID *REJCAUSE DST STATE MISSED_CALL "
# Behind a link's number.
_REPORTS = "|CLOSED|CONNECT OK|CONNECT FAIL|SEND OK|SEND FAIL|CLOSE OK|ALREADY CONNECT|"
# Behind a link's number and a comma, a number: reports that look like the answer to the same command.
_LINKS = " +CIPOPEN +CIPCLOSE +CIPSEND "
_STATES = " +CREG +CGREG +CEREG "
_PLAIN = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ .:/+-_*"  # in a field without quotes


class Codes:
    """Knows them behind one command of ``m``, whose ``parts`` are (name, arguments)."""

    def __init__(self, m, parts):
        self._m = m
        self._names = ["+" + name for name, _ in parts]
        if "+CIPSTATUS" in self._names:
            self._names.append("STATE")
        self._asks = [args for _, args in parts] == ["?"]
        self._text = [name for name, _ in parts if name in _TEXTS]

    def _code(self, line):
        # Whether it is a complete unsolicited code.
        if "|%s|" % line in _WORDS or line.startswith("VOICE CALL: END"):
            return True
        if line[1:2] == "," and line[0].isdigit():
            return "|%s|" % line[2:].strip() in _REPORTS or line[2:].strip().startswith("REMOTE IP: ")
        if line.startswith("DATA ACCEPT:"):
            return _whole(line[12:])
        name, colon, rest = line.partition(":")
        name = name.split(" ")[0]
        rest = rest.strip()
        if line[:1] == "$":
            return not self._text and line[:3] == "$GN"
        if name in self._names:
            return self._report(name, rest)
        if colon:
            for prefix, _ in self._m.urcs:
                if line.encode().startswith(prefix) and (not self._text or _whole(rest)):
                    return True
        elif not self._text:
            return " %s " % line in _NAMES and line[0] in "+*"
        return " %s " % name in _NAMES and (not self._text or _whole(rest))

    def _report(self, name, rest):
        # A line that begins as the answer does.
        fields = rest.split(",")
        if name == "+NETOPEN" or name == "+NETCLOSE":
            return not self._asks
        if name == "+CIPRXGET":
            return fields[0] == "1" and len(fields) == 2
        if " %s " % name in _LINKS and not (name == "+CIPCLOSE" and self._asks and self._m.LINKS == 2):
            return len(fields) == 2 and fields[0].isdigit() and fields[1].lstrip("-").isdigit()
        return self._asks and " %s " % name in _STATES and not (len(fields) > 1 and fields[1].strip().isdigit())


def _whole(rest):
    # Fields with their quotes closed, or in the characters of a code.
    quoted = False
    for c in rest:
        if c == '"':
            quoted = not quoted
        elif not quoted and c != "," and c not in _PLAIN:
            return False
    return bool(rest) and not quoted and rest[-1] != ","
