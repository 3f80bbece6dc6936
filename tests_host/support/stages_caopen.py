"""The stages of the transcripts of the CAOPEN dialect."""

from sim import Blackhole, Peer, Refuse, Script, Slam
from sim_host import Host
from sim_stage import Stage, serve

TCP, PEER = ("117.131.85.139", 6004), ("192.0.2.10", 80)
OPEN = 'AT+CAOPEN=0,0,"TCP","192.0.2.10",80'
UP = "AT+CNACT=0,1"


def commands(*lines: str):
    """Commands whose answers are no part of the transcript."""
    return lambda host: host.do(*lines)


def address(host: Host, text: str) -> None:
    host.net.local_addresses = [text]


def bearer(host):
    address(host, "10.94.36.44")
    host.vm.operator = "CHN-CT"


def document(host):
    """The context of the examples of the application note."""
    address(host, "10.181.182.177")
    host.do(UP)


def without_index(host):
    document(host)
    host.vm.choices["pdp_index"] = "active"


def tcp_client(host):
    document(host)
    serve(host, TCP, ("expect", b"hello"), ("wait", 500), ("send", b"GET / HTTP"))


def tcp_server(host):
    without_index(host)
    host.clock.after_ms(1000, lambda: host.net.dial(6000, Script(("send", b"GET / HTTP")), "117.131.85.139", 5004))


def udp_server(host):
    without_index(host)
    host.clock.after_ms(1000, lambda: host.net.datagram(6000, b"GET / HTTP", ("117.131.85.139", 5001)))


def tls_client(host):
    without_index(host)
    serve(host, (TCP[0], 6005), ("send", b"GET / HTTP"))


def close(host):
    serve(host, PEER)
    host.do(UP, OPEN, OPEN.replace("=0", "=1"))


def names(host):
    host.net.name("www.baidu.com", "183.232.231.172")
    host.do(UP)


def ping(host):
    host.net.name("www.baidu.com", "180.97.33.108")


def push_tcp(host):
    answers = ("expect", b"hello"), ("send", b"hello"), ("expect", b"b"), ("send", b"a\r\nOK\r\nb"), ("wait", 100)
    serve(host, ("192.0.2.10", 7), *answers, ("close",))
    host.do(UP)


class Later(Peer):
    """A datagram some time after the link has been opened."""

    def __init__(self, data: bytes, ms: int):
        self.data, self.ms = data, ms

    def opened(self, connection):
        connection.clock.after_ms(self.ms, lambda: connection.write(self.data))


def remote_address(host):
    host.net.serve("192.0.2.10", 6000, Later(b"ping", 1000), "UDP")
    host.net.serve("192.0.2.11", 6001, Later(b"pong", 1500), "UDP")
    host.do(UP)


def udp_client(host):
    serve(host, ("192.0.2.10", 6000), ("expect", b"00"), ("send", b"pong"), proto="UDP")
    host.do(UP)


def open_failures(host):
    host.net.serve("192.0.2.10", 81, Refuse)
    host.net.serve("192.0.2.99", 80, Blackhole)
    host.do(UP)


def async_open(host):
    host.net.connect_ms = 500
    host.net.serve("192.0.2.10", 81, Refuse)
    serve(host, PEER)
    host.do(UP)


def context_loss(host):
    host.vm.choices.update(context_loss="states before", no_context=1)
    serve(host, PEER)
    host.do(UP)


def network_goes(host):
    host.clock.after_ms(1000, host.vm.network_lost)


def refused_once(host):
    host.vm.refuse_contexts = 1


def transparent(host):
    serve(host, ("192.0.2.10", 7), ("expect", b"hello"), ("send", b"hello"))
    host.do(UP)


def full_server(host):
    host.do(UP)
    client = Script(("wait", 50), ("send", b"hello"), ("wait", 2000), ("close",))
    host.clock.after_ms(1000, lambda: host.net.dial(6000, client, "192.0.2.20", 5004))
    host.clock.after_ms(1500, lambda: host.net.dial(6000, Script(), "192.0.2.21", 5005))


def buffer_query(host):
    serve(host, PEER, ("wait", 3000), ("send", b"hello world!"))
    host.do(UP, OPEN)


def late_send(host):
    host.vm.choices["late_casend"] = "behind"
    serve(host, ("192.0.2.10", 8080), ("expect", b"hello"), ("wait", 100), ("send", b"GET / HTTP"))
    host.do(UP)


def buffer_full(host):
    """More than sixteen bytes of buffer take."""
    rest = ("wait", 500), ("send", b"B" * 8 + b"C" * 8 + b"D" * 3), ("wait", 500), ("close",)
    serve(host, PEER, ("send", b"A" * 8), *rest)
    host.do(UP)


def woken(host):
    host.wait(100)
    host.vm.pwrkey(True)
    host.wait(5000)
    host.vm.pwrkey(False)


def https_notes(host):
    address(host, "10.0.0.2")
    ends = b"keep-alive\r\n\r\n"
    serve(host, ("h.example.net", 443), ("expect", ends), ("wait", 200), ("send", b"HTTP/1.0 200 OK\r\n\r\n"))
    serve(host, ("example.net", 13000), ("send", b"hello\n"))


def supply_warnings(host):
    host.net.connect_ms = 2000
    host.net.serve("example.com", 8883, Refuse)
    host.vm.open_results = [11]
    host.do("AT+CNACT=1")
    for i in range(4):
        host.clock.after_ms(500 + 100 * i, lambda: host.vm.urc("OVER-VOLTAGE WARNNING"))


def closed_at_once(host):
    host.net.serve("example.com", 8883, Slam)
    host.do("AT+CNACT=1")


def started_over(host):
    """It registers; SMS Ready comes in front of an echo, and what is asked then stays unheard for a while."""
    host.vm.registration = 2
    host.vm.values.update(CNMP="38", CMNB="3")


def late_ready(host):
    host.vm.urc("SMS Ready")
    host.vm.hang(300)


STAGES = {
    "01": Stage(bearer),
    "02": Stage(bearer, settings={"register_ms": 0}),
    "03": Stage(tcp_client),
    "04": Stage(tcp_server),
    "05": Stage(udp_server),
    "06": Stage(),
    "07": Stage(),
    "08": Stage(close),
    "09": Stage(),
    "10": Stage(),
    "11": Stage(names),
    "12": Stage(ping),
    "13": Stage(settings={"default_autobaud": False, "boot_ms": 100}),
    "14": Stage(),
    "15": Stage(between={5: woken}, settings={"choices": {"wake": "resume"}}),
    "16": Stage(),
    "17": Stage(tls_client),
    "20": Stage(push_tcp),
    "21": Stage(remote_address),
    "22": Stage(udp_client),
    "23": Stage(open_failures),
    "24": Stage(async_open),
    "25": Stage(context_loss, {0: network_goes, 4: refused_once}),
    "26": Stage(transparent),
    "27": Stage(full_server),
    "28": Stage(buffer_query),
    "field/sim70x0_01": Stage(started_over, {7: late_ready}, {"echo": True}),
    "field/sim70x0_02": Stage(settings={"choices": {"no_context": 1}}),
    "field/sim70x0_03": Stage(late_send),
    "field/sim7000ca_01": Stage(https_notes),
    "field/sim7000ca_02": Stage(supply_warnings),
    "field/sim7000ca_03": Stage(closed_at_once),
    "field/sim70x0_04": Stage(buffer_full, settings={"rx_limit": 16}),
}
