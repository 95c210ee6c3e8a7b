"""One authenticated WebSocket between two players: frames both ways, pings, and a bounded outbox.

A message holds whole frames, each with its length in front as on a live stream, so that what waits goes together.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Final

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from crdt.errors import Reason, Violation
from crdt.limits import FRAME_MAX_BYTES
from crdt.types import PlayerId
from node.mesh.framing import HEADER_BYTES, Decoder, encode
from node.mesh.guard import Guard
from node.mesh.links import WRITE_TIMEOUT_S, Outbox
from node.mesh.peerid import peer_id_of
from node.mesh.port import Link, TransportEvents
from node.mesh.watchdog import MISSES_MAX, PING_EVERY_S, STALLED_S, Pulse

MESSAGE_MAX_BYTES: Final = FRAME_MAX_BYTES + HEADER_BYTES
PARTED: Final = 4001  # the close code of a polite farewell; its reason is for how many seconds
_PARTS_MAX: Final = 1_000  # pieces of one message; the library bounds their bytes, but not their number
_PART_TIMEOUT_S: Final = 1.0


class Line:
    """`run` it until it ends; `send` meanwhile."""

    def __init__(self, socket: WebSocketConnection, player: PlayerId, address: str, *, dialled: bool) -> None:
        self.player = player
        self.dialled = dialled
        self.born_s = trio.current_time()
        self.pulse = Pulse()
        self._socket = socket
        self._address = address
        self._since = time.monotonic()
        self._outbox = Outbox()
        self._filled = trio.Event()
        self._scope = trio.CancelScope()

    def link(self, transport: str) -> Link:
        """What it shows."""
        return Link(
            peer_id=peer_id_of(self.player),
            address=self._address,
            rtt_us=self.pulse.rtt_us,
            since=self._since,
            queued=len(self._outbox),
            transport=transport,
            loss_permille=self.pulse.loss_permille,
        )

    def send(self, frame: bytes) -> bool:
        """Queue a frame; False when there is no room."""
        if not self._outbox.put(encode(frame)):
            return False
        self._filled.set()
        return True

    def cut(self) -> None:
        """End it now."""
        self._scope.cancel()

    async def part(self, away_s: int) -> None:
        """End it with a word."""
        with trio.move_on_after(_PART_TIMEOUT_S):
            await self._socket.aclose(PARTED, str(away_s))
        self.cut()

    async def run(self, events: TransportEvents, guard: Guard, counters: Counter[str]) -> None:
        """Frames both ways until either side ends it. Violation for what no node sends."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, counters)
                nursery.start_soon(self._ping)
                nursery.start_soon(self._watch, counters)
                try:
                    await self._read(events, guard, counters)
                except ConnectionClosed as closed:
                    self._hear_farewell(closed, events, guard)
                self.cut()

    async def _read(self, events: TransportEvents, guard: Guard, counters: Counter[str]) -> None:
        decoder = Decoder()
        while True:
            message = await self._socket.get_message()
            if not isinstance(message, bytes):
                raise Violation(Reason.GARBAGE, "a message of text")
            for frame in decoder.feed(message):
                counters["frames"] += 1
                guard.call("events.frame", events.frame, self.player, frame)
            decoder.finish()

    async def _write(self, counters: Counter[str]) -> None:
        while True:
            await self._filled.wait()
            self._filled = trio.Event()
            while len(self._outbox):
                with trio.move_on_after(WRITE_TIMEOUT_S) as patience:
                    try:
                        await self._socket.send_message(self._outbox.take())
                    except ConnectionClosed:
                        return
                if patience.cancelled_caught:  # the stream is of no use any more: the message may be half out
                    counters["writes-timed-out"] += 1
                    self.cut()
                    return

    async def _ping(self) -> None:
        try:
            while True:
                began_s = trio.current_time()
                await self._socket.ping()
                took_s = trio.current_time() - began_s
                self.pulse.answered(int(took_s * 1_000_000))
                await trio.sleep(max(0.0, PING_EVERY_S - took_s))
        except ConnectionClosed:
            return

    async def _watch(self, counters: Counter[str]) -> None:
        """Cut a line over which nothing comes back: as node/mesh/watchdog.py does."""
        misses, heard = 0, 0
        while misses < MISSES_MAX:
            began_s = trio.current_time()
            await trio.sleep(PING_EVERY_S)
            if len(self._socket._message_parts) > _PARTS_MAX:
                break
            if trio.current_time() - began_s > PING_EVERY_S + STALLED_S:
                continue
            missed = self.pulse.answers == heard
            heard = self.pulse.answers
            self.pulse.judged(missed=missed)
            misses = misses + 1 if missed else 0
        counters["peers-unresponsive"] += 1
        self.cut()

    def _hear_farewell(self, closed: ConnectionClosed, events: TransportEvents, guard: Guard) -> None:
        reason = closed.reason
        if reason is None or reason.code != PARTED:
            return
        seconds = reason.reason if isinstance(reason.reason, str) and re.fullmatch("[0-9]{1,5}", reason.reason) else "0"
        guard.call("parted", events.parted, self.player, int(seconds))
