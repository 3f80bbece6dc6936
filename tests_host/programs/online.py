"""The start of each program: the board's modem comes up, and from here `import socket` is the modem."""

import board
import simcom

modem = board.modem()
modem.active(True)
modem.connect("internet")
simcom.install(modem)


def use_all_links(address, request=b"ping"):
    """Open as many connections as the module has links, at once, and have an answer on each."""
    import socket

    sockets = []
    for _ in range(modem.LINKS):
        s = socket.socket()
        s.settimeout(20)
        s.connect(address)
        sockets.append(s)
    for s in sockets:
        s.write(request)
    answered = [s for s in sockets if s.recv(1)]
    for s in sockets:
        s.setblocking(False)  # all at once
        s.close()
    modem.flush()
    print("all links usable" if len(answered) == modem.LINKS else "only %d links usable" % len(answered))
