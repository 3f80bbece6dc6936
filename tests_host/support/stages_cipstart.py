"""The stages of the SIM800 and SIM7000 transcripts."""

from sim import Script
from sim_host import UP
from sim_stage import Stage, inject, serve

TCP, UDP = ("116.228.221.51", 8500), ("116.228.221.51", 9600)


def named(host, text: str) -> bytes:
    """A peer's text with the module's name in it."""
    return (text % host.vm.family.upper()).encode()


def tcp_client(host):
    serve(host, TCP, ("expect", b"hello TCP serve"), ("wait", 100), ("send", named(host, "hello %s")), ("close",))


def udp_client(host):
    serve(host, UDP, ("expect", named(host, "%s UDP test")), ("wait", 100), ("send", b"UDP test"), proto="UDP")


def udp_close(host):
    host.vm.choices["close_ok"] = b"CLOSED OK"
    host.do(*UP, 'AT+CIPSTART="UDP","116.228.221.51","9600"')


def udp_close_800(host):
    host.vm.choices["close_prefix"] = b"OK"
    udp_close(host)


def udp_extended(host):
    host.vm.choices["recv_from"] = b"RECV FROM: "
    near, far = ("116.228.221.51", 1234), ("10.78.103.220", 5678)
    serve(host, UDP, ("wait", 500), ("send", b"test1"), ("send", b"test2", near), ("send", b"test3", far), proto="UDP")


def transparent(host):
    text = ("send", named(host, "%s channel test"))
    end = [("close",)] if host.vm.family == "sim7000" else []
    serve(host, TCP, ("expect", b"some data bytes"), ("wait", 3000), text, *end)


def call_in_data_mode(host):
    sms_in_data_mode(host, "RING")


def sms_in_data_mode(host, *before):
    serve(host, TCP)
    host.do("AT+CIPMODE=1", *UP, 'AT+CIPSTART="TCP","116.228.221.51","8500"')
    for code in (*before, '+CMTI: "SM",10'):
        host.vm.urc(code)


def multi_client(host):
    serve(host, TCP, ("wait", 2000), ("send", named(host, "%s TCP test")), ("wait", 200), ("close",))
    answer = ("wait", 1700), ("send", named(host, "%s UDP test"))
    serve(host, UDP, ("expect", b"UDP test"), *answer, proto="UDP")


def dns(host):
    host.net.local_addresses = ["10.126.186.232"]
    host.net.name("www.baidu.com", "119.75.218.77", "119.75.217.56")
    serve(host, ("www.sim.com", 80))


def dual_pdp(host):
    host.net.local_addresses = ["10.126.186.232", "10.204.70.11"]
    serve(host, ("116.236.221.75", 5555), ("wait", 2600), ("send", b"Hello world 000"))


def second_peer(host):
    serve(host, ("116.236.221.75", 5555), ("wait", 2600), ("send", b"Hello world 111"))


def server_single(host):
    host.net.local_addresses = ["10.78.33.227"]
    more = ("expect", b"hello client"), ("wait", 300), ("send", b"hello SIM800")
    first = ("wait", 100), ("send", b"hello server")
    peer = Script(*first, *(more if host.vm.family == "sim800" else ()))
    host.clock.after_ms(3000, lambda: host.net.dial(1234, peer))


def server_multi(host):
    host.net.local_addresses = ["10.76.40.73"]
    peer = Script(("wait", 100), ("send", named(host, "%s multi connection TCP server test")))
    host.clock.after_ms(3000, lambda: host.net.dial(8888, peer, "10.76.40.73"))
    serve(host, TCP, ("expect", b"data from connection 1"), ("wait", 100), ("send", b"data to connection 1"))
    serve(host, UDP, proto="UDP")


def connected(host):
    serve(host, TCP)
    host.do(*UP, 'AT+CIPSTART="TCP","116.228.221.51","8500"')


def up(host):
    serve(host, ("116.236.221.75", 5107))
    host.do(*UP)


def up_multi(host):
    serve(host, ("116.236.221.75", 5107))
    host.do("AT+CIPMUX=1", *UP)


def cipack(host, commas=(b", ",)):
    host.vm.choices["ack_comma"] = list(commas)
    host.net.latency_ms = 0
    serve(host, TCP)
    serve(host, UDP, proto="UDP")
    host.do("AT+CIPMUX=1", *UP)
    host.do('AT+CIPSTART=1,"TCP","116.228.221.51","8500"', 'AT+CIPSTART=2,"UDP","116.228.221.51","9600"')


