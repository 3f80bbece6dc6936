"""The virtual modem says what the transcripts say."""

import pytest
from sim import Script
from sim_host import UP, Host
from transcript import transcripts

# Transcripts of the family that are not replayed against the virtual modem, and why.
# Without a number of its own an entry counts for the English and the Chinese edition.
NOT_REPLAYED: dict = {}


TCP, UDP = ("116.228.221.51", 8500), ("116.228.221.51", 9600)


def serve(host: Host, address: tuple, *steps: tuple, proto: str = "TCP") -> None:
    host.vm.net.serve(address[0], address[1], Script(*steps), proto)


def tcp_client(host):
    serve(host, TCP, ("expect", b"hello TCP serve"), ("wait", 100), ("send", b"hello SIM7000"), ("close",))


def udp_client(host):
    serve(host, UDP, ("expect", b"SIM7000 UDP test"), ("wait", 100), ("send", b"UDP test"), proto="UDP")


def udp_close(host):
    host.vm.choices["close_ok"] = b"CLOSED OK"
    host.do(*UP, 'AT+CIPSTART="UDP","116.228.221.51","9600"')


def udp_extended(host):
    host.vm.choices["recv_from"] = b"RECV FROM: "
    near, far = ("116.228.221.51", 1234), ("10.78.103.220", 5678)
    serve(host, UDP, ("wait", 500), ("send", b"test1"), ("send", b"test2", near), ("send", b"test3", far), proto="UDP")


def transparent(host):
    serve(host, TCP, ("expect", b"some data bytes"), ("wait", 3000), ("send", b"SIM7000 channel test"), ("close",))


def sms_in_data_mode(host):
    serve(host, TCP)
    host.do("AT+CIPMODE=1", *UP, 'AT+CIPSTART="TCP","116.228.221.51","8500"')
    host.vm.urc('+CMTI: "SM",10')


def multi_client(host):
    serve(host, TCP, ("wait", 2000), ("send", b"SIM7000 TCP test"), ("wait", 200), ("close",))
    serve(host, UDP, ("expect", b"UDP test"), ("wait", 1700), ("send", b"SIM7000 UDP test"), proto="UDP")


def dns(host):
    host.vm.net.local_addresses = ["10.126.186.232"]
    host.vm.net.name("www.baidu.com", "119.75.218.77", "119.75.217.56")
    host.vm.net.serve("www.sim.com", 80, Script())


def dual_pdp(host):
    host.vm.net.local_addresses = ["10.126.186.232", "10.204.70.11"]
    texts = iter((b"Hello world 000", b"Hello world 111"))
    host.vm.net.serve("116.236.221.75", 5555, lambda: Script(("wait", 2600), ("send", next(texts))))


def server_single(host):
    host.vm.net.local_addresses = ["10.78.33.227"]
    peer = Script(("wait", 100), ("send", b"hello server"))
    host.clock.after_ms(3000, lambda: host.vm.net.dial(1234, peer))


def server_multi(host):
    host.vm.net.local_addresses = ["10.76.40.73"]
    peer = Script(("wait", 100), ("send", b"SIM7000 multi connection TCP server test"))
    host.clock.after_ms(3000, lambda: host.vm.net.dial(8888, peer, "10.76.40.73"))
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
    host.vm.net.latency_ms = 0
    serve(host, TCP)
    serve(host, UDP, proto="UDP")
    host.do("AT+CIPMUX=1", *UP)
    host.do('AT+CIPSTART=1,"TCP","116.228.221.51","8500"', 'AT+CIPSTART=2,"UDP","116.228.221.51","9600"')


def cipack_cn(host):
    cipack(host, (b",", b", ", b","))


def cipack_single(host):
    up(host)
    host.vm.net.latency_ms = 0


def rxget(host):
    hello = ("send", b"HELLO WORLD")
    serve(host, ("116.228.221.51", 5555), ("wait", 200), hello, ("wait", 1000), hello)
    host.do(*UP)


def rxget_cn(host):
    host.vm.choices["rxget"] = b"+CIPRXGET:"
    rxget(host)


def echo(host):
    host.vm.echo = True


def deact_on_connect(host):
    host.do(*UP)
    host.vm.pdp_deact()
    host.vm.bringup = "deact"
    host.uart.read()


def notices(host):
    serve(host, TCP, ("send", b"hello world!"))
    host.do("AT+CIPMUX=1", "AT+CIPRXGET=1", *UP, 'AT+CIPSTART=0,"TCP","116.228.221.51",8500')


SETUP = {
    "01": lambda host: None,
    "02": tcp_client,
    "03": udp_client,
    "03b": udp_close,
    "04": server_single,
    "05": udp_extended,
    "06": transparent,
    "07": sms_in_data_mode,
    "08": multi_client,
    "09": server_multi,
    "10": dual_pdp,
    "11": dns,
    "12": connected,
    "13": connected,
    "14": up_multi,
    "15": cipack_single,
    "16": cipack,
    "17": rxget,
    "sim7000cn_16": cipack_cn,
    "sim7000cn_17": rxget_cn,
    "field/sim7000_01": echo,
    "field/sim7000_02": deact_on_connect,
    "field/sim7000_08": notices,
}

# What a module sends besides: (transcript, module line) -> bytes behind it that the logger did not wait for.
NOT_LOGGED = {("field/sim7000_02", b"STATE: PDP DEACT\r\n", b'AT+CIPSTART="TCP"'): b"\r\nCONNECT FAIL\r\n"}

# Unsolicited codes of a transcript, by the number of the command that they interrupt: (position, code).
INJECTED = {
    "field/sim7000_08": {
        0: ["+CIPRXGET: 1,0"],
        1: ["+CIPRXGET: 1,1", "+CIPRXGET: 1,0"],
        2: ["+CIPRXGET: 1,1"],
    }
}


def key_of(name: str, table: dict):
    """The entry of a table for a transcript: by folder, family and number, else by number."""
    stem = "_".join(name.split("_")[:2])
    return stem if stem in table else stem.split("_")[1]


REPLAYED = [each for each in transcripts("sim7000") if key_of(each.name, NOT_REPLAYED) not in NOT_REPLAYED]


@pytest.mark.parametrize("transcript", REPLAYED, ids=lambda transcript: transcript.name)
def test_module_says_what_the_transcript_says(transcript):
    stem = key_of(transcript.name, SETUP)
    host = Host()
    SETUP[stem](host)
    sent, count = b"", 0
    steps = transcript.joined()
    for i, (kind, value) in enumerate(steps):
        if kind == "@":
            host.vm.clock.sleep_ms(value)
        elif kind == ">":
            for code in INJECTED.get(stem, {}).get(count, ()):
                host.vm.inject("before_info", code)
            count += 1
            sent = value
            host.send(value)
        else:
            more = b""
            for (where, ending, command), behind in NOT_LOGGED.items():
                if where == stem and value.endswith(ending) and sent.startswith(command):
                    more = behind
            assert host.collect(len(value + more)) == value + more, "step %d, after %r" % (i, sent)
    host.vm.clock.sleep_ms(1000)
    assert not host.uart.any()
