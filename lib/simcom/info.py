"""Questions to the module that a program seldom asks."""

from .bringup import registration, signal
from .pump import ask

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


def config(m, param):
    """Modem.config()."""
    if param not in _CONFIG:
        raise ValueError("config: no parameter %s" % param)
    return m.run(ask(_CONFIG[param], m.ANSWER_MS), once=True)[-1].split(": ")[-1]


def status(m, param):
    """Modem.status() of what the module must be asked for."""
    if param not in _STATUS:
        raise ValueError("status: no parameter %s" % param)
    return m.run(_STATUS[param](m))


def resolve(m, host, timeout_ms):
    """TcpIp.resolve()."""
    line = m.run(ask(b'AT+CDNSGIP="%s"' % host.encode(), timeout_ms, (b"+CDNSGIP:",)), once=True)[-1]
    fields = [field.strip(' "') for field in line.split(":", 1)[1].split(",")]
    if fields[0] != "1":
        raise OSError(-2, "resolve %s: %s" % (host, line))
    return fields[2:]
