"""Waits for several sockets at once, with select.poll."""

import select

import online
import socket

COUNT = min(3, online.modem.LINKS)

poller = select.poll()
sockets = []
for _ in range(COUNT):
    s = socket.socket()
    s.connect(("echo.example", 7))
    poller.register(s, select.POLLIN)
    sockets.append(s)


def ready(timeout_ms):
    """(number of the socket, event) of all that are ready, in order."""
    return sorted([(sockets.index(item[0]), item[1]) for item in poller.poll(timeout_ms)])


print("links", COUNT)
print("silence", ready(0), ready(50))
for n in range(COUNT - 1, -1, -1):
    sockets[n].write(b"to %d" % n)
    print("one", ready(20000) == [(n, select.POLLIN)], sockets[n].recv(100) == b"to %d" % n, ready(0))

left = []
for s in sockets:
    s.setblocking(False)
    left.append(s.write(b"x" * 3000))  # as much as fits
print("short", all([0 < n <= 3000 for n in left]))
while any(left):
    for s, *_ in poller.ipoll(20000):
        n = sockets.index(s)
        left[n] -= len(s.read(1000) or b"")
print("all", left, ready(0))

poller.modify(sockets[0], select.POLLIN | select.POLLOUT)
print("writable", ready(20000) == [(0, select.POLLOUT)])
poller.unregister(sockets[0])
for s in sockets:
    s.setblocking(True)
    s.write(b"end")
while len(ready(20000)) < COUNT - 1:
    pass
print("unregistered", [n for n, _ in ready(0)] == list(range(1, COUNT)))
poller.register(sockets[0], select.POLLIN)

for s in sockets:
    s.read(3)
for n, s in enumerate(sockets):
    s.write(b"QUIT")  # the server closes when it reads this
    while not ready(20000):
        pass
    print("closed", n, ready(0) == [(n, select.POLLIN)], s.read(10))
    poller.unregister(s)
    s.close()
print("nobody", ready(0))

s = socket.socket()
s.setblocking(False)
try:
    s.connect(("nobody.example", 7))
except OSError:
    pass
poller.register(s, select.POLLOUT)
found = poller.poll(20000)
print("refused", bool(found), bool(found[0][1] & (select.POLLERR | select.POLLHUP)))
s.close()

online.use_all_links(("echo.example", 7))
