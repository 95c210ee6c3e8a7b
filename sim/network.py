"""The network of a world: links between players, and gossip beyond them.

A link is what the mesh gives the engine (node/mesh): an ordered stream of frames each way, over TCP. So a lost packet
is a retransmission's delay for it and for all that follow, what the line cannot take yet waits in a bounded queue, and
frames beyond that queue are dropped and counted, as the mesh does. A cable that is cut says nothing: frames wait on
both sides until it is mended or the link is given up. `drop`, `duplicate` and `overtake` are harsher than TCP ever is.

All chance is drawn from one generator, in the order of what happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, log
from random import Random
from typing import Literal

import msgspec

from crdt.errors import Misuse
from crdt.limits import OUTBOX_BYTES_MAX, OUTBOX_FRAMES_MAX
from crdt.types import PlayerId
from node.engine.inputs import FrameReceived, HintReceived
from sim.host import Host
from sim.timeline import Timeline

RETRANSMISSIONS_MAX = 5  # each takes twice as long as the one before; then it has got through


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a link is like, in one direction. Shares are of all frames; the default is a good LAN."""

    base_us: int = 300
    spread_us: int = 2_700  # up to so much more, evenly
    tail: Literal["none", "exponential", "lognormal"] = "none"
    tail_us: int = 0  # mean of the exponential, median of the lognormal
    tail_sigma: float = 1.0  # of the lognormal
    loss: float = 0.0  # found by a timeout and sent again
    retransmit_us: int = 200_000
    bytes_per_s: int = 0  # 0: as fast as it is given
    drop: float = 0.0  # lost for good
    duplicate: float = 0.0
    overtake: float = 0.0  # delayed, and passed by what was sent later

    @property
    def is_plain(self) -> bool:
        """Whether nothing but even latency is asked for."""
        return self.tail == "none" and not (
            self.loss or self.bytes_per_s or self.drop or self.duplicate or self.overtake
        )


