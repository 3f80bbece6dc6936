"""Servers on the module: clients that come, wait, go, and share the module's links with connections of our own."""

import errno
import select

from target import echo, equal, fails, pattern, true

PORT = 8001  # `peer.py` and the virtual modules know which ports may be dialled


def _listen(target, port=PORT, timeout=30):
    s = target.socket(timeout=timeout)
    s.bind(("", port))
    s.listen(1)
    return s


def _accept(s):
    client, address = s.accept()
    client.settimeout(30)
    equal(len(address), 2, "address")
    true(isinstance(address[0], str) and 0 < address[1] < 65536, "address: %r" % (address,))
    return client


def _works(outside, inside, data):
    outside.send(data)
    equal(inside.read(len(data)), data, "from the client")
    inside.write(data)
    equal(outside.recv(len(data)), data, "to the client")


def case_clients_at_once(target):
    s = _listen(target)
    pairs = []
    for _ in range(min(3, target.modem.LINKS)):
        outside = target.dial(PORT)
        pairs.append((outside, _accept(s)))
    for turn in range(3):
        for i, (outside, _) in enumerate(pairs):
            outside.send(pattern(700, turn + i + 2))
        for i, (_, inside) in enumerate(pairs):
            equal(inside.read(700), pattern(700, turn + i + 2), "client %d" % i)
            inside.write(pattern(500, turn + i + 9))
        for i, (outside, _) in enumerate(pairs):
            equal(outside.recv(500), pattern(500, turn + i + 9), "client %d" % i)
    for _, inside in pairs:
        inside.close()
    s.close()


def case_clients_one_after_another(target):
    s = _listen(target)
    for i in range(2 * target.modem.LINKS + 1):
        outside = target.dial(PORT)
        inside = _accept(s)
        _works(outside, inside, pattern(50, i + 1))
        if i % 2:
            outside.close()
            equal(inside.read(1), b"")
        inside.close()
        if not i % 2:
            equal(outside.recv(1), b"")
    s.close()


def case_clients_and_outgoing_links(target):
    s = _listen(target)
    for i in range(3):
        outside = target.dial(PORT)
        mine = target.socket("echo")
        inside = _accept(s)
        _works(outside, inside, pattern(100, i + 1))
        mine.write(pattern(100, i + 5))
        equal(mine.read(100), pattern(100, i + 5))
        mine.close()
        inside.close()
    s.close()


def case_accept_times_out(target):
    s = _listen(target)
    s.settimeout(0.3)
    fails(errno.ETIMEDOUT, s.accept)
    s.settimeout(30)
    outside = target.dial(PORT)
    _works(outside, _accept(s), b"after all")
    s.close()


def case_accept_without_blocking(target):
    s = _listen(target)
    s.setblocking(False)
    poll = select.poll()
    poll.register(s, select.POLLIN)
    fails(errno.EAGAIN, s.accept)
    equal(poll.poll(0), [])
    outside = target.dial(PORT)
    target.until(lambda: poll.poll(0), "a client that poll() sees")
    equal(poll.poll(0)[0][1], select.POLLIN)
    _works(outside, _accept(s), b"polled")
    fails(errno.EAGAIN, s.accept)
    s.close()
    equal(poll.poll(0)[0][1], 32)


def case_listen_without_blocking(target):
    s = target.socket(timeout=0)
    before = target.sent()
    s.bind(("0.0.0.0", PORT))
    equal(target.sent(), before, "bytes sent by bind()")
    s.listen(5)
    other = target.socket(timeout=0)
    other.bind(("", PORT))
    fails(errno.EADDRINUSE, other.listen)
    s.settimeout(30)
    target.until(s._link.listens, "the module listens")
    _works(target.dial(PORT), _accept(s), b"it listens")
    s.close()


def case_client_closes_before_it_is_accepted(target):
    s = _listen(target)
    outside = target.dial(PORT)
    outside.send(pattern(600))
    outside.close()
    target.until(lambda: s._poll(1), "the client waits")
    for _ in range(20):
        target.modem.wait()
    inside = _accept(s)
    equal(inside.read(), pattern(600))
    inside.close()
    _works(target.dial(PORT), _accept(s), b"the next one")
    s.close()


def case_server_closes_first(target):
    s = _listen(target)
    outside = target.dial(PORT)
    inside = _accept(s)
    inside.write(pattern(900))
    inside.close()
    equal(outside.recv(1000), pattern(900))
    s.close()


def case_accepted_clients_outlive_the_server(target):
    s = _listen(target)
    outside = target.dial(PORT)
    inside = _accept(s)
    s.close()
    fails(errno.EBADF, s.accept)
    _works(outside, inside, b"still here")
    again = _listen(target)
    if target.modem.LINKS > 2:
        _works(target.dial(PORT), _accept(again), b"the same port again")
    _works(outside, inside, b"and here")
    inside.close()
    again.close()


def case_port_is_used_again_at_once(target):
    s = _listen(target)
    for i in range(4):
        outside = target.dial(PORT)
        inside = _accept(s)
        s.setblocking(False)
        if i % 2:
            inside.close()
        s.close()  # the module is being told; it may refuse while a client is connected
        s = _listen(target)
        if not i % 2:
            _works(outside, inside, b"still here")
            inside.close()
    _works(target.dial(PORT), _accept(s), b"a new server")
    s.close()


def case_nobody_accepts(target):
    s = _listen(target)
    outside = target.dial(PORT)
    target.until(lambda: s._poll(1), "the client waits")
    s.close()
    equal(outside.recv(1), b"", "closed with the server")
    s = _listen(target)
    _works(target.dial(PORT), _accept(s), b"a new server")
    s.close()


def case_two_servers_or_one(target):
    first = _listen(target)
    second = target.socket()
    second.bind(("", PORT + 1))
    if target.modem.SERVERS == 1:
        e = fails(errno.ENOBUFS, second.listen)
        true(str(PORT) in str(e), "the message does not name the port in use: %s" % e)
    else:
        second.listen()
        one = target.dial(PORT)
        two = target.dial(PORT + 1)
        inside = _accept(second)
        _works(two, inside, b"the second")
        _works(one, _accept(first), b"the first")
        second.close()
    first.close()


def case_what_a_listening_socket_refuses(target):
    s = target.socket()
    fails(errno.EINVAL, s.listen)
    fails(errno.EINVAL, s.accept)
    for port in (-1, 65536, "80", None):
        try:
            s.bind(("", port))
            true(False, "bind took port %r" % (port,))
        except ValueError:
            pass
    s.bind(("", PORT))
    fails(errno.EINVAL, s.bind, ("", PORT + 1))
    s.listen()
    s.listen()
    fails(errno.EALREADY, s.connect, target.peer("echo"))
    fails(errno.ENOTCONN, s.recv, 1)
    fails(errno.ENOTCONN, s.write, b"x")
    s.close()


def case_fixed_local_port(target):
    for _ in range(2):
        s = target.socket()
        s.bind(("", 5000))
        s.connect(target.peer("echo"))
        echo(s, b"from port 5000")
        s.close()
    s = target.socket("echo")
    echo(s, b"any port")
    s.close()


for _name, _case in list(globals().items()):
    if _name.startswith("case_"):
        try:
            _case.feature = "tcp" if _case is case_fixed_local_port else "server"
        except AttributeError:  # a function of MicroPython has none, and needs none there
            break
