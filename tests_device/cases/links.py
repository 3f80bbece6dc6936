"""Many connections at once, and connections that nobody closed."""

import errno

from target import REFUSED, echo, equal, fails, pattern, true


def _fill(target):
    return [target.socket("echo") for _ in range(target.modem.LINKS)]


def case_all_links_at_once(target):
    sockets = _fill(target)
    for i, s in enumerate(sockets):
        s.write(pattern(300, i + 2))
    for i, s in enumerate(sockets):
        equal(s.read(300), pattern(300, i + 2), "link %d" % i)
    for s in sockets:
        s.close()


def case_one_connect_too_many_names_the_peers(target):
    sockets = _fill(target)
    s = target.socket()
    e = fails(errno.ENOBUFS, s.connect, target.peer("echo"))
    equal(str(e).count("%s:%d" % target.peer("echo")), target.modem.LINKS, "peers in %s" % e)
    echo(sockets[0], b"the others are well")
    sockets[-1].close()
    s.connect(target.peer("echo"))
    echo(s, b"now there is room")
    for each in sockets + [s]:
        each.close()


def case_links_are_used_again(target):
    for i in range(2 * target.modem.LINKS):
        s = target.socket("echo")
        echo(s, pattern(20, i + 1))
        s.close()


def _refused(target):
    s = target.socket()
    fails(REFUSED, s.connect, target.peer("refused"))


def _slammed(target):
    equal(target.socket("slam").recv(1), b"")


def _reset(target):
    s = target.socket("reset")
    try:
        s.write(b"x")  # the reset may be here before the answer to this
        s.recv(1)
    except OSError:
        pass


def _timed_out(target):
    s = target.socket("mute")
    s.settimeout(0.05)
    fails(errno.ETIMEDOUT, s.recv, 1)


def _fifty_dropped(target, failures):
    # As umqtt does: the old socket is dropped without close(), and MicroPython never finalises it.
    for i in range(50):
        failures[i % len(failures)](target)
    s = target.socket("echo")
    echo(s, b"the 51st")
    s.close()


def case_fifty_refused_and_dropped(target):
    _fifty_dropped(target, (_refused,))


def case_fifty_closed_by_the_peer_and_dropped(target):
    _fifty_dropped(target, (_slammed,))


def case_fifty_reset_and_dropped(target):
    _fifty_dropped(target, (_reset,))


def case_fifty_timed_out_and_dropped(target):
    _fifty_dropped(target, (_timed_out,))


def case_fifty_dropped_after_all_kinds_of_failures(target):
    _fifty_dropped(target, (_refused, _slammed, _reset, _timed_out))


def case_dropped_sockets_do_not_cost_the_open_ones_their_link(target):
    s = target.socket("echo")
    for _ in range(target.modem.LINKS + 2):
        _timed_out(target)
    echo(s, b"not taken away")
    s.close()


def case_unread_bytes_of_one_link_do_not_hold_up_another(target):
    sent = pattern(8000)  # now: later a board's heap may have no hole of that size
    lazy = target.socket("blob")
    lazy.write(b"8000\n")  # more than its ring holds
    s = target.socket("echo")
    for i in range(5):
        echo(s, pattern(100, i + 1))
    equal(lazy.read(), sent)
    lazy.close()
    s.close()


def case_getaddrinfo_sends_nothing(target):
    from simcom import socket

    host, port = target.peer("echo")
    before = target.sent()
    for name in (host, "192.0.2.7", "a.name.that.does.not.exist.example"):
        entry = socket.getaddrinfo(name, port, 0, socket.SOCK_STREAM)[0]
        equal(entry[0], socket.AF_INET)
        equal(entry[1], socket.SOCK_STREAM)
        equal(entry[4], (name, port))
    equal(target.sent(), before, "bytes on the wire")


def case_name_that_does_not_exist(target):
    s = target.socket()
    e = fails((-2, errno.ECONNREFUSED, errno.EHOSTUNREACH), s.connect, ("no.such.name.invalid", 80))
    true("no.such.name.invalid" in str(e), "the message does not name it: %s" % e)
    s.close()


def case_module_socket_acts_on_the_installed_modem(target):
    import sys

    import simcom

    before = {name: sys.modules.get(name) for name in ("socket", "usocket")}
    try:
        simcom.install(target.modem)
        import socket

        info = socket.getaddrinfo(*target.peer("echo"))[0]
        s = socket.socket(info[0], socket.SOCK_STREAM, info[2])
        s.settimeout(30)
        s.connect(info[-1])
        echo(s, b"by its usual name")
        s.close()
        import usocket

        equal(usocket is socket, True)
    finally:
        simcom.install(None)
        for name in before:
            if before[name]:
                sys.modules[name] = before[name]
            else:
                del sys.modules[name]


def case_two_modems(target):
    other = target.new_modem()
    mine = target.socket("echo")
    yours = other.socket()
    yours.settimeout(30)
    yours.connect(target.peer("echo"))
    for i in range(3):
        mine.write(pattern(200, i + 1))
        yours.write(pattern(200, i + 9))
        equal(yours.read(200), pattern(200, i + 9))
        equal(mine.read(200), pattern(200, i + 1))
    mine.close()
    yours.close()
