"""Fifty handshakes that fail, one after another; some of the sockets are never closed."""

import online
import socket
import tls

context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
context.verify_mode = tls.CERT_REQUIRED
with open("other_ca.der", "rb") as f:
    context.load_verify_locations(f.read())

refused = 0
for n in range(50):
    s = socket.socket()
    s.connect(("new.example", 443) if n % 5 else ("echo.example", 7))  # our own hello is no answer
    try:
        context.wrap_socket(s, server_hostname="new.example")
        print("taken")
    except (OSError, ValueError):
        refused += 1
        if n % 5 == 0 or n % 2:
            s.close()
print("refused", refused)
online.use_all_links(("echo.example", 7))
