"""By whose word this node knows the clock of a jam's creator (SPEC 5, "Session clock").

Over a link to the creator it is measured. Who has none hears once a second from its peers what they know of it; offsets
and uncertainties add up along the way, and of all ways the one with the least uncertainty is taken. Each says through
whom it leads, so that none leads through this node, and none is longer than CLOCK_HOPS_MAX. What was not said again for
some seconds counts no more. When no way is left, the last one is carried on, ever less certain, until another is found.

Whoever is on the way can shift the time of those behind it, and nobody else's: what is measured over a link to the
creator outweighs whatever contradicts it (docs/attacks.md).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from crdt.errors import Reason, Violation
from crdt.limits import CLOCK_HOPS_MAX, CLOCK_OFFSET_MAX_US, CLOCK_UNCERTAINTY_MAX_US
from crdt.types import PlayerId
from jam.clock import RATE_MAX_PPB, Rate, Reading
from jam.slew import Slewed
from node.engine.effects import Send
from node.engine.frames import ClockTold, pack
from node.engine.peers import Peer, Told

TELL_EVERY_US: Final = 1_000_000
STALE_US: Final = 5_000_000
LOOK_EVERY_US: Final = 250_000  # whom to probe can change at any time
_CREATORS_MAX: Final = 8  # whose jams may still be heard of
_CLEARLY: Final = 4  # a way is left for another whose uncertainty is less by one part in so many


class Shown(NamedTuple):
    """The creator's clock minus this node's as it is shown, the bound on the error, and whose word it is: None when it
    is measured."""

    offset_us: int
    uncertainty_us: int
    via: PlayerId | None


OWN: Final = Shown(0, 0, None)


class Way(NamedTuple):
    """One way to the creator's clock: what it says as of a moment, and through whom, the nearest first."""

    at_us: int
    reading: Reading
    path: tuple[PlayerId, ...]

    def now(self, now_us: int) -> Reading:
        """What it says now."""
        return self.reading.later(max(0, now_us - self.at_us))


def told(giver: PlayerId, frame: ClockTold, now_us: int) -> Told:
    """What a peer told, as it is kept. Violation UNEXPECTED for a way that no node would have taken."""
    if frame.creator == giver:
        raise Violation(Reason.UNEXPECTED, "its own clock is measured, not told")
    if len({giver, frame.creator, *frame.via}) != 2 + len(frame.via):
        raise Violation(Reason.UNEXPECTED, "a clock by a way that leads in a circle")
    return Told(now_us, frame)


