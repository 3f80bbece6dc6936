"""What the module says of the commands of its stack: the values they take, and those they have."""

import pytest
from rig import ECHO, Rig  # first: it puts the shim in place
from families import CA, FAMILIES, OPEN, START

each_family = pytest.mark.parametrize("family", FAMILIES)
each_seed = pytest.mark.parametrize("seed", (None, 1, 2))


def _open_ranges(last, servers, versions):
    """What CIPOPEN modules say, with so many links and servers."""
    links = "(0-%d)" % last
    return {
        "NETOPEN": "",
        "IPADDR": "",
        "CIPMODE": "(0-1)",
        "CIPSENDMODE": "(0-1)",
        "CIPRXGET": "(0-4),%s,(1-1500)" % links,
        "CIPHEAD": "(0-1)",
        "CIPSRIP": "(0-1)",
        "CIPCCFG": "(0-10),(0-1000),(0),(0-1),(0-1),(0-1),(500-120000)",
        "CIPTIMEOUT": "(3000-120000),(3000-120000),(3000-120000)",
        "CIPCLOSE": links,
        "CSOCKSETPN": "1,(%s)" % versions,
        "CTCPKA": "",
        "CSCLK": "(0-2)",
        "NETCLOSE": "",
        "CIPOPEN": links + ',("TCP","UDP")',
        "CIPSEND": links + ",(1-1500)",
        "CIPACK": links,
        "CDNSGIP": "",
        "CDNSCFG": '("Primary DNS"),("Secondary DNS"),type',
        "SERVERSTART": "(0-65535),(0-%d)" % servers,
        "SERVERSTOP": "(0-%d)" % servers,
        "CGDCONT": '(0-15),"IP",,,(0-2),(0-4)',
    }


def _start_ranges(last):
    """What CIPSTART modules say, with so many links."""
    links = "(0-%d)" % last
    found = {name: "(0-1)" for name in "CIPHEAD CIPSRIP CIPSHOWTP".split()}
    found.update({name: "(0,1)" for name in "CIPMUX CIPQSEND CIPSGTXT".split()})
    found.update({name: "" for name in "CIPCLOSE CIPACK CDNSGIP".split()})
    found.update({"CIPMODE": "(0-NORMAL MODE,1-TRANSPARENT MODE)", "CIPATS": "(0,1),(1-100)", "CSCLK": "(0-2)"})
    found["CIPUDPMODE"] = links + ',(0-2),("(0-255).(0-255).(0-255).(0-255)"),(1-65535)'
    found.update({"CLPORT": links + ',("TCP","UDP"),(0-65535)', "CDNSCFG": '("Primary DNS"),("Secondary DNS")'})
    found["CIPCCFG"] = "(NmRetry:3-8),(WaitTm:2-10),(SendSz:1-1460),(esc:0,1) ,(Rxmode:0,1), (RxSize:50-1460),"
    found["CIPCCFG"] += "(Rxtimer:20-1000)"
    found["CIPTKA"] = "(0,1),(30-7200),(30-600),(1-9)"
    found.update({"CIPRXGET": "(0-4),%s,(1-1460)" % links, "CIPSPRT": "(0-2)", "CSTT": '"APN","USER","PWD"'})
    peers = "(0,255).(0,255).(0,255).(0,255)", "DOMAIN NAME"
    found["CIPSTART"] = "; ".join('%s,("TCP","UDP"),("%s"),(1-65535)' % (links, peer) for peer in peers)
    found["CIPSEND"] = links + ",<length>"
    found.update({"CIPSERVER": "(0-CLOSE SERVER,1-OPEN SERVER),(1-65535)", "CGDCONT": '(0-15),"IP",,,(0-2),(0-4)'})
    return found


def _ca_ranges():
    """What SIM7080 says, of V1.05 of its manual."""
    found = {name: "(0-12)" for name in "CAACK CACID CACLOSE".split()}
    found.update({name: "" for name in "CASSLCFG CASTATE CDNSCFG".split()})
    found["CACFG"] = '"TRANSWAITTM",(0-20); "TRANSPKTSIZE",(1-1460); "SACK",(0-1); "MSS",(512-1420)'
    found["CACFG"] += '; "ACKDELAY",(0-5000); "TCPIRT",(200-120000); "MAXRXT",(1-16); "TCPOT",(200-120000)'
    found["CACFG"] += '; "KEEPALIVE",(0-1),[(30-86400),(30-86400),(1-100)]'
    found["CACFG"] += '; "TCP_NODELAY",(0-1); "LINGER",(0-1),(0-120000); "SNDBUF",(5840-29200); "RCVBUF",(5840-29200)'
    found["CACFG"] += '; "ATOCLOSE",(0-1),(0-120); "ACCEPTNUM",(1-7); "ASYNCOPEN",(0-1); "TIMEOUT",(0-12),(1-60000)'
    found["CACFG"] += '; "LOCALPORT",(0-12),(0-65535); "REMOTEADDR",(0-12),64,(1-65535)'
    found["CAOPEN"] = '(0-12),(0-4),("TCP","UDP","NONIP"),64,(1-65535),(0,1)'
    found["CASERVER"] = '(0-12),(0-4),("TCP","TCP6","UDP","UDP6"),(1-65535),(0,1)'
    found.update({"CARECV": "(0-12),(1-1460)", "CASEND": "(0-12),(1-1460),(100-10000)", "CASRIP": "(0-1)"})
    found.update({"CASWITCH": "(0-12),(0,1)", "CDNSGIP": "65,(0-10),(0-60000)", "CDNSPDPID": "(0-4)", "CSCLK": "(0,1)"})
    found.update({"CNACT": "(0-3),(0-2)", "CNCFG": "(0-3),(0-4),150,127,127,(0-3)"})
    found["CGDCONT"] = '(0-15),"IP",,,(0-2),(0-4)'
    return found


