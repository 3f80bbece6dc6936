"""Where everything lives that is loaded when it is used, and which list of mip installs it."""

import errno
import gc
import sys

import simcom.lazy as lazy

_ONCE = ("bringup.connect", "bringup.shutdown")  # too seldom to keep
# All tables are text: the names in a dict would stay in the heap when this file has left it.
# method, of a modem: the file with a function of that name, called as function(modem, ...)
_METHODS = """
connect bringup.connect
disconnect bringup.shutdown
flush bringup.shutdown
settle bringup.shutdown
at at.command
on_urc at.urc
datagrams udp.socket
config options.config
status options.config
ifconfig options.config
ipconfig options.config
resolve options.config
background modes.background
reset recovery.reset
recover recovery.recover
context context.second
sleep modes.sleep
awake modes.sleep
psm modes.lowpower
edrx modes.lowpower
transparent transparent.stream
transparent_server transparent.stream
preload preloading
bind local_port.bind
listen server.socket
accept server.socket
via context.second
setsockopt options.sockopt
fileno stream.calls
makefile stream.calls
sendall stream.calls
sendto stream.calls
recvfrom stream.calls
recvfrom_into stream.calls
"""
# config(name=value): the file with set_<name>(modem, value), which checks the value, sends nothing and returns the
# steps that the pump is to run, or None.
SETTERS = """
receive receive.mode
send modes.send
prompt modes.send
stall_ms modes.send
silence_ms recovery.recover
dns options.stack
pdp_type options.lte
cid options.lte
function options.lte
timeouts options.stack
retries options.stack
delay_ms options.stack
resend_ms options.stack
async_mode options.stack
error_texts options.stack
link_headers options.stack
show_type options.stack
stack options.stack
acknowledge options.stack
reset recovery.reset
"""
# status(name): the file with get_<name>(modem), which returns the steps whose result is the answer.
GETTERS = """
room options.status
dns options.stack
timeouts options.stack
sim options.status
attached options.status
system options.status
function options.status
contexts options.status
context options.status
links options.status
servers options.status
waiting options.status
registrations options.status
ranges commands.values
stack commands.values
acknowledged options.status
counters counters
voltage counters
refused options.stack
"""
# list of mip: what of it is loaded first
LISTS = """
udp udp.socket
server server.socket local_port.bind
transparent transparent.stream
receive receive.mode
send modes.send
single modes.single
sleep modes.sleep
context context.second
background modes.background
recover recovery.recover recovery.reset
at at.command at.urc
options options.stack options.status commands.values options.keepalive options.lte
tap tap
detect detect
lowpower modes.lowpower
"""


def _find(table, name):
    # The file that stands behind a name, or "".
    k = table.find("\n%s " % name)
    return table[k:].split(None, 2)[1] if k >= 0 else ""


def known(table):
    """The names in SETTERS or GETTERS."""
    return table.split()[::2]


def function(owner, name):
    """What ``owner.name(...)`` calls; most is a method like the others from now on."""
    home = _find(_METHODS, name)
    if home in _ONCE:
        return getattr(lazy.once(home), name)
    gc.collect()  # else what stays lies scattered among what does not
    found = getattr(lazy.load(home), name)
    setattr(type(owner), name, found)
    return found


def setting(table, name, what, more=()):
    """The function that SETTERS or GETTERS have for ``name``; ValueError when there is none, that tells these and
    ``more``."""
    home = isinstance(name, str) and " " not in name and _find(table, name)
    if not home:
        raise ValueError("%s: one of %s, not %r" % (what, ", ".join(sorted(known(table) + list(more))), name))
    return getattr(lazy.load(home), ("set_" if table is SETTERS else "get_") + name)


def absent(name, e, m=None):
    """The error to raise when ``simcom.<name>`` could not be loaded for ``m`` because of ``e``: ImportError, or
    OSError(EOPNOTSUPP) when the family lacks it."""
    what = m and name[: -len(m.DIALECT) - 1]
    if m and what in m.LACKS:
        return OSError(errno.EOPNOTSUPP, "%s has no %s" % (type(m).__name__, what))
    lists = [each.split() for each in LISTS.split("\n")]
    found = [each[0] for each in lists if name in each[1:]]
    if name.upper() in sys.modules["simcom"].NAMES.split():  # a family
        found = [name]
    if not found:
        return e
    return ImportError(
        "simcom.%s is not there: mpremote mip install lib/%s.json, or package.json for all" % (name, found[0])
    )
