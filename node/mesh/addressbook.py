"""Whom this node could dial, where, and when next: a value without I/O, clock or chance of its own.

Every address backs off by itself, doubling up to a bound that depends on why it is known: an address that the user
gave, or that is being announced now, is tried every few seconds for ever; one that is only remembered more and more
rarely. Whoever has failed least comes first, and of those never tried the newest: a flood of invented addresses, each
of which holds up an attempt for seconds, must not keep an honest newcomer waiting behind it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice
from typing import Final

from crdt.limits import ADDRESSES_PER_PEER_MAX, KNOWN_PEERS_MAX
from crdt.types import PlayerId
from node.mesh.address import Address

FIRST_BACKOFF_S: Final = 0.25
NEAR_BACKOFF_MAX_S: Final = 2.5  # with a handshake inside the five seconds that a return may take
FAR_BACKOFF_MAX_S: Final = 60.0
FAILURES_MAX: Final = 2  # then nobody is expected to answer there
ANNOUNCED_S: Final = 150.0  # how long an announcement counts as current (its TTL, and some more)


class Source(IntEnum):
    """Why an address is known; a higher one is kept over a lower."""

    REMEMBERED = 0
    ANNOUNCED = 1
    GIVEN = 2


@dataclass(slots=True)
class Place:
    """One address of a peer."""

    address: Address
    source: Source
    seen_s: float
    due_s: float
    backoff_s: float = FIRST_BACKOFF_S
    failures: int = 0  # since the last success or good news
    failed_s: float = 0.0  # the first of these
    dialling: bool = False
    worked: bool = False

    @property
    def turn(self) -> tuple[int, float]:
        """The order in which addresses that are due are tried."""
        return self.failures, self.due_s if self.failures else -self.due_s

    def fresh(self, due_s: float) -> None:
        """Something has changed: as if it had never failed."""
        self.backoff_s, self.failures, self.due_s = FIRST_BACKOFF_S, 0, due_s

    def backoff_max_s(self, now_s: float) -> float:
        """How far apart attempts may grow."""
        near = self.source is Source.GIVEN or (self.source is Source.ANNOUNCED and now_s - self.seen_s < ANNOUNCED_S)
        return NEAR_BACKOFF_MAX_S if near else FAR_BACKOFF_MAX_S


@dataclass(slots=True)
class Known:
    """One peer."""

    places: dict[str, Place] = field(default_factory=dict)

    @property
    def was_reached(self) -> bool:
        """Whether an address of its ever worked."""
        return any(place.worked for place in self.places.values())


class AddressBook:
    """Bounded in peers and in addresses per peer; what was given is never pushed out by what is heard."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._known: dict[PlayerId, Known] = {}  # in the order in which they were last heard of
        self.version = 0  # rises whenever something is known that was not

    def __len__(self) -> int:
        return len(self._known)

    def add(self, address: Address, source: Source, now_s: float, wait_s: float = 0.0) -> bool:
        """Learn of an address or see it confirmed; True when it is news, to be dialled after `wait_s`."""
        known = self._known.pop(address.player, None)
        if known is None:
            if len(self._known) >= KNOWN_PEERS_MAX and not self._make_room(source):
                return False
            known = Known()
        self._known[address.player] = known
        key = address.transport
        place = known.places.get(key)
        if place is not None:
            stale = now_s - place.seen_s > ANNOUNCED_S
            place.source, place.seen_s = max(place.source, source), now_s
            if stale:
                self.version += 1
                place.fresh(now_s + wait_s)
            return stale
        if len(known.places) >= ADDRESSES_PER_PEER_MAX:
            victim = min(known.places, key=lambda one: (known.places[one].source, known.places[one].seen_s))
            if known.places[victim].source > source:
                return False
            del known.places[victim]
        self.version += 1
        known.places[key] = Place(address, source, now_s, now_s + wait_s)
        return True

    def due(self, now_s: float, wanted: Callable[[PlayerId], bool]) -> list[Place]:
        """Addresses of wanted players whose time has come and that are not being dialled, in the order to try them."""
        found: list[Place] = []
        for player, known in self._known.items():
            ripe = [place for place in known.places.values() if not place.dialling and place.due_s <= now_s]
            if ripe and wanted(player):
                found += ripe
        return sorted(found, key=lambda place: place.turn)

    def next_due_s(self, wanted: Callable[[PlayerId], bool]) -> float | None:
        """When the next attempt is due, None when there is none in sight."""
        times = [
            place.due_s
            for player, known in self._known.items()
            if wanted(player)
            for place in known.places.values()
            if not place.dialling
        ]
        return min(times, default=None)

    def ended(self, place: Place, worked: bool, now_s: float) -> None:
        """Note how an attempt went, and when to try again should it be needed."""
        self.version += 1
        place.dialling = False
        place.worked = place.worked or worked
        if worked:
            place.fresh(now_s + self._jittered(FIRST_BACKOFF_S))
            return
        place.failures += 1
        place.failed_s = now_s if place.failures == 1 else place.failed_s
        place.due_s = now_s + self._jittered(place.backoff_s)
        place.backoff_s = min(2 * place.backoff_s, place.backoff_max_s(now_s))

    def lost(self, player: PlayerId, now_s: float, wait_s: float) -> None:
        """A connection ended: start afresh with that player's addresses."""
        self.version += 1
        known = self._known.get(player)
        for place in known.places.values() if known is not None else ():
            place.fresh(now_s + wait_s + self._jittered(FIRST_BACKOFF_S))

    def all_due(self, now_s: float) -> None:
        """The network has changed: every address may work now."""
        self.version += 1
        for known in self._known.values():
            for place in known.places.values():
                place.fresh(now_s)

    def reachable(self) -> frozenset[PlayerId]:
        """Players who would probably answer: not every address of theirs has failed lately."""
        return frozenset(
            player
            for player, known in self._known.items()
            if any(place.failures < FAILURES_MAX for place in known.places.values())
        )

    def silent(self, now_s: float, connected: Callable[[PlayerId], bool]) -> list[Address]:
        """Addresses at which nobody answers, though they were announced again since, of players who answer at none.
        Who has only left announces nothing any more."""
        found: list[Address] = []
        for player, known in self._known.items():
            places = [
                place
                for place in known.places.values()
                if place.source is Source.ANNOUNCED and now_s - place.seen_s < ANNOUNCED_S
            ]
            if all(place.failures >= FAILURES_MAX for place in places) and not connected(player):
                found += [place.address for place in places if place.seen_s > place.failed_s]
        return found

    def newcomers(self, count: int) -> frozenset[PlayerId]:
        """Those heard of last that were never tried."""
        untried = (
            player
            for player, known in reversed(self._known.items())
            if not known.was_reached and all(place.failures == 0 for place in known.places.values())
        )
        return frozenset(islice(untried, count))

    def expire(self, now_s: float, connected: Callable[[PlayerId], bool]) -> None:
        """Forget announcements that nobody repeated, unless a connection shows that they are true."""
        for player in [one for one in self._known if not connected(one)]:
            places = self._known[player].places
            for key in [key for key, place in places.items() if self._is_over(place, now_s)]:
                del places[key]
            if not places:
                self.version += 1
                del self._known[player]

    def worked(self) -> list[str]:
        """Addresses at which somebody was reached: what is worth remembering."""
        return [str(place.address) for known in self._known.values() for place in known.places.values() if place.worked]

    @staticmethod
    def _is_over(place: Place, now_s: float) -> bool:
        if place.dialling or place.source is not Source.ANNOUNCED:
            return False
        return now_s - place.seen_s > (10 if place.worked else 2) * ANNOUNCED_S

    def _make_room(self, source: Source) -> bool:
        """Push out a peer known for no better reason: one that was never reached, then the one longest not heard of."""
        dispensable = (
            player
            for player, known in self._known.items()
            if all(place.source <= source and not place.dialling for place in known.places.values())
        )
        reached = None
        for player in dispensable:
            if not self._known[player].was_reached:
                del self._known[player]
                return True
            reached = reached or player
        if reached is None:
            return False
        del self._known[reached]
        return True

    def _jittered(self, seconds: float) -> float:
        return seconds * self._chance.uniform(0.5, 1.5)