RANGES = {
    "sim800": _start_ranges(5),
    "sim7000": _start_ranges(7),
    "sim7028": _open_ranges(1, 1, "1,6"),
    "a76xx": _open_ranges(9, 3, "1"),
    "sim7080": _ca_ranges(),
}


@pytest.mark.feature("stack")
@each_family
@each_seed
def test_values_that_each_command_takes(family, seed):
    rig = Rig(seed, family=family)
    found = rig.modem.status("ranges")
    assert found == RANGES[family]
    assert rig.works()


@each_family
def test_command_that_the_firmware_has_not_is_left_out(family):
    rig = Rig(family=family)
    rig.vm.unknown = ("CASRIP", "CDNSPDPID") if family in CA else ("CIPCCFG", "CIPSRIP")
    found = rig.modem.status("ranges")
    assert set(RANGES[family]) - set(found) == set(rig.vm.unknown)
    assert rig.works()


@pytest.mark.parametrize("family", START)
@each_seed
def test_what_a_cipstart_module_has_set(family, seed):
    rig = Rig(seed, family=family, modem_args={"mux": False})
    told = {"CIPMUX": "0", "CIPMODE": "0", "CIPQSEND": "1", "CIPRXGET": "1", "CIPSPRT": "1", "CIPATS": "0,1"}
    told.update({"CIPHEAD": "0", "CIPSRIP": "0", "CIPSHOWTP": "0", "CIPUDPMODE": "0", "CIPSGTXT": "0"})
    told.update({"CIPCCFG": "5,2,1024,1,0,1460,50", "CIPTKA": "0,7200,75,9", "CSCLK": "0"})
    assert rig.modem.status("stack") == told
    u = rig.modem.socket(2, 2)
    u.settimeout(30)
    u.sendto(b"to one", ("192.0.2.9", 5000))
    told.update({"CIPUDPMODE": '1,"192.0.2.9",5000', "CIPSRIP": "1"})
    assert rig.modem.status("stack") == told


@pytest.mark.parametrize("family", OPEN)
@each_seed
def test_what_a_cipopen_module_has_set(family, seed):
    rig = Rig(seed, family=family)
    rig.socket(ECHO)
    closed = ",0" * (rig.modem.LINKS - 1)
    told = {"NETOPEN": "1", "CIPMODE": "0", "CIPSENDMODE": "0", "CIPRXGET": "1"}
    told.update({"CIPHEAD": "1", "CIPSRIP": "1", "CIPCCFG": "10,0,0,0,1,0,500", "CIPCLOSE": "1" + closed})
    told.update({"CIPTIMEOUT": "120000,120000,120000", "CSOCKSETPN": "1,1", "CTCPKA": "0,1,1,1", "CSCLK": "0"})
    found = rig.modem.status("stack")
    assert found.pop("NETOPEN").split(",")[0] == told.pop("NETOPEN")  # some tell a second number
    assert found == told


@pytest.mark.parametrize("family", CA)
@each_seed
def test_what_a_caopen_module_has_set(family, seed):
    rig = Rig(seed, family=family)
    rig.socket(ECHO)
    told = dict.fromkeys("CACID CASERVER CASSLCFG CASWITCH CDNSCFG".split(), "")
    told.update({"CASRIP": "0", "CSCLK": "0", "CAOPEN": '0,0,"TCP","echo.example",7,0', "CASTATE": "0,1"})
    found = rig.modem.status("stack")
    assert found.pop("CNACT").startswith("0,1,") and found.pop("CNCFG").startswith('0,1,"internet"')
    assert found.pop("CACFG").split("; ")[-2:] == ["SNDBUF,10240", "RCVBUF,10240"] and found.pop("CDNSPDPID")
    assert found == told


@pytest.mark.parametrize("position", ("after_echo", "before_info", "before_ok", "after_ok"))
@each_family
def test_forms_among_unsolicited_codes(family, position):
    rig = Rig(family=family)
    for _ in range(4):
        rig.vm.inject(position, '+CMTI: "SM",3')
        rig.vm.inject(position, "+CREG: 1")
    assert rig.modem.status("ranges")["CASRIP" if family in CA else "CIPHEAD"] == "(0-1)"
    assert rig.modem.status("stack")["CDNSPDPID" if family in CA else "CIPRXGET"] == ("4" if family in CA else "1")
