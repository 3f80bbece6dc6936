"""What the module tells of itself and what can be set, while a connection is open."""

import errno

from target import echo, equal, fails, pattern, true


def _optional(function, *args):
    # What this family may lack: None, then, and it says so.
    try:
        return function(*args)
    except OSError as e:
        equal(e.args[0], errno.EOPNOTSUPP)
        true(" has no " in str(e), "the message %r names what is missing" % str(e))


def case_links_are_listed(target):
    a = target.socket("echo")
    echo(a, b"first")
    rows = target.modem.status("links")
    equal(len(rows), target.modem.LINKS)
    equal([row[4] for row in rows].count("CONNECTED"), 1)
    row = rows[a._link.n]
    equal((row[0], row[1], row[3], row[4]), (a._link.n, "TCP", target.peer("echo")[1], "CONNECTED"))
    echo(a, b"second")
    a.close()
    equal([row for row in target.modem.status("links") if row[4] == "CONNECTED"], [])


def case_bytes_are_counted(target):
    s = target.socket("echo")
    echo(s, pattern(500))
    rows = target.modem.status("acknowledged")
    equal(len(rows), 1)
    n, sent, acknowledged, received = rows[0]
    equal((n, sent), (s._link.n, 500))
    true(500 in (acknowledged, received) and None in (acknowledged, received), "one is counted: %r" % (rows,))
    s.close()


def case_write_waits_for_the_peer(target):
    target.modem.config(acknowledge=True)
    try:
        s = target.socket("echo")
        for n in (1, 100, 3000):
            s.write(pattern(n))
            equal(s.read(n), pattern(n))
        s.close()
    finally:
        target.modem.config(acknowledge=False)


def case_network_and_system(target):
    status = target.modem.status
    equal(status("sim"), "READY")
    equal(status("attached"), True)
    true(status("registration") in (1, 5), "registered")
    equal(status("function"), 1)
    true(len(status("contexts")) > 0, "a context is defined")
    true(status("context") in ("IP STATUS", "IP PROCESSING", "OPEN", "ACTIVE"), "the context is up")
    fields = _optional(status, "system")
    true(fields is None or len(fields) > 2, "system information %r" % fields)


def case_second_context(target):
    modem = target.modem
    second = _optional(modem.context, modem.apn[0])
    if not second:
        return
    a = target.socket("echo")
    try:
        second.connect()
    except OSError:  # some cards have one at a time
        true(modem.isconnected(), "the first stays")
        return
    s = second.socket()
    s.settimeout(30)
    s.connect(target.peer("echo"))
    echo(s, pattern(1000))
    echo(a, b"by the first")
    host = target.peer("echo")[0]
    true(not host.strip("0123456789.") or second.resolve(host), "names are found through it")
    second.disconnect()
    fails((errno.ENOTCONN, errno.ECONNABORTED), s.recv, 1)
    echo(a, b"the first goes on")
    a.close()


def case_name_servers_are_told(target):
    found = target.modem.status("dns")
    true(len(found) >= 2 and isinstance(found[0], str), "name servers %r" % (found,))


def case_time_outs_are_kept(target):
    before = _optional(target.modem.status, "timeouts")
    if not before:
        return
    target.modem.config(timeouts=(60000, 30000, 20000))
    equal(target.modem.status("timeouts"), (60000, 30000, 20000))
    s = target.socket("echo")
    echo(s, b"in time")
    s.close()
    target.modem.config(timeouts=before)


def case_quick_close(target):
    from simcom import socket

    for value in ((1, 0), b"\x01\0\0\0\0\0\0\0"):
        s = target.socket("mute")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, value)
        s.write(b"lost or not")
        s.close()
        equal(s._link.n, -1, "the number is free")
    s = target.socket("echo")
    echo(s, b"still well")
    s.close()


def case_keep_alive(target):
    from simcom import socket

    s = target.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 60)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 5)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.connect(target.peer("echo"))
    echo(s, b"kept alive")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.close()


def case_nothing_to_recover(target):
    s = target.socket("echo")
    equal(target.modem.recover(target.peer("echo")), "probe")
    echo(s, b"untouched")
    s.close()


def case_options_of_bad_values(target):
    from simcom import socket

    s = target.socket()
    for value in (0, -1):
        try:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, value)
        except ValueError:
            continue
        true(False, "ValueError for %d" % value)
    try:
        target.modem.status("weather")
    except ValueError:
        return
    true(False, "ValueError for an unknown parameter")


try:
    case_links_are_listed.feature = "connections"
    case_bytes_are_counted.feature = "sent"
    case_write_waits_for_the_peer.feature = "acked_write"
    case_name_servers_are_told.feature = "nameservers"
    case_quick_close.feature = "slow_close"
    case_keep_alive.feature = "keepalive"
    case_nothing_to_recover.feature = "recover"
except AttributeError:  # MicroPython keeps no such notes
    pass
