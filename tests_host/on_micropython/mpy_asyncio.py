"""No call of the package holds up an asyncio program, on a virtual clock: see mpylib/virtual.py.

Its milliseconds are estimates; those of a board are measured on the emulated Pico. This is here because it is quick,
tries both kinds of UART, and names the call that is at fault.
"""

import sys

sys.path.append(__file__.rpartition("/")[0] + "/mpylib")
from heartbeat import run

LATE_MS = 20  # as bench.py has it

passed = failed = 0


def check(name, problems):
    global passed, failed
    if problems:
        failed += 1
        print("FAILED: %s:" % name)
        for line in problems:
            print("    " + line)
    else:
        passed += 1


def heartbeat(family, kind):
    problems, heart = run(family, kind, 2048, 20480)
    name = "%s, UART of %s" % (family, kind)
    check(name + ": all arrives", problems)
    check(name + ": beats of 10 ms", heart.worst_ms() > LATE_MS and heart.story)
    check(name + ": enough beats", heart.beats < 2000 and ["%d" % heart.beats])


def blocked_once():
    """The measurement sees a pump that blocks for 50 ms, once among thousands, and names it."""
    import time

    left = [100]

    def block(heart):
        if heart.phase == "transfer" and left[0]:
            left[0] -= 1
            if not left[0]:
                time.sleep_ms(50)

    problems, heart = run("SIM7000", "rp2", 1024, 2048, block)
    check("a pump that blocks: all arrives", problems)
    check("a pump that blocks is seen", heart.worst_ms() < 40 and ["%.1f ms" % heart.worst_ms()])
    ms, _, _, _, _, name = heart.story[1].split()  # "50.9 ms in 1 x Endpoint.ioctl"
    check("a pump that blocks is named", not (float(ms) >= 50 and name.startswith("Endpoint.")) and heart.story)


for each in ("SIM7000", "A76XX"):
    heartbeat(each, "rp2")
    heartbeat(each, "esp32")
blocked_once()

print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
