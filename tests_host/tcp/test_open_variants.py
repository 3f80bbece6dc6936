"""Every form in which the modules of the CIPOPEN families word network and links, and what may go missing of it."""

import errno
import time

import pytest
import shim
from feed import CHUNKS, ERROR, OK, info
from feed_open import FAMILIES, GONE, OpenModule, connected, elapsed, idle, lands, modem, raises, refused
from transcript import FOLDER, Transcript

up_with = pytest.mark.parametrize("family", FAMILIES)

# Variants of NETOPEN and IPADDR

ALREADY = {
    "text": refused(b"+IP ERROR: Network is already opened"),
    "number": refused(b"+IP ERROR: 4"),
    "no-blank": refused(b"+IP ERROR:4"),
}


@up_with
@pytest.mark.parametrize("answer", ALREADY.values(), ids=ALREADY.keys())
def test_network_that_is_open_already_is_a_success(answer, family):
    module = OpenModule(family)
    module.net = True
    module.say_to[b"AT+NETCLOSE"] = ERROR
    module.say_to[b"AT+NETOPEN"] = lambda line: answer if line == b"AT+NETOPEN" else None
    made = modem(module, family)
    assert b"AT+NETOPEN" in module.lines
    assert made.isconnected() and made.ifconfig()[0] == "10.1.2.3"
    assert connected(made).write(b"x") == 1


def test_links_of_an_earlier_life_are_in_nobodys_way():
    module = OpenModule()
    module.net = True  # the microcontroller restarted, the module did not
    module.open.update((0, 1))
    module.inbox[0] += b"of the old one"
    made = modem(module)
    s = connected(made)
    module.arrive(0, b"new")
    assert s.read(3) == b"new"
    assert s.write(b"x") == 1 and module.outbox[0] == b"x"


@pytest.mark.parametrize("fields", [b"%d", b"%d,0", b"%d, 0", b" %d, 1"])
@pytest.mark.parametrize("was", [False, True], ids=["closed", "open"])
def test_every_form_of_the_answer_to_netopen_read(fields, was):
    module = OpenModule()
    module.net = was
    module.say_to[b"AT+NETOPEN?"] = lambda line: info(b"+NETOPEN: " + fields % module.net)
    made = modem(module)
    assert made.isconnected()
    assert connected(made).write(b"x") == 1


@pytest.mark.parametrize("form", [b"+NETOPEN: 0", b"+NETOPEN:0", b"+NETOPEN: 0, 0"])
def test_late_result_of_netopen(form):
    module = OpenModule()

    def opens(line):
        if line != b"AT+NETOPEN":
            return None
        module.line(form, 100_000)
        module.net = True
        return OK

    module.say_to[b"AT+NETOPEN"] = opens
    made = modem(module, apn=None)
    module.say_to[b"AT+NETOPEN?"] = info(b"+NETOPEN: 0")
    start = time.ticks_ms()
    made.connect("CMNET")
    assert 100_000 <= elapsed(start) < 130_000
    assert made.isconnected()


NET_ERRORS = {1: errno.EHOSTUNREACH, 3: errno.EINVAL, 8: errno.EAGAIN, 10: errno.ETIMEDOUT, 12: errno.EIO}


@pytest.mark.parametrize("at_once", [False, True], ids=["after-ok", "with-error"])
@pytest.mark.parametrize("code", NET_ERRORS)
def test_network_that_does_not_open(code, at_once):
    module = OpenModule()

    def fails(line):
        if line != b"AT+NETOPEN":
            return None
        if at_once:
            return refused(b"+NETOPEN: %d" % code)
        module.line(b"+NETOPEN: %d" % code, 500)
        return OK

    module.say_to[b"AT+NETOPEN"] = fails
    made = modem(module, apn=None)
    start = time.ticks_ms()
    e = raises(NET_ERRORS[code], made.connect, "CMNET")
    assert elapsed(start) < 60_000
    assert "context" in str(e) and "NETOPEN" in str(e)
    assert not made.isconnected() and made.status() == "idle"
    del module.say_to[b"AT+NETOPEN"]
    made.connect("CMNET")
    assert made.isconnected()


def test_result_of_netopen_that_is_lost_costs_a_delay():
    module = OpenModule()
    lost = []

    def opens(line):
        if line != b"AT+NETOPEN" or lost:
            return None
        lost.append(line)
        module.net = True
        return OK

    module.say_to[b"AT+NETOPEN"] = opens
    made = modem(module, apn=None)
    start = time.ticks_ms()
    try:
        made.connect("CMNET")
    except OSError as e:
        assert e.args[0] == errno.ETIMEDOUT
        made.connect("CMNET")
    assert elapsed(start) < 200_000
    assert made.isconnected()


