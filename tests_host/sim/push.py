"""Received bytes on their way to the host: pushed, in one counted block, or transparent."""

from .link import CLOSED, Link
from .links import Links

PUSH_BACKLOG_US = 20_000  # direct push keeps the line this busy, the rest waits in the link


class Push(Links):
    """What both dialects do with received bytes; the headers are theirs."""

    fetch_limit = 1460

    def _reset(self) -> None:
        self._push_event = None
        self._transparent = False  # data mode, or its command mode behind +++
        super()._reset()

    @property
    def _transparent(self) -> bool:
        return self._connected

    @_transparent.setter
    def _transparent(self, value: bool) -> None:
        self._connected = value
        if self._dcd is not None:
            self._dcd.drive(not value)

    # --- a counted block

    def _fetched(self, text: str, data: bytes, mode: int) -> None:
        """The answer of AT+CIPRXGET."""
        trailer = self.choices["trailer"] if data and mode == 2 else b"\r\nOK\r\n"
        self.block(b"\r\n" + text.encode() + b"\r\n" + data, trailer)

    def block(self, block: bytes, trailer: bytes) -> None:
        """Header, counted bytes and trailer: nothing gets in between unless a test asks for it."""
        self.hook("before_info")
        if "before_data_ok" in self._hooks:
            self.send(block)
            self.hook("before_data_ok")
            block = b""
        self.send(block + trailer)

    # --- direct push

    def forget(self) -> None:
        """Hand out received bytes as after power-up, whatever it was told: pushed, and without headers if it may be."""
        self.rxget = self.head = self.show_source = 0
        self._push_data()

    def flows(self, link: Link) -> bool:
        """Received bytes of a link come out unasked; in the command mode of transparent mode they wait for ATO."""
        return self._data is not None if self.streams(link) else not self.rxget

    def _header(self, link: Link, count: int, source: tuple) -> bytes:
        """What stands in front of pushed bytes."""
        raise NotImplementedError

    def _pushed(self, link: Link, data: bytes, source: tuple) -> bytes:
        """Received bytes as they come out."""
        return data if self.streams(link) else self._header(link, len(data), source) + data

    def _tell_end(self, link: Link) -> None:
        """The data of a closed link is out."""
        raise NotImplementedError

    def _push_data(self) -> None:
        """Let buffered bytes out as fast as the line takes them."""
        self.clock.cancel(self._push_event)
        self._push_event = None
        for link in self.links:
            if not self.flows(link):
                continue
            while link.rx or not link.end_told:
                if not self._may_push(link):
                    return
                if link.rx:
                    data, source = link.take(self.push_size())
                    self.send(self._pushed(link, data, source))
                    if self.push_pause_ms():
                        self._push_event = self.later(self.push_pause_ms(), self._push_data)
                        return
                elif link.state == CLOSED:
                    self._tell_end(link)
                else:
                    break

    def push_size(self) -> int:
        """The longest piece that is pushed."""
        return self.fetch_limit

    def push_pause_ms(self) -> int:
        """What lies at least between two pieces."""
        return 0

    def _may_push(self, link: Link) -> bool:
        """The line is free for unasked data; otherwise look again later."""
        if not self.streams(link) and self._closed_to_urcs():
            return False  # released() comes back here
        wait_us = self.port.backlog_us() - PUSH_BACKLOG_US
        if wait_us > 0 or self._sending:
            self._push_event = self.later(max(1.0, wait_us / 1000), self._push_data)
            return False
        return True

    def released(self) -> None:
        self._push_data()

    def pushing(self) -> bool:
        return not self.rxget and any(link.open for link in self.links)

    def link_closed(self, link: Link) -> None:
        """The peer has closed: in direct push the data goes first."""
        if link.rx and self.flows(link):
            link.end_told = False
            self._push_data()
        else:
            self._tell_end(link)

    # --- transparent mode

    def streams(self, link: Link) -> bool:
        """Whether transparent mode carries this link."""
        return self._transparent and not link.n

    def connect_text(self) -> str:
        """The result code that opens data mode."""
        return "CONNECT"

    def _enter(self) -> None:
        self._transparent = True
        self.result(self.connect_text(), 1)
        self._stream(self.links[0])

    def _stream(self, link: Link) -> None:
        """Data mode with a link."""
        self.enter_data(lambda data: self.stream_out(link, data), self._escaped)
        self._push_data()

    def stream_out(self, link: Link, data: bytes) -> None:
        """Bytes from the line in data mode."""
        if link.open:
            link.send(data)

    def _escaped(self) -> None:
        self.result("OK", 0)

    def exception(self, text: str) -> None:
        """A code that also ends transparent mode."""
        if self._transparent:
            self._transparent = False
            if self._data is not None:
                self.leave_data()
                self.urc(text)
                self._release()
                return
        self.urc(text)
