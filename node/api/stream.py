"""A connection as the server has it: it has to say what it wants before anything is set up for it, and to read.

Opening a socket costs a program nothing, so a connection that has not sent a request's head yet is worth nothing: it
has API_HEAD_TIMEOUT_S for that, is given no part of the web server, and is the one to go when there is no room
(node/api/server.py). Whoever says a head byte by byte is let go at the same moment as whoever says nothing.
"""

from __future__ import annotations

import re
from typing import Final

import trio

from crdt.limits import API_HEAD_MAX_BYTES, API_HEAD_TIMEOUT_S, API_SEND_TIMEOUT_S

_ENDS: Final = (b"\n\r\n", b"\n\n")  # of a head, as h11 takes it
_READ_BYTES: Final = 4_096

_EXTENSIONS: Final = re.compile(rb"^sec-websocket-extensions[ \t]*:[^\n]*\n", re.IGNORECASE | re.MULTILINE)


def plain(asked: bytes) -> bytes:
    """A request without its wish to have WebSocket messages compressed, which hypercorn would grant: that costs every
    note some tenths of a millisecond on both sides and every client 300 kB here, and the way is a loopback or a LAN."""
    ends = [at + len(end) for end in _ENDS if (at := asked.find(end)) >= 0]
    head = min(ends, default=len(asked))
    return _EXTENSIONS.sub(b"", asked[:head]) + asked[head:]


class Stream:
    """The part of a stream that hypercorn uses, each write with a deadline, and the head read beforehand.

    `waits`: nothing was asked that is not answered yet, so whoever is at the other end loses nothing.
    """

    def __init__(self, raw: trio.SocketStream) -> None:
        self.waits = True
        self._raw = raw
        self._head = b""
        self.socket = raw.socket
        self.send_eof = raw.send_eof
        self.aclose = raw.aclose

    async def hear(self) -> bool:
        """Wait for a request's head, or for too much of one; False when none came in time."""
        head = bytearray()
        with trio.move_on_after(API_HEAD_TIMEOUT_S):
            try:
                while data := await self._raw.receive_some(_READ_BYTES):
                    head += data
                    if len(head) > API_HEAD_MAX_BYTES or any(end in head for end in _ENDS):
                        self._head, self.waits = plain(bytes(head)), False
                        return True
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
        return False

    async def receive_some(self, max_bytes: int) -> bytes:
        """As trio's: what was heard first, then what comes."""
        if self._head:
            heard, self._head = self._head[:max_bytes], self._head[max_bytes:]
            return heard
        return bytes(await self._raw.receive_some(max_bytes))

    async def send_all(self, data: bytes) -> None:
        """As trio's; BrokenResourceError when the other side reads nothing for API_SEND_TIMEOUT_S."""
        with trio.move_on_after(API_SEND_TIMEOUT_S) as scope:
            await self._raw.send_all(data)
        if scope.cancelled_caught:
            self.cut()
            raise trio.BrokenResourceError("the client reads nothing")

    def cut(self) -> None:
        """Close without a word; whoever is inside a read or a write of it is woken with an error."""
        self._raw.socket.close()
