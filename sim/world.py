"""A virtual room: engines, a clock that only events move, links with latency, stores that can forget.

The engine is the daemon's own; this is merely another shell around it. Everything that happens is a heap of
(time, number, action), and all chance comes from one seed, so the same seed gives the same run.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random

from consensus.params import Params, network_id
from crdt.entry import open_entry
from crdt.keys import Identity
from crdt.store.keys import ENTRY, PROOF
from crdt.store.memory import MemoryStore
from crdt.store.walk import verified_proof
from crdt.types import NO_NONCE, Digest, PlayerId
from node.engine.documents import Stored
from node.engine.effects import Confirm, Effect, Hint, Persist, Refuse, Send, Signed, Work
from node.engine.engine import Engine
from node.engine.inputs import Confirmed, FrameReceived, HintReceived, Input, PeerJoined, PeerLeft, Tick, Worked
from node.engine.record import CHECKPOINT_KEY, checkpoint_in

TICK_US = 50_000
WORK_US = 100_000
SYNC_US = 4_000  # what fdatasync takes on the disks measured


class Host:
    """One node in the room: its engine, its store, what it told its user."""

    def __init__(self, world: World, identity: Identity, trusted: Digest | None = None) -> None:
        self.world = world
        self.trusted = trusted
        self.identity = identity
        self.store = MemoryStore()
        self.signed: Signed | None = None
        self.told: list[Effect] = []
        self.alive = False
        self.frozen = False
        self.engine: Engine
        self._life = 0
        self._waiting: list[Callable[[], None]] = []  # what reached a frozen process
        self.start()

    @property
    def player(self) -> PlayerId:
        """Whose node it is."""
        return self.identity.player

    def start(self) -> None:
        """Start, or start again, from what the store holds."""
        network = network_id(self.world.params)
        entries = [open_entry(network, raw) for _, raw in self.store.scan(ENTRY)]
        found = (verified_proof(network, key, value) for key, value in self.store.scan(PROOF))
        checkpoint = checkpoint_in(network, self.store.get(CHECKPOINT_KEY))
        stored = Stored(entries, [proof for proof in found if proof is not None], checkpoint)
        self.engine = Engine(
            self.identity,
            self.world.params,
            self.world.now_us,
            stored=stored,
            nonce=NO_NONCE,
            signed=self.signed,
            trusted=self.trusted,
        )
        self.alive = True

    def kill(self) -> None:
        """The process dies: memory is gone, what was written stays."""
        self.alive = self.frozen = False
        self._waiting = []
        self._life += 1
        for other in list(self.world.linked(self.player)):
            self.world.unlink(self.player, other)

    def freeze(self) -> None:
        """The process stops (SIGSTOP, a closed laptop); what is sent to it waits in the kernel."""
        self.frozen = self.alive

    def thaw(self) -> None:
        """It goes on where it was."""
        self.frozen = False
        waiting, self._waiting = self._waiting, []
        for action in waiting:
            action()

    def give(self, event: Input) -> None:
        """Hand the engine an input and carry out what it asks for."""
        self._when_awake(lambda: self.execute(self.engine.handle(self.world.now_us, event)))

    def execute(self, effects: list[Effect] | tuple[Effect, ...]) -> None:
        """The simulator's hands (compare node/shell/hands.py)."""
        for effect in effects:
            match effect:
                case Send(player, frame):
                    self.world.send(self.player, player, frame)
                case Persist(sync=True):
                    self._later(SYNC_US, lambda e=effect: self._synced(e))  # type: ignore[misc]
                case Persist(batch=batch, then=then):
                    self.store.write(batch, sync=False)
                    self.execute(then)
                case Confirm(signed):
                    self.give(Confirmed(signed))
                case Work(ticket, task):
                    self._later(WORK_US, lambda t=ticket, f=task: self.give(Worked(t, f())))  # type: ignore[misc]
                case Hint(data):
                    self.world.gossip(self.player, data)
                case Refuse(player):
                    self.world.unlink(self.player, player)
                case _:
                    self.told.append(effect)

    def _synced(self, persist: Persist) -> None:
        self.store.write(persist.batch, sync=True)
        self.signed = persist.signed or self.signed
        self.execute(persist.then)

    def _later(self, delay_us: int, action: Callable[[], None]) -> None:
        """Something that the process has under way: it dies with it, and stands still with it."""
        life = self._life
        self.world.after(delay_us, lambda: self._when_awake(action) if life == self._life else None)

    def _when_awake(self, action: Callable[[], None]) -> None:
        if self.frozen:
            self._waiting.append(action)
        elif self.alive:
            action()