NO_ADDRESS = {
    "ip-error": refused(b"+IP ERROR: Network not opened"),
    "ipaddr": refused(b"+IPADDR: Network not opened"),
    "number": refused(b"+IP ERROR: 8"),
    "plain": ERROR,
}


@up_with
@pytest.mark.parametrize("answer", NO_ADDRESS.values(), ids=NO_ADDRESS.keys())
def test_text_in_place_of_an_address(answer, family):
    module = OpenModule(family)
    module.say_to[b"AT+IPADDR"] = answer
    made = modem(module, family, apn=None)
    with pytest.raises(OSError):
        made.connect("CMNET", timeout_ms=60_000)
    assert not made.isconnected()
    assert made.ifconfig()[0] == "0.0.0.0"


@pytest.mark.parametrize("answer", NO_ADDRESS.values(), ids=NO_ADDRESS.keys())
def test_module_that_forgot_the_network_is_found_out(answer):
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.net = False
    module.open.clear()
    module.say_to[b"AT+IPADDR"] = answer
    module.uart.say(b"AT\r\r\nOK\r\n")  # an echo: it restarted
    idle(made, 5000)
    assert not made.isconnected()
    raises(GONE, s.read, 1)


@pytest.mark.parametrize("answer", [refused(b"+NETCLOSE: 2"), refused(b"+IP ERROR: 5"), ERROR])
def test_disconnect_of_a_network_that_is_closed(answer):
    module = OpenModule()
    made = modem(module)
    module.net = False
    module.say_to[b"AT+NETCLOSE"] = answer
    try:
        made.disconnect()
    except OSError as e:
        assert answer == ERROR, e
    assert not made.isconnected()
    made.connect("CMNET")
    assert made.isconnected()


@pytest.mark.parametrize("ms", [10_000, None], ids=["late", "never"])
def test_result_of_netclose_that_comes_late_or_never(ms):
    module = OpenModule()
    made = modem(module)

    def closes(line):
        module.net = False
        if ms:
            module.line(b"+NETCLOSE: 0", ms)
        return OK

    module.say_to[b"AT+NETCLOSE"] = closes
    start = time.ticks_ms()
    try:
        made.disconnect()
    except OSError as e:
        assert not ms and e.args[0] == errno.ETIMEDOUT
    assert elapsed(start) < 150_000
    assert not made.isconnected()
    module.say_to.clear()
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


def test_disconnect_with_open_links():
    module = OpenModule()
    made = modem(module)
    sockets = [connected(made) for _ in range(3)]
    module.send_ms = 5
    sockets[0].write(b"last words")
    made.disconnect()
    assert module.outbox[0] == b"last words"
    assert module.open == set() and not module.net
    for s in sockets:
        raises(GONE, s.read, 1)
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


# Variants of CIPOPEN


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("form", [b"+CIPOPEN: 0,0", b"+CIPOPEN:0,0", b"+CIPOPEN: 0, 0"])
@pytest.mark.parametrize("first", [False, True], ids=["after-ok", "before-ok"])
def test_result_of_cipopen_on_either_side_of_ok(first, form, chunk):
    module = OpenModule()
    made = modem(module)
    module.uart.chunk = chunk

    def opens(line):
        module.open.add(0)
        if first:
            return b"\r\n" + form + b"\r\n" + OK
        module.line(form, 300)
        return OK

    module.say_to[b"AT+CIPOPEN=0,"] = opens
    start = time.ticks_ms()
    s = connected(made)
    assert elapsed(start) < 2000
    assert s.write(b"x") == 1


OPEN_ERRORS = {
    1: errno.ECONNABORTED,
    2: errno.ENOTCONN,
    3: errno.EINVAL,
    4: errno.EALREADY,
    5: errno.ENOBUFS,
    6: errno.EADDRINUSE,
    7: errno.EADDRINUSE,
    8: errno.EAGAIN,
    9: errno.EAGAIN,
    10: errno.ETIMEDOUT,
    11: errno.EHOSTUNREACH,
    12: errno.EIO,
}


