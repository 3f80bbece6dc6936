"""Sessions of plain calls for tests_host/bench.py, which counts the instructions of each under callgrind.

    micropython calls.py FAMILY [charge]

Marks stand around each call and around what the fakes do inside it (see virtual.Clock). Bytes pile up between calls, so
that single calls do as much as they ever do. With `charge` there are no marks; the number of calls of the package's
functions is printed.
"""

import gc
import sys

import virtual
from virtual import clock

virtual.install()

from fakenet import NetUart, stream  # noqa: E402

UP = 2048
DOWN = 4096
GAPS_MS = (3, 40, 130)

charge = "charge" in sys.argv
if charge:
    virtual.free_of_charge()  # so that the session is the same
    virtual.charge_calls()

import simcom  # noqa: E402

inside = 0


def measured(name, function, *args):
    global inside
    if not charge:
        return clock.measured(name, function, *args)
    before = clock.calls
    result = function(*args)
    inside += clock.calls - before
    return result


gc.disable()  # not inside a call


def nothing():
    pass


uart = NetUart(sys.argv[1].lower(), "rp2", times=DOWN // UP)
modem = getattr(simcom, sys.argv[1])(uart)
modem.connect("internet")
modem.socket().close()  # what makes sockets is loaded
simcom.install(modem)
clock.marking = not charge
for _ in range(3):
    measured("nothing", nothing)
    measured("any", uart.any)
sockets = []
data = stream(UP)
for n in range(2):
    s = modem.socket()
    s.setblocking(False)
    try:
        measured("open", s.connect, ("host%d.example" % n, 80))
    except OSError:  # in progress
        pass
    sockets.append([s, 0, 0])
turn = 0
while sockets:
    turn += 1
    gc.collect()
    clock.spend(1000 * GAPS_MS[turn % 3])
    measured("pump", modem.pump)
    for entry in list(sockets):
        s, sent, got = entry
        if sent < UP:
            entry[1] += measured("write", s.write, data[sent : sent + 1024]) or 0
        entry[2] += len(measured("read", s.read, 1024) or b"")
        if entry[2] == DOWN:
            measured("close", s.close)
            sockets.remove(entry)
for _ in range(20):
    clock.spend(20000)
    measured("pump", modem.pump)
if charge:
    print(inside)
sys.exit(uart.wrong or uart.overruns)
