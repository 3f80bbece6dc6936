"""A whole life on the emulated Pico: off, up, connected, transfers both ways, errors, down, off, up again."""

import device
import hashlib
import target
from target import equal, fails, pattern, true
import errno
import gc


class Life(target.Target):
    """Begins with a module that is off."""

    def __init__(self, family, host, ports):
        self.family = family
        self.host = host
        self.ports = ports
        self.modem = device.modem(family)

    def peer(self, kind):
        return self.host, self.ports[kind]


def digest_of(n):
    """SHA-256 of pattern(n), without holding it."""
    digest = hashlib.sha256()
    seed = 1
    piece = bytearray(1)
    for _ in range(n):
        seed = (seed * 75 + 74) % 65537
        piece[0] = seed & 255
        digest.update(piece)
    return digest.digest()


def download(t, n):
    """Verify n bytes by their digest."""
    s = t.socket("blob")
    s.write(b"%d\n" % n)
    digest = hashlib.sha256()
    buf = bytearray(1024)
    view = memoryview(buf)
    got = 0
    while True:
        k = s.readinto(buf)
        if not k:
            break
        digest.update(view[:k])
        got += k
    s.close()
    equal(got, n, "bytes received")
    equal(digest.digest(), digest_of(n), "SHA-256 of what was received")


def upload(t, n):
    """Send n bytes; the peer answers with their digest."""
    s = t.socket("sink")
    s.write(b"%d\n" % n)
    piece = pattern(1000)
    digest = hashlib.sha256()
    for _ in range(n // 1000):
        digest.update(piece)
        equal(s.write(piece), 1000, "written")
    equal(s.read(32), digest.digest(), "SHA-256 of what was sent")
    s.close()


def case_life(t):
    """All of it; `t.modem` is not active yet."""
    m = t.modem
    m.active(True)
    equal(len(m.config("imei")), 15, "digits of the IMEI")
    m.connect("internet")
    true(m.isconnected(), "connected")
    true(-113 <= m.status("rssi") <= -51, "signal strength")
    download(t, 20000)
    upload(t, 10000)
    s = t.socket("echo")
    target.echo(s, pattern(3000))
    s.close()
    s = t.socket()
    fails(target.REFUSED, s.connect, t.peer("refused"))
    s.close()
    s = t.socket("mute", timeout=1)
    fails(errno.ETIMEDOUT, s.recv, 10)
    s.close()
    true(m.flush(20000), "nothing owed")
    m.disconnect()
    true(not m.isconnected(), "disconnected")
    m.active(False)
    m.active(True)
    m.connect("internet")
    s = t.socket("echo")
    target.echo(s, b"still alive")
    s.close()
    gc.collect()


def run(family, host, ports):
    """Run it."""
    target.cases = lambda: [("life." + family, case_life)]
    life = Life(family, host, ports)
    life.fresh = lambda: None
    target.run(life)
