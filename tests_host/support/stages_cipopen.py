"""The stages of the SIM7028 and A76XX transcripts."""

from sim import Peer, Script
from sim_host import UP_CIPOPEN as UP
from sim_host import Host
from sim_stage import Stage, inject, serve

TCP, UDP = ("117.131.85.139", 5253), ("117.131.85.139", 5254)
TABLE = ("183.230.174.137", 6031)
OPEN_TABLE = 'AT+CIPOPEN=%d,"TCP","183.230.174.137",6031'


def commands(*lines: str):
    """Commands whose answers are no part of the transcript."""
    return lambda host: host.do(*lines)


def network(host):
    host.vm.csq = 23


def activate(host):
    host.net.local_addresses = ["10.148.0.17"]


def tcp_push(host):
    if host.vm.family == "sim7028":
        host.vm.choices["recv_from"] = b"RCV FROM:"
    serve(host, TCP, ("expect", b"HELLO"), ("wait", 300), ("send", b"data from server"))


def tcp_buffer(host):
    serve(host, TCP, ("expect", b"hello"), ("wait", 300), ("send", b"data from server"))


def tcp_transparent(host):
    twice = ("send", b"DATA FROM SERVER"), ("send", b"DATA FROM SERVER")
    serve(host, TCP, ("expect", b"data to server"), *twice, ("wait", 2500), ("send", b"HELLO CLIENT"))


def udp_push(host):
    serve(host, UDP, ("expect", b"HELLOSERVERHELLO"), ("wait", 300), ("send", b"HELLO CLIENT\r\n"), proto="UDP")


def udp_buffer(host):
    host.vm.choices["udp_close"] = "ok first"
    serve(host, UDP, ("expect", b"HELLOSERVERHELLO"), ("wait", 300), ("send", b"data from server"), proto="UDP")


def udp_transparent(host):
    serve(host, UDP, ("expect", b"data to server"), *[("send", b"HELLO CLIENT")] * 2, proto="UDP")


def server(host):
    host.vm.choices["server_offset"] = 1
    host.vm.choices["netclose_links"] = "silent"
    host.clock.after_ms(3000, lambda: host.net.dial(8080, Script(), "192.168.108.5", 57202))


def query(host):
    serve(host, TCP)
    host.do("AT+NETOPEN")


def table(*lines: str):
    """The network open, a peer where the command tables have one, and more commands."""

    def setup(host: Host) -> None:
        serve(host, TABLE)
        serve(host, TABLE, proto="UDP")
        host.do(*UP, *lines)

    return setup


def feed(data: bytes):
    """Data for link 0, with its notice taken."""

    def run(host: Host) -> None:
        host.net.connections[-1].write(data)
        host.wait(100)

    return run


def table_read(host):
    table(OPEN_TABLE % 0)(host)
    feed(b"123456")(host)


def table_ack(host):
    table(OPEN_TABLE % 0, "AT+CIPSEND=0,10", "0123456789")(host)
    feed(b"12345")(host)


def table_stop(host):
    host.vm.choices["server_stop"] = "ok first"
    host.do("AT+NETOPEN", "AT+SERVERSTART=8080,0")


def table_name(host):
    host.net.name("www.baidu.com", "61.135.169.121")
    host.do("AT+NETOPEN")


class Loses(Peer):
    """The network goes as soon as the connection is there."""

    def __init__(self, vm):
        self.vm = vm

    def opened(self, connection):
        self.vm.network_lost()


def network_closed(host):
    host.net.serve("postman-echo.com", 80, Loses(host.vm))
    host.do("AT+CGEREP=0,0")


EVENTS = [("before_report", "+CGEV: " + text) for text in ("NW PDN DEACT 1", "ME DETACH", "EPS PDN ACT 1")]


def first_at_unanswered(host):
    host.vm.boot()
    host.clock.sleep_ms(host.vm.boot_ms + 50)
    host.vm.registration = 11
    host.vm.unknown = ("CMGF",)  # the firmware of this log lacks it


