"""The encrypted byte stream under one connection, with an express lane through it.

libp2p's own way of a frame passes the scheduler about seven times on either side and makes one system call for each
length and each body: 0.2-0.3 ms of a core per frame (notes/libp2p.md). On the wire nothing here differs from it. What
differs is how bytes get there:

- reading takes what the socket has, decrypts all whole messages, and serves libp2p's small reads from memory;
- Yamux data frames for a stream that has a *sink* are cut out before libp2p sees them and handed over at once; every
  other frame goes the ordinary way. The sink's stream gets credit for more when half of its window is used up, not with
  every frame;
- writing encrypts and hands over to the kernel without waiting, as far as the kernel takes it. What it does not take
  is kept, in order, and sent by a task of its own: so no write can be torn by a cancellation.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any, Final

import trio
from libp2p.io.exceptions import ConnectionClosedError, IncompleteReadError
from libp2p.network.connection.exceptions import RawConnError
from libp2p.security.noise.io import MAX_PLAINTEXT_LENGTH
from libp2p.security.secure_session import SecureSession
from libp2p.stream_muxer.yamux.yamux import (
    DEFAULT_WINDOW_SIZE,
    HEADER_SIZE,
    TYPE_DATA,
    TYPE_WINDOW_UPDATE,
    YAMUX_HEADER_FORMAT,
)
from noise.exceptions import NoiseInvalidMessage

from crdt.limits import SESSION_UNSENT_BYTES
from node.mesh.pace import Pace

Sink = Callable[[bytes], None]

_READ_BYTES: Final = 65_536
_TURN_S: Final = 0.003  # the express lane lets other tasks run after this long, so many turns each
_TURNS_OF_OTHERS: Final = 6  # what one of them is at takes several: a flood must not come between them
_SLICE_BYTES: Final = 4_096  # the clock is looked at after so many: they may be hundreds of small frames
_LENGTH_BYTES: Final = 2
_header: Final = struct.Struct(YAMUX_HEADER_FORMAT)
_length: Final = struct.Struct(">H")


class _Lane:
    """A stream whose data goes to a sink, and how much the peer may still send on it."""

    __slots__ = ("sink", "window")

    def __init__(self, sink: Sink, window: int) -> None:
        self.sink = sink
        self.window = window


class Session(SecureSession):  # type: ignore[misc]
    """As the SecureSession it is made from, over the trio socket stream at the bottom of that."""

    def __init__(self, secured: SecureSession, stream: trio.SocketStream) -> None:
        super().__init__(
            local_peer=secured.local_peer,
            local_private_key=secured.local_private_key,
            remote_peer=secured.remote_peer,
            remote_permanent_pubkey=secured.remote_permanent_pubkey,
            is_initiator=secured.is_initiator,
            conn=secured.conn,
        )
        self._stream = stream
        self._state: Any = secured.conn.noise_state
        self._sealed = bytearray()  # received, not decrypted
        self._plain = bytearray()  # decrypted, read up to _at
        self._at = 0
        self._body_left = 0  # of a data frame whose header libp2p has taken
        self._lanes: dict[int, _Lane] = {}
        self._is_between = False  # whether libp2p waits for the next frame, having put away all before it
        self._when_between: list[Callable[[], None]] = []
        self._unsent = bytearray()
        self._flushing = False
        self._stalled = trio.Event()
        self._drained = trio.Event()
        self.is_muxed = False  # whether what is read now are Yamux frames
        self.express_frames = 0
        self.flooded: Callable[[str], None] = lambda _: None  # who is told that the peer overdoes it
        self._pace = Pace()

    @property
    def socket(self) -> Any:
        """The TCP socket."""
        return self._stream.socket

    @property
    def is_over(self) -> bool:
        """Whether the socket was closed on this side: to give the peer up, or because a write failed."""
        return bool(self._stream.socket.fileno() == -1)

    # reading

    async def read(self, n: int | None = None) -> bytes:
        """Exactly `n` bytes, or whatever is there for None. IncompleteReadError at the end of the connection."""
        if n == 0:
            return b""
        self._is_between = self.is_muxed and not self._body_left
        try:
            return await self._read(n)
        finally:
            self._is_between = False

    async def _read(self, n: int | None) -> bytes:
        while self._is_between and self._when_between:
            self._when_between.pop(0)()
        while True:
            if self.is_muxed and not self._body_left and await self._express():
                await self._fill(n)
                continue
            held = len(self._plain) - self._at
            if held and (n is None or held >= n):
                taken = self._take(held if n is None else n)
                if self._pace.is_others_turn:
                    await trio.lowlevel.checkpoint()
                return taken
            await self._fill(n)

    def between_frames(self, action: Callable[[], None]) -> None:
        """Do something now if libp2p waits for a frame, else as soon as it does: until then it holds one in its hands,
        which would be overtaken by those behind it."""
        if self._is_between:
            action()
        else:
            self._when_between.append(action)

    def attach(self, stream_id: int, sink: Sink, window: int) -> None:
        """Hand the data of a stream to a sink, as it comes. `window`: what the peer may still send before more credit.

        The sink must not raise.
        """
        self._lanes[stream_id] = _Lane(sink, window)
        self._credit(stream_id, self._lanes[stream_id])

    def detach(self, stream_id: int) -> int | None:
        """Back to the ordinary way; what the peer may still send. None when there was no sink."""
        lane = self._lanes.pop(stream_id, None)
        return lane.window if lane else None

    async def _express(self) -> bool:
        """Serve the frames at hand that have a sink. True when the next one is such a frame and not all here yet."""
        began = trio.current_time()
        while len(self._plain) - self._at >= HEADER_SIZE:
            _, kind, flags, stream_id, length = _header.unpack_from(self._plain, self._at)
            lane = self._lanes.get(stream_id)
            if lane is None or kind != TYPE_DATA or flags:
                return False
            if length > lane.window:
                self.flooded(f"{length} bytes sent into a window of {lane.window}")
                raise RawConnError("window overrun")
            if self.is_over:  # given up while a frame was served: the rest is not wanted
                return False
            end = self._at + HEADER_SIZE + length
            if end > len(self._plain):
                return True
            body = bytes(memoryview(self._plain)[self._at + HEADER_SIZE : end])
            self._at = end
            lane.window -= length
            self.express_frames += 1
            self._credit(stream_id, lane)
            for start in range(0, length, _SLICE_BYTES):
                lane.sink(body[start : start + _SLICE_BYTES])
                if trio.current_time() - began > _TURN_S:
                    for _ in range(_TURNS_OF_OTHERS):
                        await trio.lowlevel.checkpoint()
                    began = trio.current_time()
        return False

    def _credit(self, stream_id: int, lane: _Lane) -> None:
        if lane.window <= DEFAULT_WINDOW_SIZE // 2:
            self._seal(_header.pack(0, TYPE_WINDOW_UPDATE, 0, stream_id, DEFAULT_WINDOW_SIZE - lane.window))
            lane.window = DEFAULT_WINDOW_SIZE

    def _take(self, n: int) -> bytes:
        taken = bytes(memoryview(self._plain)[self._at : self._at + n])
        if self._body_left:
            self._body_left = max(0, self._body_left - n)
        elif self.is_muxed and n == HEADER_SIZE:
            _, kind, flags, _, length = _header.unpack(taken)
            if not self._pace.take(kind, flags, trio.current_time()):
                self.flooded("more frames of the multiplexer than anybody needs")
                raise RawConnError("flood")
            self._body_left = length if kind == TYPE_DATA else 0
        self._at += n
        return taken

    async def _fill(self, wanted: int | None) -> None:
        """Receive and decrypt at least one message, or raise."""
        if self._at:
            del self._plain[: self._at]
            self._at = 0
        before = len(self._plain)
        while len(self._plain) == before:
            try:
                data = await self._stream.receive_some(_READ_BYTES)
            except trio.BrokenResourceError as error:
                raise ConnectionClosedError(f"reset by the peer: {error}", transport="tcp") from error
            except trio.ClosedResourceError:
                data = b""  # closed here: the end, as far as readers go
            if not data:
                raise IncompleteReadError("the connection ended", expected_bytes=wanted or 1, received_bytes=before)
            self._sealed += data
            self._open()

    def _open(self) -> None:
        """Decrypt the whole messages at hand."""
        position, sealed = 0, self._sealed
        try:
            while len(sealed) - position >= _LENGTH_BYTES:
                (length,) = _length.unpack_from(sealed, position)
                end = position + _LENGTH_BYTES + length
                if end > len(sealed):
                    break
                self._plain += self._state.decrypt(bytes(memoryview(sealed)[position + _LENGTH_BYTES : end]))
                position = end
        except NoiseInvalidMessage as error:
            raise RawConnError("a message that does not decrypt") from error
        finally:
            del sealed[:position]

    # writing

    def post(self, data: bytes) -> bool:
        """Send now, if nothing waits before it; False when something does, and nothing was done."""
        if self._unsent or self.is_over:
            return False
        self._seal(data)
        return True

    async def write(self, data: bytes) -> None:
        """Send after what waits before it. Waits itself when much waits, or nobody else would (`flush_forever`)."""
        self._seal(data)
        if not self.is_muxed or len(self._unsent) > SESSION_UNSENT_BYTES:
            await self._flush()
        if self.is_over:
            raise ConnectionClosedError("closed here", transport="tcp")

    async def flush_forever(self) -> None:
        """The task that sends what the kernel did not take at once, until the connection ends."""
        while True:
            await self._stalled.wait()
            self._stalled = trio.Event()
            try:
                await self._flush()
            except ConnectionClosedError:
                return  # the reader sees it too

    async def _flush(self) -> None:
        """Wait until the kernel has taken what waits. ConnectionClosedError when it never will."""
        while self._unsent and self._flushing:
            await self._drained.wait()
        if not self._unsent:
            return
        self._flushing = True
        try:
            while self._unsent:
                if self.is_over:
                    raise ConnectionClosedError("closed here", transport="tcp")
                await trio.lowlevel.wait_writable(self._stream.socket.fileno())
                self._push()
        except (OSError, trio.ClosedResourceError) as error:
            raise ConnectionClosedError(f"closed: {error}", transport="tcp") from error
        finally:
            self._flushing = False
            self._drained.set()
            self._drained = trio.Event()

    def _seal(self, data: bytes) -> None:
        for start in range(0, len(data), MAX_PLAINTEXT_LENGTH):
            sealed = self._state.encrypt(data[start : start + MAX_PLAINTEXT_LENGTH])
            self._unsent += _length.pack(len(sealed))
            self._unsent += sealed
        if not self._flushing and not self.is_over:
            try:
                self._push()
            except OSError:
                self._stream.socket.close()  # the reader sees it, and what is written next fails
            if self._unsent:
                self._stalled.set()

    def _push(self) -> None:
        """Give the kernel what it takes without waiting."""
        try:
            sent = os.write(self._stream.socket.fileno(), self._unsent)
        except BlockingIOError:
            return
        del self._unsent[:sent]
