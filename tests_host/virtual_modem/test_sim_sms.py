"""Text messages on the virtual module's wire."""

from families import FAMILIES
import pytest
from sim.pdu import deliver, submit
from sim_host import Host

OK = b"\r\nOK\r\n"
each_family = pytest.mark.parametrize("family", FAMILIES)
HEAD = b'"+15550100","","25/04/10,18:45:46+48"\r\n'


def text_mode(family, *bodies, **settings) -> Host:
    host = Host(family, **settings)
    assert host.ask("AT+CMGF=1") == OK
    for body in bodies:
        host.vm.store_sms(body)
    host.wait(10)
    return host


def told(data: bytes) -> bytes:
    return b"\r\n" + data + b"\r\n" + OK


@each_family
def test_a_message_is_unread_until_it_was_read(family):
    host = text_mode(family, b"hello\r\nworld", b"second")
    assert host.ask("AT+CMGR=1,1") == told(b'+CMGR: "REC UNREAD",' + HEAD + b"hello\r\nworld")
    assert host.ask("AT+CMGR=1") == told(b'+CMGR: "REC UNREAD",' + HEAD + b"hello\r\nworld")
    assert host.ask("AT+CMGR=1") == told(b'+CMGR: "REC READ",' + HEAD + b"hello\r\nworld")
    assert host.ask('AT+CMGL="REC UNREAD"') == told(b'+CMGL: 2,"REC UNREAD",' + HEAD + b"second")
    assert host.ask("AT+CMGL") == OK
    assert host.ask('AT+CMGL="ALL"').count(b'"REC READ"') == 2
    assert b"ERROR" in host.ask('AT+CMGL="SOME"')


@each_family
def test_messages_are_counted_and_deleted(family):
    host = text_mode(family, b"1", b"2", b"3")
    count = b'"SM",%d,30,"SM",%d,30,"SM",%d,30'
    assert host.ask("AT+CPMS?") == told(b"+CPMS: " + count % (3, 3, 3))
    assert host.ask('AT+CPMS="SM","SM","SM"') == told(b"+CPMS: 3,30,3,30,3,30")
    assert host.ask("AT+CMGD=2") == OK
    assert host.ask("AT+CMGD=2") == b"\r\n+CMS ERROR: 321\r\n"
    assert host.ask("AT+CMGD=?") == told(b"+CMGD: (1,3),(0-4)")
    assert host.vm.store_sms(b"4") == 2
    host.ask("AT+CMGR=3")
    assert host.ask("AT+CMGD=1,1") == OK and sorted(host.vm.messages) == [1, 2]
    assert host.ask('AT+CMGDA="DEL ALL"') == OK and not host.vm.messages
    assert host.ask("AT+CPMS?") == told(b"+CPMS: " + count % (0, 0, 0))


@each_family
def test_how_a_message_is_told_is_set(family):
    host = text_mode(family)
    assert host.vm.store_sms(b"one") == 1
    assert host.read() == b"" and host.wait(10) == b'\r\n+CMTI: "SM",1\r\n'
    assert host.ask("AT+CNMI=2,0;+CNMI?") == told(b"+CNMI: 2,0,0,0,0")
    assert host.vm.store_sms(b"two") == 2 and host.wait(10) == b""
    assert host.ask("AT+CNMI=2,2") == OK
    assert host.vm.store_sms(b"three") == 0
    assert host.wait(10) == b'\r\n+CMT: "+15550100",,"25/04/10,18:45:46+48"\r\nthree\r\n'
    assert host.ask("AT+CNMI=9") != OK


@each_family
def test_more_about_a_message_when_it_is_asked_for(family):
    host = text_mode(family, b"hello")
    host.ask("AT+CSDH=1")
    answer = host.ask("AT+CMGR=1")
    assert b'18:45:46+48",145,4,0,0,"+15550001",145,5\r\nhello\r\n' in answer
    assert b'18:45:46+48",145,5\r\nhello\r\n' in host.ask('AT+CMGL="ALL"')


