"""The ping protocol (`/ipfs/ping/1.0.0`: 32 bytes, and the same bytes back) without a task woken for each of them.

Both ends take bytes from the connection's reader itself (session.py) and write at once where nothing waits before
them. So a ping costs neither side a switch between tasks, nor, by upstream's way to read, a frame of credit for each 32
bytes: in an idle room links' pings are most of what a node does. The time of an answer is when it was decrypted, not
when a task came to look.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import trio
from libp2p.abc import INetStream
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.ping import PING_LENGTH

_READ_BYTES: Final = 4 * PING_LENGTH
_AT_ONCE: Final = 8  # a node asks once a second, and never again before it was answered; who asks more is not answered
_PER_S: Final = 2.0


class Pings:
    """One stream's asking side. The sink is there until the connection ends."""

    def __init__(self, stream: INetStream) -> None:
        self._stream: Any = stream
        self._sent, self._sent_s = b"", 0.0
        self._came = bytearray()
        self._answered = trio.Event()
        self._took_s: float | None = None
        self._stream.muxed_conn.attach(self._stream.muxed_stream, self._feed)

    async def ask(self) -> float | None:
        """Ping once: the round trip in seconds, None for an answer that is none. BaseLibp2pError when it cannot."""
        self._answered, self._sent = trio.Event(), secrets.token_bytes(PING_LENGTH)
        self._came.clear()
        self._sent_s = trio.current_time()
        if not self._stream.muxed_conn.post(self._stream.muxed_stream, self._sent):
            await self._stream.write(self._sent)
        await self._answered.wait()
        return self._took_s

    def _feed(self, data: bytes) -> None:
        if self._answered.is_set():
            return  # nobody asked
        self._came += data
        if len(self._came) >= PING_LENGTH:
            self._took_s = trio.current_time() - self._sent_s if self._came == self._sent else None
            self._answered.set()


class _Answers:
    """One stream's answering side. While something else waits to be sent, an answer waits too, the newest alone."""

    def __init__(self, stream: INetStream) -> None:
        self._stream: Any = stream
        self._came = bytearray()
        self._allowed, self._counted_s = float(_AT_ONCE), trio.current_time()
        self._late: bytes | None = None
        self._is_late = trio.Event()
        self._stream.muxed_conn.attach(self._stream.muxed_stream, self._feed)

    def _feed(self, data: bytes) -> None:
        self._came += data
        while len(self._came) >= PING_LENGTH:
            ping = bytes(self._came[:PING_LENGTH])
            del self._came[:PING_LENGTH]
            if self._may() and not self._stream.muxed_conn.post(self._stream.muxed_stream, ping):
                self._late = ping
                self._is_late.set()

    def _may(self) -> bool:
        now_s = trio.current_time()
        self._allowed = min(_AT_ONCE, self._allowed + (now_s - self._counted_s) * _PER_S)
        self._counted_s = now_s
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True

    async def send_late(self, scope: trio.CancelScope) -> None:
        while True:
            await self._is_late.wait()
            self._is_late = trio.Event()
            late, self._late = self._late, None
            if late is not None:
                try:
                    await self._stream.write(late)
                except BaseLibp2pError:
                    scope.cancel()
                    return

    async def until_it_ends(self) -> None:
        try:
            while True:
                self._feed(await self._stream.read(_READ_BYTES))  # only a stream's last words come this way
        except BaseLibp2pError:
            return
        finally:
            self._stream.muxed_conn.detach(self._stream.muxed_stream)


async def answer_pings(stream: INetStream) -> None:
    """The handler of the protocol. libp2p's own keeps a table entry per peer for ever."""
    answers = _Answers(stream)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(answers.send_late, nursery.cancel_scope)
        await answers.until_it_ends()
        nursery.cancel_scope.cancel()
    await stream.reset()