def cipack_cn(host):
    cipack(host, (b",", b", ", b","))


def cipack_single(host):
    up(host)
    host.net.latency_ms = 0


def rxget(host):
    hello = ("send", b"HELLO WORLD")
    serve(host, ("116.228.221.51", 5555), ("wait", 200), hello, ("wait", 1000), hello)
    host.do(*UP)


def rxget_without_blank(host):
    host.vm.choices["rxget"] = b"+CIPRXGET:"
    rxget(host)


def deact_on_connect(host):
    host.do(*UP)
    host.vm.pdp_deact()
    host.vm.bringup = "deact"
    host.uart.read()


def notices(host):
    serve(host, TCP, ("send", b"hello world!"))
    host.do("AT+CIPMUX=1", "AT+CIPRXGET=1", *UP, 'AT+CIPSTART=0,"TCP","116.228.221.51",8500')


def boot_and_udp(host):
    host.net.local_addresses = ["83.73.111.73"]
    serve(host, ("81.161.156.81", 14450), proto="UDP")
    host.vm.boot()
    host.clock.after_ms(8000, lambda: setattr(host.vm, "attached_by_host", False))


def attach(host):
    host.vm.attached_by_host = True


def verbose_errors(host):
    host.net.local_addresses = ["10.141.7.244"]
    host.vm.registration = 5
    host.do("AT+SAPBR=1,1", "AT+HTTPINIT")
    host.vm.echo = True


PAGE = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Aug 2017 00:22:02 GMT\r\nContent-Type: text/plain;charset=utf-8\r\n"
    b"Connection: close\r\nX-Content-Type-Options: nosniff\r\nX-Robots-Tag: none\r\nAccess-Control-Allow-Origin: *\r\n"
    b'ETag: "675136a9bcc9b879e0ebcfbee3eb7bc7745c2e27"\r\nCache-Control: max-age=300\r\n\r\n'
)


def http(host):
    host.net.local_addresses = ["10.255.78.194"]
    answer = ("expect", b"Connection: close\r\n\r\n"), ("wait", 200), ("send", PAGE.ljust(1371, b"."))
    serve(host, ("cdn.rawgit.com", 80), *answer)
    host.do("AT+CIPMUX=1", "AT+CIPQSEND=1", "AT+CIPRXGET=1", UP[0])


STAGES = {
    "01": Stage(),
    "02": Stage(tcp_client),
    "03": Stage(udp_client),
    "03b": Stage(udp_close),
    "04": Stage(server_single),
    "05": Stage(udp_extended),
    "06": Stage(transparent),
    "07": Stage(sms_in_data_mode),
    "08": Stage(multi_client),
    "09": Stage(server_multi),
    "10": Stage(dual_pdp, {7: second_peer}),
    "11": Stage(dns),
    "12": Stage(connected),
    "13": Stage(connected),
    "14": Stage(up_multi),
    "15": Stage(cipack_single),
    "16": Stage(cipack),
    "17": Stage(rxget),
    "sim7000cn_16": Stage(cipack_cn),
    "sim7000cn_17": Stage(rxget_without_blank),
    "sim800_03b": Stage(udp_close_800),
    "sim800_07": Stage(call_in_data_mode),
    "sim800_10": Stage(dual_pdp, {7: second_peer}, {"link_count": 8}),
    "sim800_17": Stage(rxget_without_blank),
    "field/sim7000_01": Stage(settings={"echo": True}),
    "field/sim7000_02": Stage(deact_on_connect),
    "field/sim7000_08": Stage(
        notices,
        {
            0: inject(("before_info", "+CIPRXGET: 1,0")),
            1: inject(("before_info", "+CIPRXGET: 1,1"), ("before_info", "+CIPRXGET: 1,0")),
            2: inject(("before_info", "+CIPRXGET: 1,1")),
        },
    ),
    "field/sim800_01": Stage(
        boot_and_udp,
        {2: lambda host: setattr(host.vm, "csq", 29), 3: attach},
        {"powered": False, "default_autobaud": False, "echo_payload": False},
    ),
    "field/sim800_04": Stage(),
    "field/sim800_05": Stage(verbose_errors, {8: inject(("after_report", "+CREG: 5"))}),
    "field/sim800_06": Stage(http),
}
