"""The context that the module attaches with: its APN, account and type, written before registration is waited for."""

import errno

from families import OPEN, START
import pytest
from rig import ECHO, Rig

LTE = ("sim7000", "sim7028", "a76xx", "sim7080")
each_lte = pytest.mark.parametrize("family", LTE)
each_open = pytest.mark.parametrize("family", OPEN)
each_start = pytest.mark.parametrize("family", START)


def written(rig, name="AT+CGDCONT="):
    """What was written with that name, in order."""
    return [line for line in rig.sent if line.startswith(name)]


def anew(rig):
    """How the module was told to attach anew."""
    return [line for line in rig.sent if line in ("AT+CGATT=0", "AT+CGATT=1", "AT+COPS=2", "AT+COPS=0")]


def again(rig, *account):
    """What is sent when the same program connects once more."""
    rig.modem.disconnect()
    del rig.vm.commands[:]
    rig.modem.connect(*account)
    return rig.sent


@pytest.mark.feature("lte")
@each_lte
@pytest.mark.parametrize("way", ("at once", "cgatt", "cops"))
@pytest.mark.parametrize("state", (0, 2, 3))
def test_apn_of_another_card_keeps_it_from_registering(family, way, state):
    choices = {"anew": way, "foreign_apn": state}
    rig = Rig(family=family, up=False, home_apns=("new.apn",), stored_context=("IPV4V6", "YourAPN"), choices=choices)
    assert rig.vm.registration == state
    rig.modem.connect("new.apn")
    assert rig.vm.definitions[rig.vm.attach_context] == ("IPV4V6", "new.apn"), "the type is not ours to change"
    assert rig.works()
    assert written(rig, "AT+CFUN=") == []
    again(rig, "new.apn")
    assert written(rig) == [] and anew(rig) == []


@pytest.mark.parametrize("cid", (0, 1))
def test_either_context_that_the_sockets_of_some_use(cid):
    rig = Rig(
        family="sim7028", up=False, home_apns=("new.apn",), stored_context=("IP", "YourAPN"), choices={"profile": cid}
    )
    assert rig.vm.socket_context == cid
    rig.modem.connect("new.apn")
    assert rig.vm.definitions[cid] == ("IP", "new.apn")
    assert rig.works()


@each_lte
def test_apn_is_written_before_registration_is_asked_for(family):
    rig = Rig(family=family, up=False, stored_context=("IP", "YourAPN"))
    rig.modem.connect("new.apn")
    names = [line.split("=")[0] for line in rig.sent]
    assert names.index("AT+CGDCONT?") < names.index("AT+CGDCONT") < names.index("AT+CGATT") < names.index("AT+CEREG?")
    assert anew(rig) == ["AT+CGATT=0", "AT+CGATT=1"]


@each_lte
@pytest.mark.parametrize("tail", (b"", b',"0.0.0.0",0,0,0,0'))
def test_apn_that_is_right_is_not_written_again(family, tail):
    choices = {"cgdcont_tail": tail} | ({"profile": 1} if family == "sim7028" else {})
    rig = Rig(family=family, up=False, stored_context=("IP", "internet"), choices=choices)
    rig.modem.connect("internet")
    assert written(rig) == [] and anew(rig) == []
    assert rig.works()


@each_lte
def test_definitions_of_others_stay(family):
    rig = Rig(family=family, up=False)
    rig.vm.definitions.update({2: ("IPV4V6", "ims"), 3: ("IPV4V6", "sos")})
    rig.modem.connect("internet")
    assert rig.vm.definitions[2] == ("IPV4V6", "ims")
    assert rig.vm.definitions[3] == ("IPV4V6", "sos")


@each_lte
def test_question_about_contexts_that_is_refused_or_answered_late(family):
    rig = Rig(family=family, up=False, stored_context=("IP", "internet"), unknown=("CGDCONT",))
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet")
    assert "AT+CGDCONT=1" in str(caught.value)
    rig.vm.unknown = ()
    rig.vm.inject("before_info", b"\r\nOK\r\n")
    rig.modem.connect("internet")
    assert rig.works()