def csdn(host):
    host.vm.choices["closed_line"] = True
    serve(host, ("211.149.158.237", 8011), ("expect", b"HELLO"), ("wait", 300), ("send", b"HOE-7600CE-TCP-TEST"))


LOADER = (
    b"LoadVerifyImageHead read(len=272), Time(ms)->0.\r\ntest:VerifyImageHead skip\r\nVerifyImageBody sha256 skip\r\n"
)
PINGS = "SUCC, dest: 59.111.160.244, RTT: 623 ms", "DONE"
PINGS += (
    "dest: 59.111.160.244, 4 packets transmittted, 4 received, 0 % packet loss rtt min/avg/max = 143 / 265 / 623 ms",
)
BOOT = "*ATREADY: 1", "SIM Ready", "Network Available", "+CESQ: 99,99,255,255,31,70", "OK", "OK"
BOOT += tuple("+QCPING: " + text for text in PINGS)


def bring_up(host):
    host.net.local_addresses = ["10.1.2.3"]
    host.vm.registration = 5
    host.do("AT+CMEE=1", "AT+CEREG=2", 'AT+CGDCONT=0,"IP","hologram"')


STAGES = {
    "01": Stage(network),
    "02": Stage(),
    "03": Stage(activate),
    "03b": Stage(),
    "04": Stage(commands("AT+NETOPEN")),
    "05": Stage(tcp_push),
    "06": Stage(tcp_buffer),
    "07": Stage(tcp_transparent),
    "08": Stage(udp_push),
    "09": Stage(udp_buffer),
    "10": Stage(udp_transparent),
    "11": Stage(server),
    "12": Stage(server),
    "13": Stage(query),
    "t01": Stage(commands("AT+NETOPEN"), {1: commands("AT+NETCLOSE")}),
    "t02": Stage(commands("AT+NETOPEN")),
    "t03": Stage(table(OPEN_TABLE % 1), {3: commands("AT+CIPCLOSE=1")}),
    "t04": Stage(table(OPEN_TABLE % 1), {3: commands("AT+CIPCLOSE=1", 'AT+CIPOPEN=1,"UDP",,,6031')}),
    "t05": Stage(table_read, {4: feed(b"123456"), 5: feed(b"one two three four")}),
    "t06": Stage(table(), {2: commands(OPEN_TABLE % 0)}),
    "t07": Stage(lambda host: setattr(host.net, "local_addresses", ["10.84.17.161"]) or host.do("AT+NETOPEN")),
    "t08": Stage(),
    "t09": Stage(),
    "t10": Stage(),
    "t11": Stage(),
    "t12": Stage(),
    "t13": Stage(),
    "t14": Stage(commands("AT+NETOPEN")),
    "t15": Stage(table_stop),
    "t16": Stage(table_ack),
    "t17": Stage(table_name),
    "t18": Stage(),
    "t19": Stage(commands("AT+NETOPEN")),
    "t20": Stage(),
    "field/a76xx_01": Stage(settings={"echo": True, "imei": "0" * 15}),
    "field/a76xx_02": Stage(network_closed, {8: inject(*EVENTS), 9: inject(("after_ok", "PB DONE"))}),
    "field/a76xx_07": Stage(
        first_at_unanswered, {}, {"powered": False, "boot_lines": ((200, "*ATREADY: 1"), (250, "+CPIN: READY"))}
    ),
    "field/a76xx_12": Stage(csdn, {6: commands("AT+CIPMODE=1", "AT+NETOPEN")}),
    "field/sim7028_01": Stage(
        lambda host: host.vm.boot(),
        {},
        {"powered": False, "choices": {"boot_noise": LOADER}, "boot_lines": tuple(enumerate(BOOT))},
    ),
    "field/sim7028_02": Stage(bring_up),
}
