"""Gossip: hints to everyone on the topic, over libp2p's gossipsub with its traps closed (notes/libp2p.md).

Gossip loses by design, so nothing relies on it; but what it can be spared of losing it is. Messages are taken in a
synchronous validator, ahead of libp2p's channel of 32. Publishing waits for room in the peers' queues, which libp2p
would overflow silently. Sequence numbers start at the nanosecond clock, so that a restart within the second is not
taken for a repetition. libp2p's own rate limit (10 a second, on one's own messages too), its adaptive heartbeat and
its rule of distinct IP addresses are off; a limit per forwarder stands in for the first.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import trio
from google.protobuf.message import DecodeError
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, PROTOCOL_ID_V12, GossipSub
from libp2p.pubsub.pubsub import Pubsub

from crdt.errors import Reason
from crdt.limits import (
    GOSSIP_IDS_PER_RPC_MAX,
    GOSSIP_RPC_MAX_BYTES,
    HERALD_FRAMES_MAX,
    HINT_MAX_BYTES,
    HINTS_BURST_MAX,
    HINTS_PER_S_MAX,
    HINTS_QUEUED_MAX,
)
from crdt.types import NetworkId
from node.mesh.guard import Guard
from node.mesh.service import running

# 1.1 first: 1.2 announces every message to every peer before sending it, which for hints costs more than it saves.
PROTOCOLS: Final = (PROTOCOL_ID_V11, PROTOCOL_ID_V12)
_DEGREE, _DEGREE_LOW, _DEGREE_HIGH = 6, 4, 12
_HEARTBEAT_S: Final = 1
_QUEUE_ROOM: Final = 24  # of libp2p's 32 per peer; the rest is for control messages
_ROOM_WAIT_MAX_S: Final = 0.25  # then one slow peer misses out instead of all
_ROOM_POLL_S: Final = 0.002
_TRIM_S: Final = 5.0

Blame = Callable[[ID, Reason, str], None]


def topic_of(network: NetworkId) -> str:
    """The topic of a network's hints."""
    return f"symjam/{network.hex()[:16]}/hints"


def entries_topic_of(network: NetworkId) -> str:
    """The topic of new entries. Nodes only publish there, and only while others listen: nodes have links."""
    return f"symjam/{network.hex()[:16]}/entries"


class Router(GossipSub):  # type: ignore[misc]
    """GossipSub for one topic: control messages about others, which only grow tables, are dropped."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            protocols=[TProtocol(one) for one in PROTOCOLS],
            degree=_DEGREE,
            degree_low=_DEGREE_LOW,
            degree_high=_DEGREE_HIGH,
            heartbeat_interval=_HEARTBEAT_S,
            adaptive_gossip_enabled=False,
            spam_protection_enabled=False,
            eclipse_protection_enabled=False,
        )
        self._topic = topic

    async def handle_rpc(self, rpc: Any, sender_peer_id: ID) -> None:
        """libp2p's handler, given only what concerns the one topic there is."""
        control = rpc.control
        for name in ("graft", "prune", "ihave"):
            field = getattr(control, name)
            kept = [one for one in field if one.topicID == self._topic][:1]
            del field[:]
            field.extend(kept)
        for prune in control.prune:
            del prune.peers[:]  # peer exchange: libp2p would dial whatever address stands there
        for name in ("ihave", "iwant", "idontwant"):
            for one in getattr(control, name):
                del one.messageIDs[GOSSIP_IDS_PER_RPC_MAX:]
        for name in ("iwant", "idontwant"):
            del getattr(control, name)[1:]
        await super().handle_rpc(rpc, sender_peer_id)

    def send_rpc(self, peer_id: ID, rpc: Any, priority: bool = False) -> None:
        """Without our signed address record: libp2p adds it to every message, and the receiver verifies it twice."""
        rpc.ClearField("senderRecord")
        super().send_rpc(peer_id, rpc, priority)

    async def _emit_idontwant_for_message(self, *_: Any) -> None:
        """Nothing: to say that a hint is not wanted again costs as much as the hint, and libp2p says it to everyone."""

    def trim(self) -> None:
        """Only libp2p's adaptive mode, which is off, would ever shorten these."""
        self.recent_message_deliveries.clear()