class Gossip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How hints travel: not always, late, sometimes twice."""

    loss: float = 0.1
    least_us: int = 1_000
    most_us: int = 50_000
    twice: float = 0.02


LAN = Line()


class Link:
    """One direction of a link."""

    __slots__ = (
        "arrives_us",
        "carried",
        "free_us",
        "is_plain",
        "is_up",
        "line",
        "receiver",
        "sender",
        "waiting",
        "waiting_bytes",
    )

    def __init__(self, sender: PlayerId, receiver: Host, line: Line, now_us: int) -> None:
        self.sender = sender
        self.receiver = receiver
        self.is_up = True
        self.take(line)
        self.carried = 0
        self.arrives_us = now_us  # when the last frame on it does
        self.free_us = now_us  # when the line has taken all that it was given
        self.waiting: list[bytes] | None = None  # at a cut, what TCP will send again
        self.waiting_bytes = 0

    def take(self, line: Line) -> None:
        """From now on it is like this."""
        self.line, self.is_plain = line, line.is_plain


class Network:
    """All links. Frames on one keep their order, unless its line says otherwise."""

    def __init__(self, timeline: Timeline, chance: Random, line: Line = LAN, gossip: Gossip | None = None) -> None:
        self.line = line
        self.hints = gossip or Gossip()
        self.frames = 0  # given to a link
        self.deliveries = 0  # frames and hints handed to a node
        self.dropped = 0  # frames that no queue had room for, or that the line lost
        self.bytes = 0  # of frames given to a link
        self._timeline = timeline
        self._chance = chance
        self._links: dict[PlayerId, dict[PlayerId, Link]] = {}
        self._segments: dict[PlayerId, int] = {}

    def link(self, one: Host, other: Host, line: Line | None = None) -> bool:
        """Make a link, with a line of its own if one is named. False when there is one already."""
        if one is other:
            raise Misuse("nobody has a link with themselves")
        if other.player in self._links.get(one.player, ()):
            return False
        now_us = self._timeline.now_us
        for sender, receiver in ((one, other), (other, one)):
            link = Link(sender.player, receiver, line or self.line, now_us)
            self._links.setdefault(sender.player, {})[receiver.player] = link
            if not self.can_reach(one.player, other.player):
                link.waiting = []
        return True

    def unlink(self, one: PlayerId, other: PlayerId) -> bool:
        """End a link; frames under way are lost. False when there is none."""
        found = False
        for sender, receiver in ((one, other), (other, one)):
            link = self._links.get(sender, {}).pop(receiver, None)
            if link is not None:
                link.is_up, found = False, True
        return found

    def linked(self, player: PlayerId) -> list[PlayerId]:
        """Whom a player is linked to, in the order in which the links were made."""
        return list(self._links.get(player, ()))

    def are_linked(self, one: PlayerId, other: PlayerId) -> bool:
        """Whether there is a link between two players."""
        return other in self._links.get(one, ())

    def cut(self, sender: PlayerId, receiver: PlayerId) -> None:
        """One direction of a link goes dead, and nobody has noticed: frames wait until it is mended or given up."""
        link = self._links.get(sender, {}).get(receiver)
        if link is not None and link.waiting is None:
            link.waiting = []

    def mend(self, sender: PlayerId, receiver: PlayerId) -> None:
        """Undo `cut`: what waited arrives."""
        link = self._links.get(sender, {}).get(receiver)
        if link is not None and link.waiting is not None:
            waiting, link.waiting, link.waiting_bytes = link.waiting, None, 0
            for frame in waiting:
                self._arrive(link, frame)

    def is_cut(self, one: PlayerId, other: PlayerId) -> bool:
        """Whether a link is dead in either direction, or there would be none."""
        ways = (self._links.get(one, {}).get(other), self._links.get(other, {}).get(one))
        return not self.can_reach(one, other) or any(way is not None and way.waiting is not None for way in ways)

    def partition(self, segments: dict[PlayerId, int]) -> None:
        """Cut every link between players of different segments, and mend all others. Who is not named is in 0."""
        self._segments = dict(segments)
        for sender, receiver in self.pairs():
            if self.can_reach(sender, receiver):
                self.mend(sender, receiver)
            else:
                self.cut(sender, receiver)

    def can_reach(self, one: PlayerId, other: PlayerId) -> bool:
        """Whether two players are in the same segment of the network."""
        return self._segments.get(one, 0) == self._segments.get(other, 0)

    def pairs(self) -> Iterator[tuple[PlayerId, PlayerId]]:
        """Every link, in both directions."""
        return ((one, other) for one, links in list(self._links.items()) for other in list(links))

    def set_line(self, sender: PlayerId, receiver: PlayerId, line: Line) -> None:
        """From now on, one direction of a link is like this."""
        link = self._links.get(sender, {}).get(receiver)
        if link is not None:
            link.take(line)

    def send(self, sender: PlayerId, receiver: PlayerId, frame: bytes) -> None:
        """Carry a frame, unless the link goes down first."""
        links = self._links.get(sender)
        link = links.get(receiver) if links else None
        if link is None:
            return
        self.frames += 1
        self.bytes += len(frame)
        line = link.line
        at_us = self._timeline.now_us + line.base_us + int(self._chance.random() * line.spread_us)
        if link.is_plain:
            link.arrives_us = at_us = max(at_us, link.arrives_us)
            link.carried += 1
            self._timeline.at(at_us, self._arrive, link, frame)
        else:
            self._send_roughly(link, frame, at_us)

    def gossip(self, sender: PlayerId, data: bytes, hosts: dict[PlayerId, Host]) -> None:
        """Carry a hint to everyone in reach."""
        draw, hints = self._chance.random, self.hints
        event = HintReceived(data)
        for player, host in hosts.items():
            if player == sender or not host.alive or not self.can_reach(sender, player):
                continue
            copies = 2 if draw() < hints.twice else 1
            for _ in range(copies):
                if draw() >= hints.loss:
                    delay_us = hints.least_us + int(draw() * (hints.most_us - hints.least_us))
                    self._timeline.after(delay_us, self._hint, host, event)

    def _send_roughly(self, link: Link, frame: bytes, at_us: int) -> None:
        """Over a line that does more than take its time."""
        line, draw = link.line, self._chance.random
        is_first = link.carried == 0  # the hello: without it there is no link
        at_us += self._tail_us(line)
        if line.bytes_per_s:
            queued_us = self._queue(link, len(frame))
            if queued_us is None:
                self.dropped += 1
                return
            at_us += queued_us
        link.carried += 1
        wait_us = line.retransmit_us
        for _ in range(RETRANSMISSIONS_MAX):
            if draw() >= line.loss:
                break
            at_us, wait_us = at_us + wait_us, wait_us * 2
        if draw() < line.drop and not is_first:
            self.dropped += 1
            return
        if draw() < line.overtake and not is_first:
            late_us = max(at_us, link.arrives_us) + 2 * (line.base_us + line.spread_us)
            self._timeline.at(late_us, self._arrive, link, frame)
            return
        link.arrives_us = max(at_us, link.arrives_us)
        self._timeline.at(link.arrives_us, self._arrive, link, frame)
        if draw() < line.duplicate and not is_first:
            self._timeline.at(link.arrives_us + line.base_us, self._arrive, link, frame)

    def _tail_us(self, line: Line) -> int:
        match line.tail:
            case "exponential":
                return int(-log(1.0 - self._chance.random()) * line.tail_us)
            case "lognormal":
                return int(exp(self._chance.gauss(0.0, line.tail_sigma)) * line.tail_us)
            case _:
                return 0

    def _queue(self, link: Link, size: int) -> int | None:
        """How long a frame waits for its line and takes on it; None when the queue has no room for it."""
        now_us, rate = self._timeline.now_us, link.line.bytes_per_s
        begins_us = max(now_us, link.free_us)
        if (begins_us - now_us) * rate // 1_000_000 + size > OUTBOX_BYTES_MAX:
            return None
        link.free_us = begins_us + size * 1_000_000 // rate
        return link.free_us - now_us

    def _arrive(self, link: Link, frame: bytes) -> None:
        if not link.is_up:
            return
        if link.waiting is None:
            self.deliveries += 1
            link.receiver.give(FrameReceived(link.sender, frame))
        elif len(link.waiting) < OUTBOX_FRAMES_MAX and link.waiting_bytes + len(frame) <= OUTBOX_BYTES_MAX:
            link.waiting.append(frame)
            link.waiting_bytes += len(frame)
        else:
            self.dropped += 1

    def _hint(self, host: Host, event: HintReceived) -> None:
        self.deliveries += 1
        host.give(event)