class Timing:
    """The clocks of jams' creators. `playing_by`: whose is played by."""

    def __init__(self, player: PlayerId, peers: dict[PlayerId, Peer]) -> None:
        self.playing_by: PlayerId | None = None
        self._player = player
        self._peers = peers
        self._ways: dict[PlayerId, tuple[Way, Slewed]] = {}  # taken lately, with what is shown
        self._next_tell_us = 0

    def clock(self, creator: PlayerId, now_us: int) -> Shown | None:
        """A creator's clock against this node's; None while it is not known."""
        if creator == self._player:
            return OWN
        way = self._choose(creator, now_us)
        old, shown = self._ways.pop(creator, (None, Slewed()))
        way = way or old
        reading = way.now(now_us) if way else None
        if way is None or reading is None or reading.uncertainty_us > CLOCK_UNCERTAINTY_MAX_US:
            return None
        while len(self._ways) >= _CREATORS_MAX:
            del self._ways[next(iter(self._ways))]
        self._ways[creator] = (way, shown)
        offset_us = shown.follow(reading.offset_us, now_us)
        uncertainty_us = reading.uncertainty_us + abs(reading.offset_us - offset_us)
        return Shown(offset_us, uncertainty_us, way.path[0] if way.path else None)

    def is_needed(self, player: PlayerId) -> bool:
        """Whether this player's clock is one to play by, and so to be measured well."""
        if self.playing_by is None or player == self.playing_by:
            return player == self.playing_by
        way, _ = self._ways.get(self.playing_by, (None, None))
        return way is not None and player in way.path[:1]

    def probe_due(self, now_us: int) -> Peer | None:
        """The peer to be probed now: of several that are due the one that waits longest, those to play by first."""
        due = [(p, self.is_needed(p.player)) for p in self._peers.values()]
        due = [(peer, is_needed) for peer, is_needed in due if peer.clock.wants_probe(now_us, is_needed)]
        order = min(due, key=lambda one: (not one[1], one[0].clock.probe_due_us(one[1])), default=None)
        return order[0] if order else None

    def next_probe_us(self, now_us: int) -> int:
        """When to look again whether one is due."""
        next_us = now_us + LOOK_EVERY_US
        for peer in self._peers.values():
            next_us = min(next_us, peer.clock.look_us(now_us, self.is_needed(peer.player)))
        return next_us

    def tell(self, now_us: int) -> list[Send]:
        """What peers without a link to the creator are told, once a second."""
        creator = self.playing_by
        if now_us < self._next_tell_us or creator is None or creator == self._player:
            return []
        self._next_tell_us = now_us + TELL_EVERY_US
        taken, _ = self._ways.get(creator, (None, None))
        way = self._choose(creator, now_us) or taken  # the creator may have left, and others come later
        if way is None or len(way.path) >= CLOCK_HOPS_MAX:
            return []
        offset_us, uncertainty_us, rate = way.now(now_us)
        if abs(offset_us) > CLOCK_OFFSET_MAX_US or uncertainty_us > CLOCK_UNCERTAINTY_MAX_US:
            return []
        frame = pack(ClockTold(creator, offset_us, rate.ppb, uncertainty_us, way.path))
        lacking = (p for p, peer in self._peers.items() if p != creator and creator not in peer.links)
        return [Send(player, frame) for player in lacking if player not in way.path]

    def _choose(self, creator: PlayerId, now_us: int) -> Way | None:
        """The way to take: the one that is taken already, unless it is gone or another is clearly better."""
        measured = self._measured(creator, now_us)
        ways = [] if measured is None else [measured]
        ways += (way for way in self._told(creator, now_us) if measured is None or _agree(way, measured))
        if not ways:
            return None
        best = min(ways, key=lambda way: (way.reading.uncertainty_us, way.path))
        taken, _ = self._ways.get(creator, (None, None))
        old = next((way for way in ways if taken is not None and way.path == taken.path), best)
        gain_us = old.reading.uncertainty_us - best.reading.uncertainty_us
        return best if gain_us * _CLEARLY > old.reading.uncertainty_us else old

    def _measured(self, player: PlayerId, now_us: int) -> Way | None:
        peer = self._peers.get(player)
        reading = peer.clock.reading(now_us) if peer else None
        return Way(now_us, reading, ()) if reading else None

    def _told(self, creator: PlayerId, now_us: int) -> list[Way]:
        ways = []
        for peer in self._peers.values():
            said = peer.told_clock
            if said is None or said.frame.creator != creator or now_us - said.at_us > STALE_US:
                continue
            here = peer.clock.reading(now_us)
            if here is None or self._player in said.frame.via:
                continue
            there = said.frame
            rate = Rate(there.rate_ppb, RATE_MAX_PPB)  # how wrong it can be is not told
            theirs = Reading(there.offset_us, there.uncertainty_us, rate).later(max(0, now_us - said.at_us))
            ways.append(Way(now_us, _sum(here, theirs), (peer.player, *there.via)))
        return ways


def _sum(here: Reading, there: Reading) -> Reading:
    """One clock against the next, and that against this node's."""
    ppb = max(-RATE_MAX_PPB, min(RATE_MAX_PPB, here.rate.ppb + there.rate.ppb))
    offset_us, uncertainty_us = here.offset_us + there.offset_us, here.uncertainty_us + there.uncertainty_us
    return Reading(offset_us, uncertainty_us, Rate(ppb, min(RATE_MAX_PPB, here.rate.error_ppb + there.rate.error_ppb)))


def _agree(one: Way, other: Way) -> bool:
    """Whether both can be right."""
    apart_us = abs(one.reading.offset_us - other.reading.offset_us)
    return apart_us <= one.reading.uncertainty_us + other.reading.uncertainty_us
