"""Live links: one long-lived stream per direction and peer, for frames.

Each side opens one stream to write on and reads the ones that the other opened. Frames are queued by `send` and leave
together with `flush`: at once and without a task's help while the connection takes them (node/mesh/session.py), else
by the link's own task, which waits, and gives the connection up when that takes too long. Whatever waits meanwhile goes
with the next write.

A link is bound to a connection. When a peer that is linked connects anew, the newer connection wins, because the peer
must have lost the older one (a restart, a frozen laptop). Connections that arise together, because both sides dialled
or one side dialled two addresses, are both kept and the first stays in use.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final

import trio
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.protocol_muxer.exceptions import ProtocolNotSupportedError

from crdt.errors import Reason, Violation
from crdt.limits import FRAME_MAX_BYTES, LIVE_STREAMS_PER_PEER_MAX, OUTBOX_BYTES_MAX, OUTBOX_FRAMES_MAX
from crdt.types import PlayerId
from node.mesh.framing import HEADER_BYTES, encode
from node.mesh.guard import Guard
from node.mesh.host import MeshHost, player_at
from node.mesh.inbound import Inbound
from node.mesh.port import TransportEvents

LIVE: Final = TProtocol("/symjam/live/1")
WRITE_TIMEOUT_S: Final = 4.0  # less than the five seconds after which Yamux gives up on the stream alone
_TWINS_S: Final = 2.0  # within this time both sides dialled at once
_SIBLINGS_S: Final = 0.5  # within this time one side dialled two addresses
_UNJOINED_WAIT_S: Final = 10.0
_REOPEN_S: Final = (0.1, 0.3, 1.0, 3.0)


class Outbox:
    """Encoded frames that wait for the writer, bounded in number and in bytes."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, encoded: bytes) -> bool:
        """Queue one; False when there is no room."""
        if len(self._frames) >= OUTBOX_FRAMES_MAX or self._bytes + len(encoded) > OUTBOX_BYTES_MAX:
            return False
        self._frames.append(encoded)
        self._bytes += len(encoded)
        return True

    def take(self) -> bytes:
        """As many as fit into one write, joined."""
        batch = [self._frames.popleft()]
        size = len(batch[0])
        while self._frames and size + len(self._frames[0]) <= FRAME_MAX_BYTES + HEADER_BYTES:
            batch.append(self._frames.popleft())
            size += len(batch[-1])
        self._bytes -= size
        return b"".join(batch)

    def put_back(self, batch: bytes) -> None:
        """Return what `take` gave: it goes first."""
        self._frames.appendleft(batch)
        self._bytes += len(batch)


class Writing:
    """The writing half of a link while its stream stands."""

    def __init__(self, conn: Any, stream: Any, counters: Counter[str]) -> None:
        self.conn = conn
        self.since = time.monotonic()
        self.outbox = Outbox()
        self.stalled = trio.Event()  # the link's task is to go on
        self._stream = stream
        self._counters = counters

    def push(self) -> None:
        """Write what waits without waiting; what the connection does not take now is the task's."""
        while len(self.outbox) and not self.stalled.is_set():
            batch = self.outbox.take()
            if self.conn.muxed_conn.post(self._stream.muxed_stream, batch):
                self._counters["writes"] += 1
            else:
                self.outbox.put_back(batch)
                self.stalled.set()

    async def push_slowly(self) -> bool:
        """Write what waits, waiting for the peer; False when that takes too long. A libp2p error when it ended."""
        while len(self.outbox):
            batch = self.outbox.take()
            with trio.CancelScope(shield=True), trio.move_on_after(WRITE_TIMEOUT_S) as patience:
                await self._stream.write(batch)
            if patience.cancelled_caught:
                return False
            self._counters["writes"] += 1
        self.stalled = trio.Event()
        return True


