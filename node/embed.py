"""A node inside a Python program: the one thing the music sees (SPEC 4, "Mesh interface").

    async with open_node(config) as node:
        node.connect("/ip4/192.0.2.7/tcp/4001/p2p/...")
        await node.send(Played(node.now_us(), Kind.NOTE_ON, 3, 60, 100))
        async for what in node.happenings():
            ...

It is the daemon's own node, with the same store, rules and mesh, and the same lock on its data directory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import trio

from crdt.errors import OperatingFailure
from crdt.keys import Identity
from crdt.limits import HAPPENINGS_MAX
from crdt.types import Micros, PlayerId
from node.engine.effects import Heard
from node.engine.inputs import Played
from node.runtime import Runtime
from node.shell.clock import NodeClock
from node.shell.config import Config
from node.shell.node import Joined, Left, Node, Told


@dataclass(frozen=True, slots=True)
class Missed:
    """So many happenings were dropped: the listener was slower than the music. Documents hold them all."""

    count: int


Happening = Joined | Left | Heard | Missed


class Listener:
    """One listener's queue of happenings, in order. Bounded: what it does not take in time is counted and dropped."""

    def __init__(self) -> None:
        self._waiting: deque[Happening] = deque()
        self._missed = 0
        self._arrived = trio.Event()

    def put(self, what: Happening) -> None:
        """Queue one."""
        if len(self._waiting) >= HAPPENINGS_MAX:
            self._missed += 1
            return
        self._waiting.append(what)
        self._arrived.set()

    async def take(self) -> list[Happening]:
        """Wait for something, then hand over all that waits."""
        await self._arrived.wait()
        self._arrived = trio.Event()
        taken = list(self._waiting)
        self._waiting.clear()
        if self._missed:
            taken.append(Missed(self._missed))
            self._missed = 0
        return taken


class EmbeddedNode:
    """A running node. Made by `open_node`."""

    def __init__(self, config: Config, identity: Identity | None = None, clock: NodeClock | None = None) -> None:
        self._listeners: set[Listener] = set()
        self._scope = trio.CancelScope()
        self.failure: OperatingFailure | None = None
        self.node = Node(config, self._tell, self._fail, clock, identity=identity)

    @property
    def player(self) -> PlayerId:
        """Who plays here."""
        return self.node.engine.player

    @property
    def addresses(self) -> list[str]:
        """Multiaddrs at which others can `connect` to this node."""
        return list(self.node.mesh.addresses)

    def now_us(self) -> Micros:
        """The node's clock, on which events are stamped."""
        return self.node.clock.now_us()

    def connect(self, address: str) -> None:
        """Dial a peer, now and whenever it is lost. Peers on this network are found without it.

        OperatingFailure when the address is malformed.
        """
        self.node.mesh.connect(address)

    def peers(self) -> list[PlayerId]:
        """Players with a direct link."""
        return sorted(self.node.engine.peers)

    def synced(self) -> bool:
        """Whether every linked peer was last seen to hold exactly what is held here."""
        return all(peer.in_sync for peer in self.node.engine.peers.values())

    async def send(self, event: Played) -> None:
        """Play: have an event signed, saved and sent. Waits only while too much waits already."""
        await self.node.pump.send(event)

    async def play(self, *events: Played) -> None:
        """Play events together; returns once they are saved. OperatingFailure when they cannot be."""
        await self.node.pump.play(events)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """A queue of what happens from now on: peers that join and leave, what is heard (own playing too)."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def happenings(self) -> AsyncIterator[Happening]:
        """What happens from now on, one by one."""
        async with self.listening() as listener:
            while True:
                for what in await listener.take():
                    yield what

    def _tell(self, effect: Told) -> None:
        if isinstance(effect, Heard | Joined | Left):
            for listener in self._listeners:
                listener.put(effect)

    def _fail(self, failure: OperatingFailure) -> None:
        self.failure = self.failure or failure
        self._scope.cancel()

    async def run(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """The node's tasks, until cancelled or failed."""
        with self._scope:
            await self.node.run(task_status)


@asynccontextmanager
async def open_node(
    config: Config, identity: Identity | None = None, clock: NodeClock | None = None
) -> AsyncIterator[EmbeddedNode]:
    """A node that runs as long as the block. OperatingFailure when it cannot start, or could not go on.

    `identity`: the key, where it is under a passphrase (wallet.keystore.load). `clock`: another than the machine's, for
    trials.
    """
    with Runtime(config.data_dir):
        embedded = EmbeddedNode(config, identity, clock)
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(embedded.run)
                yield embedded
                nursery.cancel_scope.cancel()
        finally:
            embedded.node.close()
    if embedded.failure is not None:
        raise embedded.failure
