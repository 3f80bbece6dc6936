"""Transparent mode: the connection has the UART to itself."""

import errno

from target import echo, equal, fails, pattern, true


def case_every_byte_both_ways_commands_in_between(target):
    data = bytes(range(256)) * 2 + b"+++\r\nOK\r\n\r\nCLOSED\r" + pattern(1500)
    t = target.modem.transparent(target.peer("echo"))
    t.settimeout(30)
    got = bytearray()
    for at in range(0, len(data), 500):
        t.write(data[at : at + 500])
        got += t.read(len(data[at : at + 500]))
    equal(bytes(got), data, "bytes of the echo")
    fails(errno.EALREADY, target.modem.at, "+CSQ")
    t.escape()
    true(target.modem.status("attached"), "commands work")
    if not target.modem.DIALECT.endswith("start"):  # other links go on in command mode
        s = target.socket("echo")
        echo(s, b"beside")
        t.resume()
        echo(t, b"again")
        t.escape()
        echo(s, pattern(3000))
        s.close()
    else:
        fails(errno.EALREADY, target.socket, "echo")
    t.resume()
    echo(t, b"again")
    t.close()
    s = target.socket("echo")
    echo(s, b"socket")
    s.close()


def case_closed_by_the_peer(target):
    t = target.modem.transparent(target.peer("blob"))
    t.settimeout(60)  # some modules have to be asked
    t.write(b"5000\n")
    equal(t.read(), pattern(5000), "bytes before the end")
    equal(t.read(1), b"")
    fails(errno.ECONNRESET, t.write, b"x")
    t.close()
    true(target.modem.isconnected(), "the context is up")


def case_refused(target):
    codes = (errno.ECONNREFUSED, errno.ETIMEDOUT, errno.ECONNABORTED)
    fails(codes, target.modem.transparent, target.peer("refused"))
    s = target.socket("echo")
    s.write(b"socket")
    equal(s.read(6), b"socket")
    s.close()


try:
    for _case in (case_every_byte_both_ways_commands_in_between, case_closed_by_the_peer, case_refused):
        _case.feature = "transparent"
except AttributeError:  # MicroPython's functions have no attributes; there nobody asks for them
    pass