class Links:
    """All live links. `run` opens and keeps one per player; inbound streams come by `accept`."""

    def __init__(self, host: MeshHost, guard: Guard, events: TransportEvents, counters: Counter[str]) -> None:
        self._host = host
        self._guard = guard
        self._events = events
        self._counters = counters
        self._nursery: trio.Nursery | None = None
        self._keeping: set[PlayerId] = set()  # players with a task that keeps their link
        self.writing: dict[PlayerId, Writing] = {}
        self._unsent: set[Writing] = set()
        self._joined: dict[PlayerId, trio.Event] = {}
        self._inbound: Counter[PlayerId] = Counter()
        self.address_of: Callable[[Any], str] = _remote_address

    def start(self, nursery: trio.Nursery) -> None:
        """Begin to link whoever connects."""
        self._nursery = nursery
        self._host.handle(LIVE, self._guard.handler("live.read", self._read))

    def connected(self, conn: Any) -> None:
        """A connection was made, by either side."""
        player = player_at(conn)
        if player is None or self._nursery is None:
            return
        for old in self._host.connections(player):
            together_s = _SIBLINGS_S if old.direction == conn.direction else _TWINS_S
            if old is not conn and conn.muxed_conn.born - old.muxed_conn.born > together_s:
                self._counters["links-superseded"] += 1
                old.muxed_conn.abort()
        if player not in self._keeping:
            self._keeping.add(player)
            self._nursery.start_soon(self._guard.run, "live.keep", self._keep, player)

    def send(self, player: PlayerId, frame: bytes) -> bool:
        """Queue a frame; False when the player is not linked or its outbox is full. Misuse for an impossible size."""
        writing = self.writing.get(player)
        if writing is None or not writing.outbox.put(encode(frame)):
            self._counters["frames-refused"] += 1
            return False
        self._unsent.add(writing)
        return True

    def flush(self) -> None:
        """Write what was sent since the last time."""
        for writing in self._unsent:
            writing.push()
        self._unsent.clear()

    async def _keep(self, player: PlayerId) -> None:
        """Keep a link to a player for as long as there is a connection that can carry it."""
        waits = iter(_REOPEN_S)
        mute: set[int] = set()  # connections whose peer does not speak the live protocol
        try:
            while True:
                usable = [conn for conn in self._host.connections(player) if id(conn) not in mute]
                if not usable:
                    return
                conn = usable[-1]
                try:
                    stream = await self._host.open_stream(conn, LIVE)
                except ProtocolNotSupportedError:
                    self._counters["live-unsupported"] += 1
                    mute.add(id(conn))
                    continue
                except (BaseLibp2pError, trio.TooSlowError):
                    self._counters["live-open-failed"] += 1
                else:
                    began = trio.current_time()
                    await self._link(player, conn, stream)
                    if trio.current_time() - began > _REOPEN_S[-1]:
                        waits = iter(_REOPEN_S)
                await trio.sleep(next(waits, _REOPEN_S[-1]))
        finally:
            self._keeping.discard(player)

    async def _link(self, player: PlayerId, conn: Any, stream: Any) -> None:
        """One life of a link: joined, frames out, left."""
        writing = Writing(conn, stream, self._counters)
        self.writing[player] = writing
        self._guard.call("events.joined", self._events.joined, player, self.address_of(conn))
        self._joined.setdefault(player, trio.Event()).set()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._until_closed, stream, nursery.cancel_scope)
                nursery.start_soon(self._write, player, writing, nursery.cancel_scope)
        finally:
            del self.writing[player]
            joined = self._joined.get(player)
            if joined is not None and joined.is_set():
                del self._joined[player]
            self._guard.call("events.left", self._events.left, player)
            with trio.CancelScope(shield=True):
                await self._guard.reset(stream)

    async def _until_closed(self, stream: Any, scope: trio.CancelScope) -> None:
        """Nothing is ever read on the writing stream: any answer means that it is over."""
        try:
            await stream.read(1)
            self._counters["live-answered"] += 1
        except BaseLibp2pError:
            pass
        scope.cancel()

    async def _write(self, player: PlayerId, writing: Writing, scope: trio.CancelScope) -> None:
        """The link's task: what could not be written at once."""
        try:
            while True:
                await writing.stalled.wait()
                if not await writing.push_slowly():
                    self._counters["writes-timed-out"] += 1
                    # The watchdog would have cut it long since if it had not answered pings.
                    self._violated(player, Reason.SLOW, "it takes nothing off its link")
                    writing.conn.muxed_conn.abort()
                    break
        except BaseLibp2pError:
            self._counters["writes-failed"] += 1
        scope.cancel()

    async def _read(self, stream: Any) -> None:
        """One inbound stream, from its opening to its end."""
        player = player_at(stream)
        if player is None or self._inbound[player] >= LIVE_STREAMS_PER_PEER_MAX:
            self._counters["live-refused"] += 1
            await self._guard.reset(stream)
            return
        self._inbound[player] += 1
        try:
            await self._frames(player, stream)
        except Violation as violation:
            self._violated(player, violation.reason, violation.detail)
        finally:
            self._inbound[player] -= 1
            if not self._inbound[player]:
                del self._inbound[player]
        await self._guard.reset(stream)

    async def _frames(self, player: PlayerId, stream: Any) -> None:
        """Frames until the stream ends, held back while their player is not joined."""
        inbound = Inbound(stream, lambda frame: self._deliver(player, frame), lambda: self._stands(player))
        while await self._is_joined(player):
            if not await inbound.run():
                return

    def _deliver(self, player: PlayerId, frame: bytes) -> None:
        self._counters["frames"] += 1
        self._guard.call("events.frame", self._events.frame, player, frame)

    async def _is_joined(self, player: PlayerId) -> bool:
        """Hold frames back until their player has joined; False when that does not come about."""
        if self._stands(player):
            return True
        event = self._joined.get(player)
        if event is None or event.is_set():  # set by a link that is over, though its task does not know yet
            event = self._joined[player] = trio.Event()
        with trio.move_on_after(_UNJOINED_WAIT_S):
            await event.wait()
        if not event.is_set():
            self._counters["frames-unjoined"] += 1
            if self._joined.get(player) is event:
                del self._joined[player]
        return player in self.writing

    def _stands(self, player: PlayerId) -> bool:
        """Whether a link to a player is up, as far as is known here. Frames that come over a new connection while the
        old link is ending belong to the link that comes after it."""
        writing = self.writing.get(player)
        return writing is not None and writing.conn.muxed_conn.alive

    def _violated(self, player: PlayerId, reason: Reason, detail: str) -> None:
        self._guard.call("events.violated", self._events.violated, player, reason, detail)


def _remote_address(conn: Any) -> str:
    """The other end of a connection as a multiaddr."""
    addresses = conn.muxed_conn.get_transport_addresses()
    return f"{addresses[0]}/p2p/{conn.muxed_conn.peer_id}" if addresses else f"/p2p/{conn.muxed_conn.peer_id}"
