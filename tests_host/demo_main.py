"""What a user's main.py could look like: power up, connect, download a file, tell how it went."""

import gc
import hashlib
import sys
import time

import board
import simcom

HOST = "files.example"
PATH = "/firmware.bin"
START = time.ticks_ms()


def seconds():
    return time.ticks_diff(time.ticks_ms(), START) / 1000


def stage(text):
    print("%6.1f s  %s" % (seconds(), text))


def bar(done, size):
    filled = 40 * done // size
    print("\r%6.1f s  [%s%s] %d/%d bytes" % (seconds(), "#" * filled, "." * (40 - filled), done, size), end="")


def download(socket, host, path):
    """Yield (bytes so far, size, piece) of an HTTP download."""
    with socket.socket() as s:
        s.settimeout(30)
        s.connect(socket.getaddrinfo(host, 80)[0][-1])
        stage("connected to %s" % host)
        s.write(b"GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" % (path.encode(), host.encode()))
        status = s.readline()
        if b" 200 " not in status:
            raise OSError(5, "server answered %r" % status)
        size = 0
        while True:
            line = s.readline()
            if line in (b"\r\n", b""):
                break
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        piece = bytearray(1024)
        done = 0
        while done < size:
            n = s.readinto(piece)
            if not n:
                raise OSError(104, "the server closed after %d of %d bytes" % (done, size))
            done += n
            yield done, size, memoryview(piece)[:n]


def main():
    modem = board.modem()
    stage("power up: ask at every rate, then press the power key (15 s)")
    modem.active(True)
    stage("%s, firmware %s" % (modem.config("model"), modem.config("firmware")))
    modem.connect("internet", timeout_ms=0)  # the pump does the steps …
    step = ""
    while not modem.isconnected():  # … and we watch
        now = modem.status()
        if isinstance(now, OSError):
            raise now
        if now != step:
            step = now
            stage(step)
        modem.wait()
    stage("context up, address %s, signal %s dBm" % (modem.ifconfig()[0], modem.status("rssi")))
    stage("%s is %s" % (HOST, modem.resolve(HOST)[0]))
    simcom.install(modem)
    import socket

    begin = seconds()
    digest = hashlib.sha256()
    done = 0
    for done, size, piece in download(socket, HOST, PATH):
        digest.update(piece)
        bar(done, size)
    took = seconds() - begin
    print()
    gc.collect()
    heap = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    digest = "".join("%02x" % byte for byte in digest.digest())
    print("RESULT %d %.2f %d %s" % (done, took, heap, digest))
    modem.disconnect()
    modem.active(False)
    stage("disconnected, switched off")


try:
    main()
except OSError as e:
    print("\n%6.1f s  failed: %s" % (seconds(), e))
    sys.exit(1)
