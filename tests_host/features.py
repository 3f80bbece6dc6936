"""What the library can do, row by row: the tests fill the table, `make features` writes it into the README.

A test that shows a capability carries `@pytest.mark.feature("udp")` and has a parameter `family`, or names the family
as a second argument; one that shows that a family has not got it carries `@pytest.mark.lacks("udp")`. A row is one
thing, and its test looks at what it changes in the virtual module, not at the text of a command.
"""

import json
import re
import sys
from pathlib import Path

TREE = Path(__file__).parent.parent
sys.path.append(str(TREE / "tests_host/support"))  # unless it is there already

from families import ALL, FAMILIES, sibling  # noqa: E402

RAN = TREE / "build" / "features.json"
START, END = "<!-- features: written by `make features` from the tests that ran -->", "<!-- end of features -->"

# Row: what it is, and a line of example.
ROWS = {
    "power_on": ("power-up by the key", "modem.active(True)"),
    "power_off": ("power-down by command, else by the key", "modem.active(False)"),
    "rate": ("baud rate found, and changed", "simcom.SIM7000(uart, baudrate=460800)"),
    "reset": ("restart by command, by the RESET pin", "modem.reset(); modem.reset(pin=Pin(5))"),
    "restart": ("restart of the module noticed", "except OSError as e: e.errno == ECONNABORTED"),
    "pin": ("SIM state, PIN", 'simcom.SIM7000(uart, pin="1234"); modem.status("sim")'),
    "signal": ("signal", 'modem.status("rssi")'),
    "registration": ("registration", 'modem.status("registration")'),
    "registrations": ("each registration by itself", 'modem.status("registrations")'),
    "attach": ("packet service", 'modem.status("attached")'),
    "system": ("system information", 'modem.status("system")'),
    "function": ("function level", 'modem.status("function")'),
    "cids": ("list of PDP contexts", 'modem.status("contexts")'),
    "context": ("PDP context up, down, up again", 'modem.connect("internet"); modem.disconnect()'),
    "account": ("APN with user and password", 'modem.connect("internet", "user", "key")'),
    "lte": ("LTE context told before registration: number, type, APN", 'modem.config(cid=1, pdp_type="IPV4V6")'),
    "ipv6": ("IPv6 context", 'modem.config(pdp_type="IPV6")'),
    "contexts": ("two PDP contexts at once", 'second = modem.context("other.apn"); second.socket()'),
    "tcp": ("TCP client", "s = socket.socket(); s.connect((host, port))"),
    "udp": ("UDP", "s = socket.socket(AF_INET, SOCK_DGRAM); s.sendto(b, (host, port))"),
    "peers": ("UDP from many peers, with their addresses", "data, address = s.recvfrom(1400)"),
    "server": ("TCP server", 's.bind(("", 80)); s.listen(); c, address = s.accept()'),
    "single": ("single-connection mode", "simcom.SIM7000(uart, mux=False)"),
    "bind": ("fixed local port (SIM800, SIM7000: with `mux=False`)", 's.bind(("", 5000)); s.connect((host, port))'),
    "dns": ("DNS query", 'modem.resolve("example.com")'),
    "nameservers": ("DNS servers", 'modem.config(dns=("1.1.1.1", "8.8.8.8"))'),
    "fixed": ("sending with a length", 'modem.config(send="fixed")'),
    "variable": ("sending until Ctrl-Z", 'modem.config(send="variable")'),
    "timed": ("sending until a timer ends it", 'modem.config(send=("timed", 3))'),
    "prompt": ("sending without a prompt", "modem.config(prompt=0)"),
    "room": ("room for sending", 'modem.status("room")'),
    "acked_write": ("write waits for the peer's acknowledgement", "modem.config(acknowledge=True)"),
    "sent": ("bytes sent", 'modem.status("acknowledged")[0][1]'),
    "acknowledged": ("bytes acknowledged", 'modem.status("acknowledged")[0][2]'),
    "received": ("bytes received", 'modem.status("acknowledged")[0][3]'),
    "waiting": ("bytes that wait in the module", 'modem.status("waiting")'),
    "buffer": ("receiving by buffer access", 'modem.config(receive="buffer")'),
    "hex": ("receiving as hexadecimal digits", 'modem.config(receive="hex")'),
    "push": ("receiving by direct push", 'modem.config(receive="push")'),
    "transparent": ("transparent mode, TCP client", "t = modem.transparent((host, port)); t.write(b)"),
    "transparent_udp": ("transparent mode, UDP", "t = modem.transparent((host, port), udp=True)"),
    "transparent_server": ("transparent mode, TCP server", "t = modem.transparent_server(port)"),
    "escape": ("command mode and back", 't.escape(); modem.status("rssi"); t.resume()'),
    "connections": ("state of every connection", 'modem.status("links")'),
    "context_state": ("state of the context", 'modem.status("context")'),
    "slow_close": ("close that sends everything first", "s.close()"),
    "quick_close": ("close at once", "s.setsockopt(SOL_SOCKET, SO_LINGER, (1, 0)); s.close()"),
    "peer_close": ("close by the peer", 's.read() returns, then b""'),
    "all_closed": ("everything closed at once", "modem.disconnect()"),
    "timeouts": ("the module's time-outs", "modem.config(timeouts=(120000, 60000, 60000))"),
    "retries": ("number of retransmissions", "modem.config(retries=3)"),
    "stack": ("settings of the stack, and what they may be", 'modem.status("stack"); modem.status("ranges")'),
    "keepalive": ("keep-alive", "s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)"),
    "sleep": ("sleep by DTR with a connection open", "modem.sleep(dtr); modem.wake()"),
    "doze": ("sleep by silence with a connection open", "modem.sleep(); modem.wake()"),
    "psm": ("power saving mode, as the network grants it", "modem.psm(86400, 10)"),
    "edrx": ("extended discontinuous reception", "modem.edrx(81.92)"),
    "recover": ("recovery: link, context, module", "modem.recover()"),
    "errors": ("error codes as errno, with the text", "except OSError as e: print(e)"),
    "urcs": ("unsolicited codes anywhere", 'modem.on_urc("+CMTI:", print)'),
    "ri": ("RI calls back, in transparent mode too", "modem.on_urc(Pin(5), f)"),
}