class GuardedPubsub(Pubsub):  # type: ignore[misc]
    """Pubsub whose messages and streams cannot end the host, and which keeps what a connected peer has said."""

    def __init__(
        self, host: BasicHost, router: Router, topic: str, only_listened_to: str, guard: Guard, blame: Blame
    ) -> None:
        super().__init__(
            host,
            router,
            max_inbound_rpc_size=GOSSIP_RPC_MAX_BYTES,
            allowed_topics={topic, only_listened_to},
            max_subscriptions_per_rpc=64,
        )
        self.counter = time.time_ns()
        self._topic = topic
        self._topics = (topic, only_listened_to)
        self._guard = guard
        self._blame = blame
        self._buckets: dict[ID, _Bucket] = {}
        self._opening: dict[ID, trio.Lock] = {}

    async def stream_handler(self, stream: Any) -> None:
        """Read a peer's messages; what does not decode resets the stream and is the peer's fault."""
        peer_id = stream.muxed_conn.peer_id
        error = await self._guard.run("gossip.stream", super().stream_handler, stream)
        if isinstance(error, DecodeError | UnicodeDecodeError):
            self._blame(peer_id, Reason.GARBAGE, "a pubsub message that does not decode")
        if error is not None:
            await self._guard.reset(stream)

    async def push_msg(self, msg_forwarder: ID, msg: Any) -> None:
        """Judge one message: the forwarder's rate first, as it is the cheapest to check."""
        if msg_forwarder != self.my_id and not self._within_rate(msg_forwarder):
            return
        await trio.lowlevel.checkpoint()  # a hundred may come in one RPC, a third of a millisecond each
        error = await self._guard.run("gossip.message", super().push_msg, msg_forwarder, msg)
        if error is not None and msg_forwarder != self.my_id:
            self._blame(msg_forwarder, Reason.GARBAGE, "a pubsub message whose key or signature does not decode")

    def notify_subscriptions(self, publish_message: Any) -> None:
        """Nothing: the validator has delivered it already, and nobody reads libp2p's channel."""

    async def _handle_new_peer(self, peer_id: ID) -> None:
        """A peer that is known and connects again came back: its stream moves to the new connection.

        libp2p skips it, so the peer is never told what we subscribe to and sends nothing. And what the peer itself has
        said is known already, so it enters the gossip mesh at once and not with the next heartbeat.
        """
        lock = self._opening.setdefault(peer_id, trio.Lock())  # two connections at once: one stream after the other
        async with lock:
            self._detach(peer_id)
            await super()._handle_new_peer(peer_id)
        if not lock.statistics().tasks_waiting:
            self._opening.pop(peer_id, None)
        if peer_id in self.peers and peer_id in self.peer_topics.get(self._topic, ()):
            await self.router.on_peer_subscribed(peer_id, self._topic)

    def _detach(self, peer_id: ID) -> None:
        old = self.peers.pop(peer_id, None)
        if old is None:
            return
        queue = self.peer_queues.pop(peer_id, None)
        if queue is not None:
            queue.close()
        self.router.remove_peer(peer_id)
        self.manager.run_task(self._guard.reset, old)

    def _handle_dead_peer(self, peer_id: ID) -> None:
        """The loss of our stream does not undo what the peer said on its own, as long as it is connected."""
        kept = [t for t in self._topics if peer_id in self.peer_topics.get(t, ()) and self._peer_is_connected(peer_id)]
        super()._handle_dead_peer(peer_id)
        for topic in kept:
            self.peer_topics.setdefault(topic, set()).add(peer_id)
        if kept:
            self._peer_subscription_count[peer_id] = len(kept)
        elif not self._peer_is_connected(peer_id):
            self._buckets.pop(peer_id, None)

    def _within_rate(self, peer_id: ID) -> bool:
        bucket = self._buckets.setdefault(peer_id, _Bucket())
        if bucket.take(trio.current_time()):
            return True
        self._guard.counts["gossip.flood"] += 1
        if bucket.first_refusal:
            self._blame(peer_id, Reason.FLOOD, f"more than {HINTS_PER_S_MAX} gossip messages a second")
        return False