@up_with
@pytest.mark.parametrize("at_once", [False, True], ids=["after-ok", "with-error"])
@pytest.mark.parametrize("code", OPEN_ERRORS)
def test_errors_of_cipopen(code, at_once, family):
    module = OpenModule(family)
    made = modem(module, family)
    other = connected(made)

    def fails(line):
        if at_once:
            return refused(b"+CIPOPEN: 1,%d" % code)
        module.line(b"+CIPOPEN: 1,%d" % code, 500)
        return OK

    module.say_to[b"AT+CIPOPEN=1,"] = fails
    start = time.ticks_ms()
    raises(OPEN_ERRORS[code], connected, made)
    assert elapsed(start) < 10_000
    module.say_to.clear()
    idle(made, 1000)
    assert connected(made).write(b"x") == 1
    assert module.outbox[1] == b"x"  # its number was given back
    assert other.write(b"y") == 1


IP_ERRORS = {
    0: errno.ETIMEDOUT,
    2: errno.EINVAL,
    3: errno.ENOBUFS,
    8: errno.ENOTCONN,
    10: errno.EALREADY,
    12: errno.EINVAL,
    13: errno.EOPNOTSUPP,
    14: errno.EHOSTUNREACH,
    18: errno.ECONNABORTED,
    19: errno.EHOSTUNREACH,
    21: errno.EIO,
}


@pytest.mark.parametrize("code", IP_ERRORS)
def test_error_number_of_the_stack_in_answer_to_cipopen(code):
    module = OpenModule()
    made = modem(module)
    module.say_to[b"AT+CIPOPEN=0,"] = refused(b"+IP ERROR: %d" % code)
    raises(IP_ERRORS[code], connected, made)
    module.say_to.clear()
    assert connected(made).write(b"x") == 1


@pytest.mark.parametrize(
    "answer", [refused(b"+IP ERROR: Invalid parameter"), ERROR, b"\r\n+CME ERROR: 3\r\n"], ids=["text", "plain", "cme"]
)
def test_refusal_of_cipopen_in_other_words(answer):
    module = OpenModule()
    made = modem(module)
    module.say_to[b"AT+CIPOPEN=0,"] = answer
    start = time.ticks_ms()
    with pytest.raises(OSError) as caught:
        connected(made)
    assert isinstance(caught.value.args[0], int) and elapsed(start) < 10_000
    module.say_to.clear()
    assert connected(made).write(b"x") == 1


def test_number_that_the_module_thinks_open_is_closed_first():
    module = OpenModule()
    made = modem(module)
    module.open.add(0)  # of an earlier life
    s = connected(made)
    assert b"AT+CIPCLOSE=0" in module.lines
    assert s.write(b"x") == 1 and module.outbox[0] == b"x"


def test_result_of_another_link_is_not_taken():
    module = OpenModule()
    made = modem(module)
    module.connect_error["slow.example"] = None
    slow = made.socket()
    slow.setblocking(False)
    raises(errno.EINPROGRESS, slow.connect, ("slow.example", 80))
    idle(made, 100)

    def opens(line):
        module.line(b"+CIPOPEN: 0,10", 50)  # that of the slow one
        module.line(b"+CIPOPEN: 7,0", 60)  # and of one that nobody opens
        module.open.add(1)
        module.line(b"+CIPOPEN: 1,0", 100)
        return OK

    module.say_to[b"AT+CIPOPEN=1,"] = opens
    s = connected(made)
    assert s.write(b"x") == 1
    raises(errno.ETIMEDOUT, slow.read, 1)


def test_each_link_gets_its_own_result_in_any_order():
    module = OpenModule()
    made = modem(module)
    sockets = []
    module.connect_error = {"h%d" % k: None for k in range(4)}
    for k in range(4):
        s = made.socket()
        s.setblocking(False)
        raises(errno.EINPROGRESS, s.connect, ("h%d" % k, 80))
        sockets.append(s)
    idle(made, 1000)
    assert len(module.sent(b"AT+CIPOPEN=")) == 4
    module.open.update((0, 2))
    for line in (b"+CIPOPEN: 2,0", b"+CIPOPEN: 3,11", b"+CIPOPEN: 0,0", b"+CIPOPEN: 1,1"):
        module.line(line)
    idle(made, 1000)
    assert [sockets[k].write(b"%d" % k) for k in (0, 2)] == [1, 1]
    raises(errno.ECONNABORTED, sockets[1].write, b"x")
    raises(errno.EHOSTUNREACH, sockets[3].write, b"x")
    idle(made, 1000)
    assert (module.outbox[0], module.outbox[2]) == (b"0", b"2")


