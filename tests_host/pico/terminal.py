"""The emulated Pico's REPL on a pseudo-terminal, for mpremote and other programs that want a board."""

import contextlib
import os
import select
import threading
import time
import tty


class Terminal(threading.Thread):
    """`path` is the terminal; the Pico runs in real time, or as fast as it can, until close()."""

    def __init__(self, pico):
        super().__init__(daemon=True)
        self.pico = pico
        self._end = False
        self._master, self._slave = os.openpty()  # the slave stays open: a program that leaves is no hang-up
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._end = True
        self.join()
        os.close(self._master)
        os.close(self._slave)

    def run(self):
        """Carry bytes both ways."""
        pico, clock = self.pico, self.pico.clock
        begin = time.monotonic() - clock.now_us / 1e6
        while not self._end:
            ahead = clock.now_us / 1e6 - (time.monotonic() - begin)
            if select.select([self._master], [], [], max(0.0, min(ahead, 0.1)))[0]:
                pico.give("usb:" + os.read(self._master, 4096).hex())
            elif ahead > 0.002:
                continue
            pico.step(clock.now_us + 1000)
            if pico.repl:
                with contextlib.suppress(BlockingIOError):  # nobody reads
                    del pico.repl[: os.write(self._master, bytes(pico.repl))]