@each_lte
def test_what_is_omitted_stays_as_init_set_it(family):
    rig = Rig(family=family, on=False, home_apns=("my.apn",), stored_context=("IP", "YourAPN"))
    if family == "sim7028":
        rig.vm.socket_context = rig.vm.attach_context = 1
    rig.modem.active(True, init=('+CGDCONT=1,"IPV4V6","my.apn"',))
    del rig.vm.commands[:]
    rig.modem.connect()
    assert rig.vm.definitions[1] == ("IPV4V6", "my.apn")
    assert written(rig) == []
    assert rig.works()
    rig.modem.disconnect()
    rig.vm.home_apns = ("given.apn",)
    rig.modem.connect("given.apn")
    assert rig.vm.definitions[1] == ("IPV4V6", "given.apn"), "what is given wins"
    assert rig.works()


def test_apn_of_init_is_used_where_attaching_needs_none():
    rig = Rig(family="sim800", on=False, home_apns=("my.apn",))
    rig.modem.active(True, init=('+CSTT="my.apn","me","key"',))
    rig.modem.connect()
    account = rig.vm.contexts[0]
    assert (account.apn, account.user, account.password) == ("my.apn", "me", "key")
    assert rig.works()


@pytest.mark.parametrize("family", ("sim800", *LTE))
@pytest.mark.parametrize("empty", ("taken", "refused"))
def test_empty_apn_is_the_networks_own(family, empty):
    choices = {"empty_apn": empty} if family in START else {}
    rig = Rig(family=family, up=False, stored_context=("IP", "YourAPN"), choices=choices)
    rig.modem.connect("")
    if family != "sim800":
        assert rig.vm.definitions[rig.vm.attach_context] == ("IP", "")
    if family in START:
        assert rig.vm.contexts[0].apn == ("" if empty == "taken" else rig.vm.default_apn)
    assert rig.works()


# Account


@each_open
def test_credentials_of_a_former_connect_do_not_stay(family):
    rig = Rig(family=family, up=False)
    rig.modem.connect("corporate", "someone", "s3cret")
    assert rig.vm.auth == {1: (1, "s3cret", "someone")}
    assert written_account(again(rig, "corporate", "someone", "s3cret")) == []
    assert written_account(again(rig, "internet")) == ["AT+CGAUTH=1,0"]
    assert rig.vm.auth == {1: (0, "", "")}
    assert written_account(again(rig, "internet")) == []


def written_account(sent):
    return [line for line in sent if line.startswith("AT+CGAUTH=")]


@each_open
def test_credentials_that_another_program_left_do_not_stay(family):
    rig = Rig(family=family, up=False)
    rig.vm.auth[1] = (2, "key", "other")
    rig.vm.inject("before_info", b"\r\nOK\r\n")
    rig.modem.connect("internet")
    assert rig.vm.auth == {1: (0, "", "")}
    assert "AT+CGATT=0" in rig.sent


@each_open
def test_credentials_of_init_stay_unless_others_are_given(family):
    rig = Rig(family=family, on=False)
    rig.modem.active(True, init=('+CGAUTH=1,1,"key","mine"',))
    rig.modem.connect("internet")
    assert rig.vm.auth == {1: (1, "key", "mine")}
    again(rig, "internet", "", "")
    assert rig.vm.auth == {1: (0, "", "")}


@each_open
def test_module_without_the_command_for_credentials_needs_none(family):
    rig = Rig(family=family, up=False, unknown=("CGAUTH",))
    rig.modem.connect("internet")
    assert rig.works()
    rig.modem.disconnect()
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet", "someone", "s3cret")
    assert "AT+CGAUTH" in str(caught.value) and "s3cret" not in str(caught.value)


