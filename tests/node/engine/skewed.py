"""Engines whose clocks are wrong, each in its own way, on links with uneven delays; everything from one seed."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random

from consensus.params import SMALL
from crdt.keys import Identity
from crdt.types import PlayerId
from node.engine.effects import Confirm, Effect, Persist, Send, Work
from node.engine.engine import Engine
from node.engine.inputs import Confirmed, FrameReceived, Input, PeerJoined, PeerLeft, Probing, Tick, Worked
from tests.sim.room import START_US

TICK_US = 50_000


class Skewed:
    """One engine, and what it takes for the time: off by `offset_us`, drifting by `ppm`."""

    def __init__(self, room: Room, identity: Identity, offset_us: int, ppm: int) -> None:
        self.room = room
        self.player = identity.player
        self.offset_us = offset_us
        self.ppm = ppm
        self.links: set[PlayerId] = set()
        self.forge: Callable[[bytes], bytes] = lambda frame: frame  # what it says instead
        self.engine = Engine(identity, SMALL, self.now_us)

    @property
    def now_us(self) -> int:
        elapsed_us = self.room.now_us - START_US
        return self.room.now_us + self.offset_us + elapsed_us * self.ppm // 1_000_000

    def give(self, event: Input) -> None:
        self.carry_out(self.engine.handle(self.now_us, event))

    def carry_out(self, effects: list[Effect] | tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Send(player, frame):
                    self.room.send(self.player, player, self.forge(frame))
                case Persist(then=then):
                    self.carry_out(then)
                case Confirm(signed):
                    self.give(Confirmed(signed))
                case Work(ticket, task):
                    self.give(Worked(ticket, task()))


class Room:
    """All of them, and the true time."""

    def __init__(self, seed: int) -> None:
        self.now_us = START_US
        self.nodes: dict[PlayerId, Skewed] = {}
        self._chance = Random(seed)
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def add(self, identity: Identity, offset_us: int, ppm: int) -> Skewed:
        node = self.nodes[identity.player] = Skewed(self, identity, offset_us, ppm)
        self._tick(node)
        self._probe(node)
        return node

    def link(self, one: Skewed, other: Skewed) -> None:
        one.links.add(other.player)
        other.links.add(one.player)
        one.give(PeerJoined(other.player))
        other.give(PeerJoined(one.player))

    def unlink(self, one: Skewed, other: Skewed) -> None:
        one.links.discard(other.player)
        other.links.discard(one.player)
        one.give(PeerLeft(other.player))
        other.give(PeerLeft(one.player))

    def send(self, giver: PlayerId, receiver: PlayerId, frame: bytes) -> None:
        node = self.nodes[receiver]
        delay_us = 300 + int(self._chance.expovariate(1 / 1_500))
        self.after(delay_us, lambda: node.give(FrameReceived(giver, frame)) if giver in node.links else None)

    def after(self, delay_us: int, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now_us + delay_us, self._count, action))

    def run(self, seconds: float) -> None:
        until_us = self.now_us + int(seconds * 1_000_000)
        while self._heap and self._heap[0][0] <= until_us:
            self.now_us, _, action = heapq.heappop(self._heap)
            action()
        self.now_us = until_us

    def _tick(self, node: Skewed) -> None:
        node.give(Tick())
        self.after(TICK_US, lambda: self._tick(node))

    def _probe(self, node: Skewed) -> None:
        node.give(Probing())
        now_us = node.now_us
        self.after(max(500, node.engine.next_probe_us(now_us) - now_us), lambda: self._probe(node))