class World:
    """The room. Links are symmetric; frames on one link keep their order."""

    def __init__(self, params: Params, seed: int, start_us: int, latency_us: tuple[int, int] = (300, 3_000)) -> None:
        self.params = params
        self.now_us = start_us
        self.random = Random(seed)
        self.hosts: dict[PlayerId, Host] = {}
        self._latency_us = latency_us
        self._links: dict[tuple[PlayerId, PlayerId], int] = {}  # when the last frame on it arrives
        self._broken: dict[tuple[PlayerId, PlayerId], list[bytes]] = {}  # cables cut, with what TCP will send again
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.frames = 0

    def add(self, identity: Identity, trusted: Digest | None = None) -> Host:
        """A new node, linked to nobody yet; `trusted` is a checkpoint that its user names."""
        host = self.hosts[identity.player] = Host(self, identity, trusted)
        self.after(self.random.randrange(TICK_US), lambda: self._tick(host))
        return host

    def link(self, one: PlayerId, other: PlayerId) -> None:
        """Plug a cable in."""
        if (one, other) in self._links:
            return
        self._links[one, other] = self._links[other, one] = self.now_us
        self.hosts[one].give(PeerJoined(other))
        self.hosts[other].give(PeerJoined(one))

    def unlink(self, one: PlayerId, other: PlayerId) -> None:
        """Pull it out; frames under way are lost."""
        if self._links.pop((one, other), None) is None:
            return
        self._links.pop((other, one), None)
        self._broken.pop((one, other), None)
        self._broken.pop((other, one), None)
        self.hosts[one].give(PeerLeft(other))
        self.hosts[other].give(PeerLeft(one))

    def cut(self, one: PlayerId, other: PlayerId) -> None:
        """Cut the cable of a link that nobody has noticed to be dead: frames wait until it is mended or given up."""
        for pair in ((one, other), (other, one)):
            if pair in self._links:
                self._broken.setdefault(pair, [])

    def mend(self, one: PlayerId, other: PlayerId) -> None:
        """Undo `cut`: what waited arrives."""
        for pair in ((one, other), (other, one)):
            for frame in self._broken.pop(pair, ()):
                self._deliver(*pair, frame)

    def link_all(self) -> None:
        """Everyone with everyone."""
        players = list(self.hosts)
        for i, one in enumerate(players):
            for other in players[i + 1 :]:
                self.link(one, other)

    def linked(self, player: PlayerId) -> list[PlayerId]:
        """Whom a player is linked to."""
        return [other for one, other in self._links if one == player]

    def after(self, delay_us: int, action: Callable[[], None]) -> None:
        """Do something later."""
        self._count += 1
        heapq.heappush(self._heap, (self.now_us + delay_us, self._count, action))

    def send(self, sender: PlayerId, receiver: PlayerId, frame: bytes) -> None:
        """Carry a frame, in order, unless the link goes down first."""
        at = self._links.get((sender, receiver))
        if at is None:
            return
        arrives = max(at, self.now_us + self.random.randint(*self._latency_us))
        self._links[sender, receiver] = arrives
        self.frames += 1
        self.after(arrives - self.now_us, lambda: self._deliver(sender, receiver, frame))

    def gossip(self, sender: PlayerId, data: bytes) -> None:
        """Carry a hint to everyone, late and not always."""
        for host in self.hosts.values():
            if host.player != sender and self.random.random() < 0.9:
                self.after(self.random.randint(1_000, 50_000), lambda h=host: h.give(HintReceived(data)))  # type: ignore[misc]

    def _deliver(self, sender: PlayerId, receiver: PlayerId, frame: bytes) -> None:
        waiting = self._broken.get((sender, receiver))
        if waiting is not None:
            waiting.append(frame)
        elif (sender, receiver) in self._links:
            self.hosts[receiver].give(FrameReceived(sender, frame))

    def _tick(self, host: Host) -> None:
        if not host.frozen:
            host.give(Tick())
        self.after(TICK_US, lambda: self._tick(host))

    def run_until(self, at_us: int) -> None:
        """Let time pass."""
        while self._heap and self._heap[0][0] <= at_us:
            self.now_us, _, action = heapq.heappop(self._heap)
            action()
        self.now_us = at_us