def test_result_of_cipopen_that_is_lost_costs_a_delay():
    module = OpenModule()
    made = modem(module)

    def opens(line):
        module.open.add(0)
        return OK

    module.say_to[b"AT+CIPOPEN=0,"] = opens
    start = time.ticks_ms()
    s = connected(made)
    assert elapsed(start) < 40_000
    assert s.write(b"x") == 1


def test_connect_without_a_result_ends():
    module = OpenModule()
    made = modem(module)
    module.connect_error["mute.example"] = None
    start = time.ticks_ms()
    raises(errno.ETIMEDOUT, connected, made, "mute.example", 80, None)
    assert 100_000 < elapsed(start) < 200_000
    assert connected(made).write(b"x") == 1


def test_result_that_comes_after_connect_was_given_up():
    module = OpenModule()
    made = modem(module)
    module.connect_error["mute.example"] = None
    raises(errno.ETIMEDOUT, connected, made, "mute.example", 80, 3)
    module.line(b"+CIPOPEN: 0,10", 2000)
    idle(made, 5000)
    for _ in range(2):
        s = connected(made)
        assert s.write(b"x") == 1
        s.close()


@pytest.mark.parametrize("refuses", [False, True], ids=["close-cancels", "close-refused"])
def test_attempt_that_was_given_up_does_not_stay_open_in_the_module(refuses):
    module = OpenModule()
    made = modem(module)
    module.connect_ms = 10_000
    if refuses:
        module.say_to[b"AT+CIPCLOSE=0"] = lambda line: None if module.open else refused(b"+CIPCLOSE: 0,4")
    raises(errno.ETIMEDOUT, connected, made, "slow.example", 80, 3)
    idle(made, 30_000)
    if refuses:  # and connects all the same: found when the number is used again
        assert connected(made).write(b"x") == 1
        assert module.sent(b"AT+CIPCLOSE=0")[-1:]
    else:
        assert module.open == set()
    assert not module.connecting


def test_result_of_an_attempt_that_was_given_up_is_not_taken_for_the_next():
    module = OpenModule()
    made = modem(module)
    module.connect_error["mute.example"] = None
    raises(errno.ETIMEDOUT, connected, made, "mute.example", 80, 3)
    answers = [b"\r\n+CIPOPEN: 0,0\r\n" + refused(b"+CIPOPEN: 0,4")]  # connected after all, just now
    module.connecting.clear()
    module.open.add(0)
    module.hosts[0] = "mute.example"
    module.say_to[b"AT+CIPOPEN=0,"] = lambda line: answers.pop() if answers else None
    s = connected(made, "b.example")
    n = int(module.sent(b"AT+CIPOPEN=")[-1][11:12])
    assert module.hosts[n] == "b.example", "connected with somebody else"
    assert s.write(b"x") == 1 and module.outbox[n] == b"x"


def test_connection_that_is_made_after_it_was_given_up_is_nobodys():
    module = OpenModule()
    made = modem(module)
    module.connect_ms = 20_000
    module.say_to[b"AT+CIPCLOSE=0"] = lambda line: None if module.open else refused(b"+CIPCLOSE: 0,4")
    raises(errno.ETIMEDOUT, connected, made, "slow.example", 80, 3)
    for _ in range(3):
        try:
            s = connected(made, "b.example", 80, 60)
        except OSError:
            idle(made, 10_000)
            continue
        n = int(module.sent(b"AT+CIPOPEN=")[-1][11:12])
        assert module.hosts[n] == "b.example", "connected with somebody else"
        assert s.write(b"x") == 1 and module.outbox[n] == b"x"
        break
    else:
        pytest.fail("no connection any more")


@up_with
def test_all_links_are_taken(family):
    module = OpenModule(family)
    made = modem(module, family)
    sockets = [connected(made, "10.0.0.%d" % k) for k in range(module.links)]
    e = raises(errno.ENOBUFS, connected, made)
    assert "10.0.0.0:80" in str(e) and "10.0.0.%d:80" % (module.links - 1) in str(e)
    for n in range(module.links):
        module.arrive(n, b"to %d" % n)
    for n, s in enumerate(sockets):
        assert s.write(b"from %d" % n) == 6
        assert s.read(4) == b"to %d" % n
        assert module.outbox[n] == b"from %d" % n
    sockets[-1].close()
    assert connected(made).write(b"x") == 1


