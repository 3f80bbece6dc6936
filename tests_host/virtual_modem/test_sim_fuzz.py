"""Whatever a host sends, the virtual modem stays alive."""

import random

import pytest
from sim import Drip
from sim_host import Host

NAMES = """CIPMUX CIPSTART CIPSEND CIPCLOSE CIPSHUT CIPSTATUS CIPRXGET CIPACK CIPQSEND CIPSPRT CIPATS CIPHEAD CIPSRIP
CIPSHOWTP CIPMODE CIPSGTXT CIPSERVER CIPUDPMODE CLPORT CDNSGIP CDNSCFG CSTT CIICR CIFSR CIFSREX CPIN CSQ CREG CGREG
CEREG CGATT COPS CFUN CPOWD CSCLK IFC IPR CMEE CNMI CIPCCFG CIPTKA CPSI GSN CCID CIMI NOSUCH""".split()
VALUES = ["", "0", "1", "2", "3", "8", "-1", "1460", "99999", '"TCP"', '"UDP"', '"example.com"', "80", '"x', ",", "a b"]
OPEN_NAMES = """NETOPEN NETCLOSE IPADDR CIPOPEN CIPOPEN CIPSEND CIPSEND CIPCLOSE CIPRXGET CIPACK CIPHEAD CIPSRIP CIPMODE
CIPSENDMODE CIPTIMEOUT CIPCCFG SERVERSTART SERVERSTOP CSOCKSETPN CTCPKA CDNSCFG CDNSGIP CGDCONT CGACT CPSI CSQ CEREG
CGATT CPIN COPS CFUN CRESET CPOF CIPSTART IPR CMEE CGEREP NOSUCH""".split()
CA_NAMES = """CNACT CNCFG CGNAPN CAOPEN CAOPEN CASEND CASEND CACLOSE CARECV CARECV CAACK CASTATE CASERVER CACFG CACFG
CASRIP CACID CASSLCFG CASWITCH CDNSGIP CDNSCFG CDNSPDPID SNPING4 SNPDPID CGDCONT CPSI CSQ CEREG CGATT CPIN COPS CFUN
CREBOOT CPOWD CPSMS CEDRXS CNMP CMNB CIPSTART NETOPEN IPR CMEE NOSUCH""".split()
CA_VALUES = ['"SNDBUF"', '"ASYNCOPEN"', '"REMOTEADDR"', '"LOCALPORT"', '"192.0.2.1"', '"UDP6"', "5840"]
HARMFUL = ("CREBOOT", "CRESET", "CPOF", "CPOWD", "IPR", "CSCLK", "CFUN")  # the host would have to follow the module


CIPSTART, CIPOPEN, CAOPEN = ("sim7000", "sim800"), ("sim7028", "a76xx"), ("sim7080",)
CASES = [(CIPSTART[0], seed) for seed in range(20)] + [(CIPSTART[1], seed) for seed in range(5)]
CASES += [(family, seed) for family in CIPOPEN for seed in range(15)]
CASES += [(family, seed) for family in CAOPEN for seed in range(30)]


@pytest.mark.parametrize("family, seed", CASES)
def test_random_commands_do_no_harm(family, seed):
    draw = random.Random(seed)
    host = Host(family, seed=seed, split_ms=draw.choice([0, 5]))
    names = NAMES if family in CIPSTART else CA_NAMES if family in CAOPEN else OPEN_NAMES
    known = VALUES + CA_VALUES if family in CAOPEN else VALUES
    host.net.serve("example.com", 80, lambda: Drip(bytes(5000), 700, 40, close=True))
    if family in CIPSTART:
        host.do("AT+CIPMUX=%d" % (seed % 2), 'AT+CSTT="x"', "AT+CIICR", "AT+CIFSR")
    elif family in CAOPEN:
        host.do("AT+CNACT=0,1", 'AT+CAOPEN=0,0,"TCP","example.com",80', 'AT+CASERVER=1,0,"UDP",5000')
    else:
        host.do("AT+CIPMODE=%d" % (seed % 3 == 0), "AT+NETOPEN", 'AT+CIPOPEN=0,"TCP","example.com",80')
    for _ in range(150):
        name = draw.choice(names)
        op = draw.choice(["", "?", "=?", "=", "=", "=", "="])
        values = ",".join(draw.choice(known) for _ in range(draw.randint(0, 4))) if op == "=" else ""
        if name not in HARMFUL or op not in ("", "="):
            host.ask("AT+%s%s%s" % (name, op, values), draw.choice([0, 5, 100, 1000]))
        if draw.random() < 0.2:
            host.ask(bytes(draw.randrange(256) for _ in range(draw.randrange(200))), 5)
        if draw.random() < 0.05:
            draw.choice([host.vm.network_lost, lambda: host.vm.urc("RING")])()
        host.ask(b"\x1a" if draw.random() < 0.3 else b"")
    host.send(b"\x1a" * 1500)  # out of any payload input
    host.wait(5000)
    host.ask(b"+++", 3000)
    host.ask(b"\r\r", 90_000)
    host.ask("ATE0Q0V1", 1000)
    assert b"\r\nOK\r\n" in host.ask("AT", 1000)


@pytest.mark.parametrize("family", CIPSTART + CIPOPEN + CAOPEN)
@pytest.mark.parametrize("seed", range(5))
def test_noise_does_no_harm(family, seed):
    draw = random.Random(seed)
    letters = b"AT+CAOPENSDR" if family in CAOPEN else b"AT+CIPSEND"
    host = Host(family, seed=seed)
    for _ in range(100):
        host.ask(bytes(draw.choice(letters + b'=0123,;\r\n\x00\xff\x1b\x08"?') for _ in range(50)), 10)
    host.ask(b"\r", 1000)
    host.vm.echo = False
    assert b"\r\nOK\r\n" in host.ask("AT", 1000)