# What these families have by their AT manual, while their TCP/IP note does not mention it: a firmware may refuse it.
BEYOND = {"keepalive": ("sim800", "sim7000", "a76xx"), "nameservers": ("sim800", "sim7000", "a76xx")}
BEYOND["retries"] = ("sim7080",)


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
            mine = getattr(item, "callspec", None) and item.callspec.params.get("family")
            families = mark.args[1:] or [mine]
            for family in [mine] if mine in families else families if not mine else []:
                if mark.args[0] not in ROWS or not family:
                    raise ValueError("%s: no row %r, or no family %r" % (item.nodeid, mark.args[0], family))
                if family in FAMILIES:  # else a sibling
                    found.append((word, mark.args[0], family))
    return found


def table(outcomes):
    """The README's table; ✓ is shown by tests, and so is –: refused with EOPNOTSUPP, or without effect on the wire."""
    columns = " | ".join(each.upper() for each in FAMILIES)
    lines = ["| | " + columns + " | for example |", "|---" * (len(FAMILIES) + 2) + "|"]
    for row, (title, example) in ROWS.items():
        cells = []
        for family in FAMILIES:
            word, good = outcomes.get("%s %s" % (row, family), ("", False))
            mark = {"feature": "(✓)" if family in BEYOND.get(row, ()) else "✓", "lacks": "–"}
            cells.append(mark[word] if good else "not yet")
        lines.append("| %s | %s | `%s` |" % (title, " | ".join(cells), example))
    return "\n".join(lines + shared())


def shared():
    """Whose column is also that of others."""
    lines = []
    for family in FAMILIES:
        others = [each.upper() for each in ALL if sibling(each) == family and each != family]
        if others:
            lines += ["", "The column %s is that of %s too." % (family.upper(), ", ".join(others))]
    return lines


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