def test_network_found_closed_by_a_connect():
    module = OpenModule()
    made = modem(module)
    module.net = False  # its notice was lost
    raises(errno.ENOTCONN, connected, made)
    idle(made, 3000)
    assert not made.isconnected()
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


# Variants of closing


@up_with
@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("form", [b"+IPCLOSE: 0,1", b"+IPCLOSE:0,1", b"+IPCLOSE: 0, 1"])
def test_peer_closes(form, chunk, family):
    module = OpenModule(family)
    made = modem(module, family)
    module.uart.chunk = chunk
    s = connected(made)
    other = connected(made)
    module.arrive(0, b"last words")
    module.open.discard(0)
    module.line(form)
    assert s.read(100) == b"last words"
    assert s.read(1) == b"" and s.recv(1) == b""
    assert s.write(b"x") == 1  # the first one behind the close may be good, as with TCP
    raises(errno.ECONNRESET, s.write, b"x")
    assert made.isconnected() and other.write(b"x") == 1


def test_number_of_a_link_closed_by_its_peer_is_closed_before_it_is_used_again():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.close_peer(0)
    assert s.read(1) == b""
    again = connected(made)
    first, second = [i for i, line in enumerate(module.lines) if line.startswith(b"AT+CIPOPEN=0,")]
    assert b"AT+CIPCLOSE=0" in module.lines[first:second]  # answered +CIPCLOSE: 0,4, which means nothing
    assert again.write(b"x") == 1


def test_link_closed_for_a_send_that_timed_out():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.arrive(0, b"received")
    assert s.read(8) == b"received"
    module.close_peer(0, reason=2)
    raises(errno.ETIMEDOUT, s.read, 1)
    raises(errno.ECONNABORTED, s.write, b"x")


def test_peer_closes_while_a_number_is_read_for_it():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    data = bytes(range(256)) * 30

    def segment(line):
        if module.open and len(module.inbox[0]) < 5000:
            module.open.discard(0)
            return b"\r\n+IPCLOSE: 0,1\r\n" + module.usual(line)
        return None

    module.say_to[b"AT+CIPRXGET=2,0,"] = segment
    module.arrive(0, data)
    assert s.read() == data


@pytest.mark.parametrize("line", [b"+IPCLOSE", None], ids=["bare", "lost"])
def test_peers_close_without_a_number_costs_a_delay(line):
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    other = connected(made)
    module.open.discard(0)
    if line:
        module.line(line)
    start = time.ticks_ms()
    assert s.read(1) == b""
    assert elapsed(start) < 40_000
    assert other.write(b"x") == 1


CLOSINGS = {
    "closed-before": OK + b"\r\nCLOSED\r\n\r\n+CIPCLOSE: 0,0\r\n",
    "result-first": b"\r\n+CIPCLOSE: 0,0\r\n" + OK,
    "no-blank": OK + b"\r\n+CIPCLOSE:0,0\r\n",
    "blanks": OK + b"\r\n+CIPCLOSE: 0, 0\r\n",
    "not-open": refused(b"+CIPCLOSE: 0,4"),
    "not-open-text": refused(b"+IP ERROR: Connection is not created"),
    "not-open-late": OK + b"\r\n+CIPCLOSE: 0,4\r\n",
    "net-closed": refused(b"+CIPCLOSE: 0,2"),
    "peer-was-faster": b"\r\n+IPCLOSE: 0,1\r\n" + refused(b"+CIPCLOSE: 0,4"),
    "plain": ERROR,
}


@up_with
@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("answer", CLOSINGS.values(), ids=CLOSINGS.keys())
def test_close_is_done_by_every_wording(answer, chunk, family):
    module = OpenModule(family)
    made = modem(module, family)
    module.uart.chunk = chunk
    s = connected(made)
    module.open.clear()
    module.say_to[b"AT+CIPCLOSE=0"] = answer
    start = time.ticks_ms()
    s.close()
    assert elapsed(start) < 5000
    assert made.at("+CSQ") == ["+CSQ: 20,0"]
    assert connected(made).write(b"x") == 1
    assert module.outbox[0] == b"x"  # the number is free again


def test_closed_line_before_the_result():
    steps = Transcript(FOLDER / "field/a76xx_12_direct_push_sim7600.txt").joined()
    answer = steps[steps.index((">", b"AT+CIPCLOSE=0\r")) + 1][1]
    assert answer == CLOSINGS["closed-before"]
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    other = connected(made)
    module.say_to[b"AT+CIPCLOSE=0"] = answer
    s.close()
    assert other.write(b"x") == 1 and made.isconnected()  # CLOSED names no link: it is of nobody else


