"""What a program can ask of the module, or of us, about itself."""

from .aterror import ATError
from .bringup import registration, signal
from .pump import ask
from .tcpip import check_host

_CONFIG = {
    "manufacturer": b"AT+CGMI",
    "model": b"AT+CGMM",
    "firmware": b"AT+CGMR",
    "imei": b"AT+GSN",
    "iccid": b"AT+CCID",
    "imsi": b"AT+CIMI",
    "operator": b"AT+COPS?",
}
_STATUS = {"rssi": signal, "registration": registration}


def config(m, param: str) -> str:
    """Ask the module for "manufacturer", "model", "firmware", "imei", "iccid", "imsi" or "operator"."""
    if param not in _CONFIG:
        raise ValueError("config: no parameter %s" % param)
    return m.run(ask(_CONFIG[param], m.ANSWER_MS), once=True)[-1].split(": ")[-1]


def status(m, param: str = ""):
    """Without ``param``: the step of bring-up, at once: "off", "power", "idle", "sim", "registration", "attach",
    "context", "up", or the OSError that ended the last ``connect(timeout_ms=0)``. With one, asks the module:
    "rssi" (dBm, None when unknown), "registration" (<stat> of TS 27.007: 1 home, 2 searching, 3 denied, 5 roaming).
    """
    if param:
        if param not in _STATUS:
            raise ValueError("status: no parameter %s" % param)
        return m.run(_STATUS[param](m))
    m.pump()
    task = m.bringup
    return m.step if m.up or not task or not task.error else task.error


def ifconfig(m) -> tuple:
    """(address, netmask, gateway, DNS server); a point-to-point link has only the first."""
    return (m.address or "0.0.0.0", "255.255.255.255", "0.0.0.0", "0.0.0.0")


def ipconfig(m, param: str) -> tuple:
    """``ipconfig("addr4")``: (address, netmask)."""
    if param != "addr4":
        raise ValueError("ipconfig: no parameter " + param)
    return ifconfig(m)[:2]


def resolve(m, host: str, *, timeout_ms: int = 30000) -> list:
    """Ask the module's resolver (AT+CDNSGIP): a list of one or two addresses. OSError(-2): unknown name."""
    check_host(host)
    try:
        line = m.run(ask(b'AT+CDNSGIP="%s"' % host.encode(), timeout_ms, m.DNS), once=True)[-1]
    except ATError as e:
        line = e.line
    fields = [field.strip(' "') for field in line.split(":", 1)[-1].split(",")]
    if fields[0] != "1":
        raise OSError(-2, "resolve %s: %s" % (host, line))
    return fields[2:]