class _Bucket:
    """A token bucket: HINTS_BURST_MAX at once, HINTS_PER_S_MAX a second after that."""

    def __init__(self) -> None:
        self._tokens = float(HINTS_BURST_MAX)
        self._at = 0.0
        self.first_refusal = False
        self._refusing = False

    def take(self, now: float) -> bool:
        """One token; False when there is none."""
        self._tokens = min(HINTS_BURST_MAX, self._tokens + (now - self._at) * HINTS_PER_S_MAX)
        self._at = now
        if self._tokens < 1:
            self.first_refusal, self._refusing = not self._refusing, True
            return False
        self._refusing = self._refusing and self._tokens < HINTS_PER_S_MAX
        self._tokens -= 1
        return True


class Gossip:
    """Hints: `publish` without waiting, `hint` for each message of others. Entries: `publish_entries`, if anyone
    listens."""

    def __init__(
        self,
        host: BasicHost,
        network: NetworkId,
        guard: Guard,
        counters: Counter[str],
        *,
        hint: Callable[[bytes], None],
        blame: Blame,
    ) -> None:
        self.topic = topic_of(network)
        self.router = Router(self.topic)
        self.entries_topic = entries_topic_of(network)
        self.pubsub = GuardedPubsub(host, self.router, self.topic, self.entries_topic, guard, blame)
        self.pubsub.set_topic_validator(self.topic, self._take, is_async_validator=False)
        self._guard = guard
        self._counters = counters
        self._hint = hint
        self._blame = blame
        self._send, self._receive = trio.open_memory_channel[bytes](HINTS_QUEUED_MAX)
        self._send_entries, self._receive_entries = trio.open_memory_channel[bytes](HERALD_FRAMES_MAX)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The services, ready and subscribed. To be entered before listening: a peer that connects to a pubsub which
        has not started ends the host."""
        try:
            async with running(self.router, self._guard), running(self.pubsub, self._guard):
                await self.pubsub.wait_until_ready()
                await self.pubsub.subscribe(self.topic)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._guard.forever, "gossip.publish", self._publish)
                    nursery.start_soon(self._guard.forever, "gossip.entries", self._publish_entries)
                    nursery.start_soon(self._guard.forever, "gossip.trim", self._trim)
                    yield
                    nursery.cancel_scope.cancel()
        finally:
            self.pubsub.seen_messages.stop()  # it has a thread

    def publish(self, data: bytes) -> bool:
        """Queue a hint; False, and counted, when the queue is full."""
        try:
            self._send.send_nowait(data)
        except trio.WouldBlock:
            self._counters["hints-dropped"] += 1
            return False
        return True

    @property
    def listeners(self) -> int:
        """How many connected peers listen to entries."""
        return len(self.pubsub.peer_topics.get(self.entries_topic, ()))

    def publish_entries(self, frame: bytes) -> None:
        """Queue a frame of entries for who listens; dropped, and counted, when they take them too slowly."""
        try:
            self._send_entries.send_nowait(frame)
        except trio.WouldBlock:
            self._counters["entries-dropped"] += 1

    async def _publish_entries(self) -> None:
        async for frame in self._receive_entries:
            await self._room()
            await self.pubsub.publish(self.entries_topic, frame)
            self._counters["entries-published"] += 1

    async def _publish(self) -> None:
        async for data in self._receive:
            await self._room()
            await self.pubsub.publish(self.topic, data)
            self._counters["hints-sent"] += 1

    async def _room(self) -> None:
        """Wait until every peer's queue has room, but not for ever."""
        with trio.move_on_after(_ROOM_WAIT_MAX_S):
            while any(len(queue) >= _QUEUE_ROOM for queue in self.pubsub.peer_queues.values()):
                await trio.sleep(_ROOM_POLL_S)

    async def _trim(self) -> None:
        while True:
            await trio.sleep(_TRIM_S)
            self.router.trim()

    def _take(self, forwarder: ID, message: Any) -> bool:
        """The validator: whether a message is to be passed on. Delivers it, being the last step before that."""
        if forwarder == self.pubsub.my_id:
            return True
        if message.from_id == self.pubsub.my_id.to_bytes():
            return False  # one's own, sent back
        if len(message.data) > HINT_MAX_BYTES or list(message.topicIDs) != [self.topic]:
            self._blame(forwarder, Reason.OVERSIZE, f"a hint of {len(message.data)} bytes")
            return False
        self._counters["hints-received"] += 1
        self._guard.call("events.hint", self._hint, bytes(message.data))
        return True