def test_number_is_not_used_again_before_its_close_ended():
    module = OpenModule()
    made = modem(module)
    module.close_ms = 5000
    s = connected(made)
    s.setblocking(False)
    s.close()
    again = connected(made)
    module.arrive(1, b"on number 1")
    assert again.read(11) == b"on number 1"
    idle(made, 10_000)
    assert connected(made).write(b"x") == 1
    assert module.outbox[0] == b"x"


def test_result_of_cipclose_that_is_lost_costs_a_delay():
    module = OpenModule("sim7028")
    made = modem(module, "sim7028")

    def closes(line):
        module.open.discard(0)
        return OK

    module.say_to[b"AT+CIPCLOSE=0"] = closes
    s = connected(made)
    other = connected(made)
    start = time.ticks_ms()
    s.close()
    assert elapsed(start) < 15_000
    assert other.write(b"x") == 1
    idle(made, 150_000)
    assert connected(made).write(b"y") == 1


# The network is lost


@up_with
@pytest.mark.parametrize("chunk", CHUNKS)
def test_lost_network_reaches_every_socket_at_once(chunk, family):
    module = OpenModule(family)
    made = modem(module, family)
    module.uart.chunk = chunk
    sockets = [connected(made) for _ in range(min(3, module.links))]
    module.arrive(1, b"unread")
    assert sockets[1].read(6) == b"unread"
    module.lose_network()
    idle(made, 100)
    asked = len(module.lines)
    for s in sockets:
        start = time.ticks_ms()
        raises(GONE, s.read, 1)
        raises(GONE, s.write, b"x")
        assert elapsed(start) < 1000
    assert not made.isconnected()
    assert not [line for line in module.lines[asked:] if line.startswith(b"AT+CIPSEND")]
    raises(errno.ENOTCONN, connected, made)
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


def test_notice_of_the_lost_network_that_is_lost_costs_a_delay():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.net = False
    module.open.clear()
    start = time.ticks_ms()
    try:
        assert s.read(1) == b""
    except OSError as e:
        assert e.args[0] in GONE
    assert elapsed(start) < 40_000
    with pytest.raises(OSError) as raised:
        for _ in range(2):  # the first one behind the close may be good, as with TCP
            s.write(b"x")
    assert raised.value.args[0] in (errno.ECONNRESET, *GONE)
    raises(errno.ENOTCONN, connected, made)
    idle(made, 3000)
    assert not made.isconnected()


@pytest.mark.parametrize("still", [False, True], ids=["netopen-0", "netopen-1"])
def test_way_back_after_the_network_was_lost(still):
    # 8.4: if NETOPEN? still says 1, NETCLOSE must come before NETOPEN.
    module = OpenModule()
    made = modem(module)
    connected(made)
    module.lose_network()
    module.net = still
    idle(made, 3000)
    assert not made.isconnected()
    made.connect("CMNET")
    lines = module.lines[module.lines.index(b"AT+NETOPEN") + 1 :]
    assert b"AT+NETOPEN" in lines
    assert not still or b"AT+NETCLOSE" in lines[: lines.index(b"AT+NETOPEN")]
    assert made.isconnected() and connected(made).write(b"x") == 1


def test_lost_network_while_connecting_sending_and_closing():
    for moment in ("connect", "write", "close"):
        module = OpenModule()
        made = modem(module)
        s = made.socket()
        s.settimeout(60)
        if moment == "connect":
            module.connect_error["slow.example"] = None
        else:
            s.connect(("slow.example", 80))
        module.confirm = lambda n, requested: None
        module.close_ms = 100_000
        shim.clock.clock.after_ms(200, module.lose_network)
        start = time.ticks_ms()
        if moment == "connect":
            raises(GONE, s.connect, ("slow.example", 80))
        elif moment == "write":
            raises(GONE, s.write, bytes(5000))
        else:
            s.close()
        assert elapsed(start) < 3000, moment
        idle(made, 2000)
        assert not made.isconnected()
        module.confirm = lambda n, requested: requested
        made.connect("CMNET")
        assert connected(made).write(b"x") == 1, moment


def test_event_before_the_echo_of_a_command():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.say_to[b"AT+CIPSEND=0,"] = b"\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\nAT+CIPSEND=0,7\r" + refused(
        b"+CIPERROR: 4"
    )
    raises(GONE, lands, made, s, b"payload")
    assert module.payloads == []
