"""A TCP client's session on the fake module: what it loads, and what it takes of the heap.

    micropython mpy_session.py sim7000

brings the context up, connects, sends, receives, is refused, times out and closes, and prints

    MODULES simcom simcom.channel ...    in sys.modules afterwards
    TRANSIENT simcom.x ...               loaded too, and dropped again
    RAM bytes                            gc.mem_alloc() growth by importing, constructing, bring-up and one open link
    LINK bytes                           what of that the open link takes

`micropython mpy_session.py sim7000 context` has one fault behind it (one of FAULTS), from which it recovers. Without an
argument it is a test that this works for each family there is.
"""

import builtins
import errno
import gc
import sys

sys.path.append(__file__.rpartition("/")[0] + "/mpylib")
import fakeuart

FAMILIES = ("sim800", "sim7000", "sim7028", "a76xx", "sim7080")

load = builtins.__import__
seen = [None] * 60  # made before anything is measured
count = 0


def look():
    """Note which modules of the package there are now."""
    global count
    for name in sys.modules:
        if name.startswith("simcom") and name not in seen:
            seen[count] = name
            count += 1


def watched(name, globals=None, locals=None, fromlist=None, level=0):
    # The real one finds a relative name by the globals of its caller, which would be this file.
    if level:
        name = "simcom." + name if name else "simcom"
    module = load(name, None, None, fromlist, 0)
    look()
    return module


class Wire(fakeuart.FakeUart):
    """Looks at each command what is loaded."""

    def _command(self, line):
        look()
        super()._command(line)


def ends_with(code, work, *args):
    """Whether `work` raises OSError with that errno."""
    try:
        work(*args)
    except OSError as e:
        return e.errno == code
    return False


def session(family, fault=""):
    """(what did not go as it should, bytes of heap up to the first open link, bytes of that link)"""
    wrong = []

    def expect(what, good):
        if not good:
            wrong.append(what)

    uart = Wire(family=family)
    address = ("a.example", 80)  # before measuring: the program's, not the library's
    gc.collect()
    before = gc.mem_alloc()
    import simcom

    modem = getattr(simcom, family.upper())(uart)
    modem.active(True)
    modem.connect("internet")
    simcom.install(modem)
    import socket

    gc.collect()
    link = gc.mem_alloc()
    s = socket.socket()
    s.connect(address)
    gc.collect()
    ram = gc.mem_alloc() - before
    link = before + ram - link

    expect("send", s.write(b"x" * 3000) == 3000 and uart.sent == 3000)
    buf = bytearray(3000)
    uart.offer(5000)
    expect("receive", s.readinto(buf) == 3000)
    expect("receive: the bytes", all([buf[i] == i % fakeuart.PERIOD for i in range(3000)]))
    expect("recv", 0 < len(s.recv(100)) <= 100)
    # +CIPOPEN: n,1 does not tell a refusal from another failure of the network.
    refused = errno.ECONNABORTED if uart.opens else errno.ECONNREFUSED
    expect("refused", ends_with(refused, socket.socket().connect, ("refuse.example", 80)))
    quiet = socket.socket()
    quiet.connect(("b.example", 80))
    quiet.settimeout(0.02)
    expect("time-out", ends_with(errno.ETIMEDOUT, quiet.recv, 1))
    quiet.close()
    uart.close_peer()
    n = 1
    while n:
        n = len(s.recv(1000))
    expect("the peer's close", n == 0)
    s.close()
    expect("links given back", not any(modem.links.slots))
    expect("commands: %s" % uart.strange, not uart.strange)
    if fault:
        expect("fault: " + fault, recovers(modem, uart, address, fault))
    return wrong, ram, link


def lost(uart):
    """Bytes of received payload are lost."""
    uart.lose = 5
    uart.offer(300)


def context(uart):
    """The network takes the context away."""
    uart.down()
    event = b"+APP PDP: 0,DEACTIVE" if uart.calls else b"+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"
    uart.put(b"\r\n%s\r\n" % (event if uart.opens or uart.calls else b"+PDP: DEACT"))


def restart(uart):
    """The module restarts."""
    uart.down()
    uart.put(b"\r\nRDY\r\n")


def refusal(uart):
    """A send is refused, once."""
    uart.refuse = True


def shortened(uart):
    """What the module says it took of a send has lost a digit."""
    uart.cut = True


FAULTS = {"lost": lost, "context": context, "restart": restart, "refused": refusal, "count": shortened}
HARMLESS = ("refused", "count")  # to the link


def recovers(modem, uart, address, fault):
    """Whether an open link fails, or goes on, as it should, and another one works after it."""
    s = modem.socket()
    s.connect(address)
    s.settimeout(10)
    FAULTS[fault](uart)
    failed = False
    try:
        s.write(b"x" * 20)
        if fault not in HARMLESS:
            s.readinto(bytearray(300))
    except OSError:
        failed = True
    s.close()
    for _ in range(200):
        modem.wait()
        if not modem.up:
            modem.connect("internet")
        s = modem.socket()
        try:
            s.connect(address)
            break
        except OSError:  # what became of the module is not settled yet
            pass
    uart.offer(10)
    return len(s.read(10)) == 10 and failed == (fault not in HARMLESS)


def tell(family, fault=""):
    builtins.__import__ = watched
    wrong, ram, link = session(family, fault)
    builtins.__import__ = load
    for what in wrong:
        print("WRONG", what)
    now = sorted([name for name in seen[:count] if name in sys.modules])
    print("MODULES", " ".join(now))
    print("TRANSIENT", " ".join(sorted(set(seen[:count]) - set(now))))
    print("RAM", ram)
    print("LINK", link)
    sys.exit(len(wrong))


def test():
    passed = failed = 0
    for family in FAMILIES:
        try:
            __import__("simcom." + family)
        except ImportError:
            continue
        wrong, _, link = session(family)
        if not 1000 < link:
            wrong.append("a link takes %d bytes" % link)
        for what in wrong:
            print("FAILED: %s: %s" % (family, what))
        passed += not wrong
        failed += bool(wrong)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(bool(failed))


if len(sys.argv) > 1:
    tell(*sys.argv[1:])
else:
    test()
