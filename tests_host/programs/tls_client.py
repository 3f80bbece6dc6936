"""TLS on this side of the modem: who is let in, who is not, and what a large download looks like."""

import hashlib

import online
import socket
import tls


def context(file):
    new = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    new.verify_mode = tls.CERT_REQUIRED
    with open(file, "rb") as f:
        new.load_verify_locations(f.read())
    return new


def attempt(what, host, name=None, ca="ca.der"):
    s = socket.socket()
    s.connect(socket.getaddrinfo(host, 443)[0][-1])
    try:
        stream = context(ca).wrap_socket(s, server_hostname=name or host)
        stream.write(b"version\n")
        print(what, stream.readline())
        stream.close()
    except (OSError, ValueError) as e:
        print(what, "refused:", str(e).strip())
        s.close()


attempt("TLS 1.2", "old.example")
attempt("TLS 1.3", "new.example")
attempt("wrong host", "new.example", name="other.example")
attempt("wrong CA", "new.example", ca="other_ca.der")
attempt("expired", "expired.example")

s = socket.socket()
s.connect(("new.example", 443))
stream = context("ca.der").wrap_socket(s, server_hostname="new.example")
stream.write(b"large\n")
digest = hashlib.sha256()
total = 0
buf = bytearray(1000)
while True:
    n = stream.readinto(buf)
    if not n:
        break
    total += n
    digest.update(memoryview(buf)[:n])
stream.close()
print("large", total, "".join(["%02x" % byte for byte in digest.digest()]))

online.use_all_links(("echo.example", 7))