@each_family
def test_a_text_is_sent_or_given_up(family):
    host = text_mode(family, sms_ms=500, choices={"sms_escape": "OK"})
    assert host.ask('AT+CMGS="+15550100"') == b"\r\n> "
    assert host.ask(b"hello\x1a", 600) == told(b"+CMGS: 1")
    assert host.ask('AT+CMGS="+15550100"') == b"\r\n> "
    assert host.ask(b"forget it\x1b") == OK
    assert host.vm.sent_sms == [("+15550100", b"hello")]
    host.vm.registration = 2
    host.ask('AT+CMGS="+15550100"')
    assert host.ask(b"nobody\x1a", 600) == b"\r\n+CMS ERROR: 331\r\n"


@each_family
def test_texts_in_other_character_sets(family):
    host = text_mode(family, "Grüße".encode(), sms_ms=500)
    host.ask('AT+CSCS="UCS2"')
    assert host.ask("AT+CMGR=1").split(b"\r\n")[2] == "Grüße".encode("utf-16-be").hex().upper().encode()
    assert "+15550100".encode("utf-16-be").hex().upper().encode() in host.ask("AT+CMGR=1")
    number, text = ("".join("%04X" % ord(char) for char in each) for each in ("+15550100", "für"))
    host.ask('AT+CMGS="%s"' % number)
    host.ask(text.encode() + b"\x1a", 600)
    assert host.vm.sent_sms == [("+15550100", "für".encode())]
    host.ask('AT+CSCS="HEX"')
    assert host.ask('AT+CUSD=1,"%s"' % b"*100#".hex()) == OK
    assert host.wait(1000).split(b'"')[1] == b"Your balance is 1.65 credit".hex().upper().encode()


# --- PDUs: the octets are those of other implementations

SUBMITTED = [
    ("002100089151551032000005E8329BFD06", "+15550123", "hello"),
    ("00210004A11032000002663F", "0123", "fü"),
    ("00210004A110320000051B1E7EE303", "0123", "[x]"),
    ("0011000481103200080804006600FC", "0123", "fü"),  # UCS2, a validity
    ("0001000481103200040468656C6C", "0123", "hell"),  # octets
    ("00410004811032000007060804123401E8", "0123", ""),  # nothing but a header
]
DELIVERED = "059151550010" + "04" + "089151551000" + "0000" + "52400181546484" + "05E8329BFD06"


@pytest.mark.parametrize("octets, number, text", SUBMITTED)
def test_a_pdu_is_understood(octets, number, text):
    assert submit(bytes.fromhex(octets)) == (number, text.encode())


@each_family
def test_a_pdu_is_sent_and_a_broken_one_refused(family):
    host = Host(family, sms_ms=500)
    assert host.ask("AT+CMGS=16") == b"\r\n> "
    assert host.ask(SUBMITTED[0][0].encode() + b"\x1a", 600) == told(b"+CMGS: 1")
    for broken in (b"00210", b"0021", b"00" * 20, b"hello"):
        host.ask("AT+CMGS=16")
        assert host.ask(broken + b"\x1a", 600) == b"\r\n+CMS ERROR: 304\r\n"
    assert host.vm.sent_sms == [("+15550123", b"hello")]


@each_family
def test_a_pdu_is_read_listed_and_handed_on(family):
    host = Host(family)
    host.vm.store_sms(b"hello")
    host.wait(10)
    assert host.ask("AT+CMGR=1") == told(b"+CMGR: 0,,22\r\n" + DELIVERED.encode())
    assert host.ask("AT+CMGL=1") == told(b"+CMGL: 1,1,,22\r\n" + DELIVERED.encode())
    host.ask("AT+CNMI=2,2")
    host.vm.store_sms(b"hello")
    assert host.wait(10) == b"\r\n+CMT: ,22\r\n" + DELIVERED.encode() + b"\r\n"


def test_what_the_default_alphabet_lacks_goes_as_ucs2():
    octets, count = deliver("+15550001", "+15550100", "25/04/10,18:45:46-04", "ü[".encode())
    assert octets == "059151550010" + "04" + "089151551000" + "0008" + "52400181546448" + "0400FC005B" and count == 21