@each_start
@pytest.mark.parametrize("omitted", ("cleared", "kept"))
def test_account_of_a_former_connect_is_taken_back(family, omitted):
    rig = Rig(family=family, up=False, choices={"cstt_account": omitted})
    rig.modem.connect("corporate", "someone", "s3cret")
    again(rig, "internet")
    account = rig.vm.contexts[0]
    assert (account.apn, account.user, account.password) == ("internet", "", "")


# Type and number of the context


@pytest.mark.feature("lte")
@each_lte
def test_type_for_both_versions(family):
    rig = Rig(family=family, up=False)
    rig.modem.config(pdp_type="IPV4V6")
    rig.modem.connect("internet")
    assert rig.vm.definitions[1] == ("IPV4V6", "internet")
    assert rig.works()
    rig.modem.config(pdp_type="IP")
    again(rig, "internet")
    assert rig.vm.definitions[1] == ("IP", "internet")
    assert rig.works()


@pytest.mark.lacks("lte")
@pytest.mark.parametrize("family", ("sim800",))
def test_type_of_a_module_without_lte(family):
    rig = Rig(family=family)
    before = len(rig.sent)
    for name, value in (("pdp_type", "IPV4V6"), ("cid", 2)):
        with pytest.raises(OSError) as caught:
            rig.modem.config(**{name: value})
        assert caught.value.errno == errno.EOPNOTSUPP and "SIM800" in str(caught.value)
    assert len(rig.sent) == before


@pytest.mark.feature("lte")
@each_lte
def test_number_of_the_context(family):
    rig = Rig(family=family, up=False, stored_context=("IP", "stays"))
    cid = 0 if family == "sim7028" else 3
    rig.modem.config(cid=cid)
    rig.modem.connect("internet")
    assert rig.vm.definitions[cid] == ("IP", "internet")
    assert written(rig) == ['AT+CGDCONT=%d,"IP","internet"' % cid]
    if family == "sim7080":
        assert [each.config[1] for each in rig.vm.contexts] == ["", "", "internet", ""]
        assert [each.status for each in rig.vm.contexts] == [0, 0, 1, 0]
        assert rig.modem.status("context") == "ACTIVE"
        s = rig.socket(ECHO)
        assert rig.vm.links[0].bearer == 2
        s.close()
        rig.modem.config(cid=None)
        assert 'AT+CGDCONT=1,"IP","internet"' in again(rig, "internet")
        assert [each.status for each in rig.vm.contexts] == [1, 0, 0, 0]
    if family == "a76xx":
        assert rig.vm.socket_context == 3 and "AT+CSOCKSETPN=3" in rig.sent
        rig.modem.config(cid=None)
        assert 'AT+CGDCONT=1,"IP","internet"' in again(rig, "internet")
    assert rig.works()


@each_lte
@pytest.mark.parametrize("bad", ({"cid": -1}, {"cid": 16}, {"cid": "1"}, {"pdp_type": "PPP"}, {"function": 2}), ids=str)
def test_bad_settings_of_the_context_send_nothing(family, bad):
    rig = Rig(family=family)
    before = len(rig.sent)
    with pytest.raises(ValueError):
        rig.modem.config(**bad)
    assert len(rig.sent) == before


@pytest.mark.parametrize("cid", (0, 5))
def test_context_that_has_no_socket_of_its_own(cid):
    rig = Rig(family="sim7080")
    before = len(rig.sent)
    with pytest.raises(ValueError, match="cid: 1 to 4, not %d" % cid):
        rig.modem.config(cid=cid)
    assert len(rig.sent) == before


@each_lte
@pytest.mark.parametrize("stored", [("IP", ""), ("IP", "other"), ("IPV6", "internet")])
def test_module_that_takes_no_other_apn_while_it_is_attached(family, stored):
    rig = Rig(family=family, up=False, stored_context=stored, choices={"cgdcont_attached": "refused"})
    rig.modem.connect("internet")
    assert rig.vm.definitions[1] == ("IP", "internet")
    assert rig.works()
