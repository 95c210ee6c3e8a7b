"""A virtual room: engines, a clock that only events move, a network between them, disks that can forget.

The engine is the daemon's own; this is merely another shell around it. Everything that happens is an action on the
timeline, and all chance comes from one seed, so the same seed gives the same run.
"""

from __future__ import annotations

from random import Random

from consensus.params import Params
from crdt.keys import Identity
from crdt.types import Digest, PlayerId
from node.engine.inputs import PeerJoined, PeerLeft, Probing, Tick
from sim.host import SYNC_US, WORK_US, Clock, Host, Watch
from sim.network import LAN, Gossip, Line, Network
from sim.timeline import Action, Timeline
from sim.trace import Trace

__all__ = ["NOTICED_US", "SYNC_US", "TICK_US", "WORK_US", "Clock", "Host", "World"]

TICK_US = 50_000
NOTICED_US = 2_000_000  # a link that has gone silent, by the watchdog (node/mesh/watchdog.py)


class World:
    """The room. `start_us` is when it begins, in microseconds since 1970."""

    def __init__(
        self,
        params: Params,
        seed: int,
        start_us: int,
        *,
        line: Line = LAN,
        gossip: Gossip | None = None,
        tick_us: int = TICK_US,
        trace: Trace | None = None,
    ) -> None:
        self.params = params
        self.seed = seed
        self.start_us = start_us
        self.tick_us = tick_us
        self.trace = trace
        self.watch: Watch | None = None
        self.random = Random(f"world {seed}")
        self.timeline = Timeline(start_us)
        self.network = Network(self.timeline, Random(f"network {seed}"), line, gossip)
        self.hosts: dict[PlayerId, Host] = {}

    @property
    def now_us(self) -> int:
        """True time, which nobody in the room knows."""
        return self.timeline.now_us

    @property
    def frames(self) -> int:
        """How many frames were given to links."""
        return self.network.frames

    def add(self, identity: Identity, trusted: Digest | None = None, clock: Clock | None = None) -> Host:
        """A new node, linked to nobody yet; `trusted` is a checkpoint that its user names."""
        host = self.hosts[identity.player] = Host(self, identity, trusted, clock)
        self.after(self.random.randrange(self.tick_us), self._tick, host)
        return host

    def clock(self, offset_us: int = 0, drift_ppm: int = 0) -> Clock:
        """A clock for a node to be added."""
        return Clock(self.timeline, offset_us, drift_ppm)

    # links

    def link(self, one: PlayerId, other: PlayerId, line: Line | None = None) -> None:
        """Plug a cable in."""
        if self.network.link(self.hosts[one], self.hosts[other], line):
            self.hosts[one].give(PeerJoined(other))
            self.hosts[other].give(PeerJoined(one))

    def unlink(self, one: PlayerId, other: PlayerId) -> None:
        """Pull it out; frames under way are lost."""
        if self.network.unlink(one, other):
            self.hosts[one].give(PeerLeft(other))
            self.hosts[other].give(PeerLeft(one))

    def drop(self, player: PlayerId) -> None:
        """End all links of a player, as a process that dies does."""
        for other in self.linked(player):
            self.unlink(player, other)

    def silence(self, player: PlayerId) -> None:
        """End all links of a player without a word: the others hear nothing until their watchdogs do."""
        for other in self.linked(player):
            self.network.unlink(player, other)
            self.after(NOTICED_US, self._notice, other, player)

    def _notice(self, player: PlayerId, gone: PlayerId) -> None:
        if not self.network.are_linked(player, gone):
            self.hosts[player].give(PeerLeft(gone))

    def cut(self, one: PlayerId, other: PlayerId, both: bool = True) -> None:
        """Cut the cable of a link that nobody has noticed to be dead, both ways or only from one to the other."""
        self.network.cut(one, other)
        if both:
            self.network.cut(other, one)

    def mend(self, one: PlayerId, other: PlayerId, both: bool = True) -> None:
        """Undo `cut`: what waited arrives."""
        self.network.mend(one, other)
        if both:
            self.network.mend(other, one)

    def partition(self, segments: dict[PlayerId, int]) -> None:
        """Split the network into segments, by their numbers; none named: it is whole again."""
        self.network.partition(segments)

    def link_all(self) -> None:
        """Everyone with everyone."""
        players = list(self.hosts)
        for i, one in enumerate(players):
            for other in players[i + 1 :]:
                self.link(one, other)

    def linked(self, player: PlayerId) -> list[PlayerId]:
        """Whom a player is linked to."""
        return self.network.linked(player)

    def send(self, sender: PlayerId, receiver: PlayerId, frame: bytes) -> None:
        """Carry a frame, in order, unless the link goes down first."""
        self.network.send(sender, receiver, frame)

    def gossip(self, sender: PlayerId, data: bytes) -> None:
        """Carry a hint to everyone, late and not always."""
        self.network.gossip(sender, data, self.hosts)

    # time

    def after(self, delay_us: int, action: Action, *args: object) -> None:
        """Do something later."""
        self.timeline.after(delay_us, action, *args)

    def run_until(self, at_us: int) -> None:
        """Let time pass."""
        self.timeline.run_until(at_us)

    def _tick(self, host: Host) -> None:
        if host.awake:
            host.give(_TICK)
            host.give(_PROBING)
        self.timeline.after(self.tick_us, self._tick, host)


_TICK = Tick()
_PROBING = Probing()
