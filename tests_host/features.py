"""What the library can do, row by row: the tests fill the table, `make features` writes it into the README.

A test that shows a capability carries `@pytest.mark.feature("udp")` and has a parameter `family`, or names the family
as a second argument; one that shows that a family refuses it with EOPNOTSUPP carries `@pytest.mark.lacks("udp")`.
"""

import json
import re
import sys
from pathlib import Path

TREE = Path(__file__).parent.parent
RAN = TREE / "build" / "features.json"
FAMILIES = {"sim800": "SIM800", "sim7000": "SIM7000", "sim7028": "SIM7028", "a76xx": "A76XX"}
START, END = "<!-- features: written by `make features` from the tests that ran -->", "<!-- end of features -->"

# Row: what it is, and a line of example.
ROWS = {
    "power": ("power by pin and by command, boot, baud rate, restart noticed", "modem.active(True); modem.reset()"),
    "network": ("SIM and PIN, signal, registration, attach", 'modem.status("rssi")'),
    "system": ("system information, function level, PDP contexts", 'modem.status("system")'),
    "context": ("PDP context; APN with user and password", 'modem.connect("internet", "user", "key")'),
    "ipv6": ("IPv6 context", 'modem.config(pdp_type="IPV6")'),
    "tcp": ("TCP client", "s = socket.socket(); s.connect((host, port))"),
    "udp": ("UDP", "s = socket.socket(AF_INET, SOCK_DGRAM); s.sendto(b, (host, port))"),
    "peers": ("UDP from many peers, with their addresses", "data, address = s.recvfrom(1400)"),
    "server": ("TCP server", 's.bind(("", 80)); s.listen(); c, address = s.accept()'),
    "single": ("single-connection mode", "simcom.SIM7000(uart, mux=False)"),
    "bind": ("fixed local port", 's.bind(("", 5000)); s.connect((host, port))'),
    "contexts": ("two PDP contexts at once", 'second = modem.context("other.apn"); second.socket()'),
    "dns": ("DNS query", 'modem.resolve("example.com")'),
    "nameservers": ("DNS servers", 'modem.config(dns=("1.1.1.1", "8.8.8.8"))'),
    "sending": ("sending: fixed and variable length, timed, room, prompt", 'modem.config(send="variable")'),
    "acknowledged": ("waiting for the acknowledgement; bytes sent and acknowledged", 'modem.status("acknowledged")'),
    "receiving": ("receiving: buffer access, hex, direct push", 'modem.config(receive="push")'),
    "transparent": ("transparent mode", "t = modem.transparent((host, port)); t.write(b); t.escape()"),
    "connections": ("connection status", 'modem.status("links")'),
    "closing": ("closing: slow, quick, by the peer, everything", "s.setsockopt(SOL_SOCKET, SO_LINGER, linger)"),
    "timeouts": ("the module's time-outs and retransmission", "modem.config(timeouts=(120000, 60000, 60000))"),
    "keepalive": ("keep-alive", "s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)"),
    "sleep": ("sleep with a connection open", "modem.sleep(dtr); modem.wake()"),
    "recover": ("recovery: link, context, module", "modem.recover()"),
    "errors": ("error codes as errno, with the text", "except OSError as e: print(e)"),
    "urcs": ("unsolicited codes anywhere", 'modem.on_urc("+CMTI:", print)'),
}


class Ran:
    """A pytest plugin: which rows the tests of this run have shown for which family."""

    def __init__(self):
        self.outcomes = {}

    def pytest_runtest_logreport(self, report):
        """Every test that carries a mark; one that fails spoils its cell."""
        for word, row, family in getattr(report, "shown", ()):
            if report.when == "call" or report.failed:
                cell = "%s %s" % (row, family)
                good = self.outcomes.get(cell, (word, True))[1] and report.passed
                self.outcomes[cell] = (word, good)

    def write(self):
        """To build/features.json, for `make features`."""
        RAN.parent.mkdir(exist_ok=True)
        RAN.write_text(json.dumps(self.outcomes, indent=1, sort_keys=True) + "\n")


def shown(item):
    """The (mark, row, family) that a test would show."""
    found = []
    for word in ("feature", "lacks"):
        for mark in item.iter_markers(word):
            families = mark.args[1:] or [getattr(item, "callspec", None) and item.callspec.params.get("family")]
            for family in families:
                if mark.args[0] not in ROWS or not family:
                    raise ValueError("%s: no row %r, or no family %r" % (item.nodeid, mark.args[0], family))
                if family in FAMILIES:  # else one that is being added
                    found.append((word, mark.args[0], family))
    return found


def table(outcomes):
    """The README's table; ✓ is shown by tests, – refused by the library with EOPNOTSUPP, as tests show."""
    lines = ["| | " + " | ".join(FAMILIES.values()) + " | for example |", "|---" * (len(FAMILIES) + 2) + "|"]
    for row, (title, example) in ROWS.items():
        cells = []
        for family in FAMILIES:
            word, good = outcomes.get("%s %s" % (row, family), ("", False))
            cells.append({"feature": "✓", "lacks": "–"}[word] if good else "not yet")
        lines.append("| %s | %s | `%s` |" % (title, " | ".join(cells), example))
    return "\n".join(lines)


def main():
    """Rewrite the table in the README; --check: only tell whether it is right."""
    readme = TREE / "README.md"
    text = readme.read_text()
    before, _, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not end or not RAN.exists():
        sys.exit("no table in README.md, or make test has not run")
    right = before + START + "\n" + table(json.loads(RAN.read_text())) + "\n" + END + after
    if right == text:
        print("the table in README.md is what the tests show")
    elif "--check" in sys.argv:
        wrong = [line for line in right.split("\n") if line not in text.split("\n")]
        sys.exit("README.md is out of date (make features):\n" + "\n".join(wrong))
    else:
        readme.write_text(right)
        print("README.md: table written")
    missing = re.findall(r"^\| (.*?) \|.*not yet", right, re.M)
    if missing:
        print("not shown for every family: " + "; ".join(missing))


if __name__ == "__main__":
    main()
