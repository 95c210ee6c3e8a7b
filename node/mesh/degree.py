"""Whom to be linked with directly, when there are more players than links: a value without I/O, clock or chance.

Up to LINKS_MIN other players everybody is linked with everybody. Beyond that each node wants, in this order:

1. its neighbours on a ring of all players by hash. Whatever else goes, the ring holds the mesh together;
2. whoever plays in the same jam, its creator first: their notes should take no detour;
3. its OLDEST_MAX oldest links: whoever makes up keys until their hashes please it, pushes out no more than the rest;
4. those with the smallest hash of the pair, until it has LINKS_MIN links. The hash is the same for both ends, so what
   one end likes the other likes as well, no circle of ever better partners exists, and choosing comes to rest. What
   comes out is a random graph: its diameter grows with the logarithm of the number of players.

A node takes more links than it wants, up to LINKS_MAX, before it asks the least wanted to leave, so that newcomers are
not turned away and nobody's link has to go for each of them. Whoever was asked to leave stays away for a while.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from heapq import nsmallest
from typing import Final, NamedTuple

from crdt.limits import KNOWN_PEERS_MAX, LINKS_MAX, LINKS_MIN
from crdt.types import PlayerId

RING_EACH_WAY: Final = 1
OLDEST_MAX: Final = 4


class Bond(IntEnum):
    """Why a link is wanted; the lower, the more."""

    RING = 0
    CREATOR = 1
    JAM = 2
    OLD = 3
    CHANCE = 4


class Kin(NamedTuple):
    """Who is in the same jam, as far as this node knows."""

    creator: PlayerId | None = None
    players: frozenset[PlayerId] = frozenset()


class Plan(NamedTuple):
    """What to do about one's links."""

    dial: frozenset[PlayerId]  # to be linked with, and not linked yet
    part: tuple[PlayerId, ...]  # linked, and one too many: the least wanted first


class Degree:
    """One node's choice. `least` and `most` are how many links it wants at least and has at most."""

    def __init__(self, me: PlayerId, least: int = LINKS_MIN, most: int = LINKS_MAX) -> None:
        self._me = me
        self.least = least
        self._most = most
        self._affinities: dict[PlayerId, bytes] = {}

    def plan(
        self,
        linked: Sequence[PlayerId],
        reachable: Iterable[PlayerId],
        kin: Kin = Kin(),  # noqa: B008 - an immutable value
        away: Collection[PlayerId] = (),
        just_away: Collection[PlayerId] = (),
    ) -> Plan:
        """Whom to dial and whom to part with.

        `linked`: in the order in which they joined. `reachable`: who is there, as far as is known. `away`: who asked
        us, or was asked by us, to stay away for a while, and `just_away` those of them who did so a moment ago.
        Neighbours on the ring and the jam's creator are dialled again after that moment: two nodes may differ over who
        stands between them until both know everybody.
        """
        everybody = {*reachable, *linked} - {self._me}
        ring = self._neighbours(everybody)

        oldest = frozenset(linked[:OLDEST_MAX])

        def turn(player: PlayerId) -> tuple[Bond, bytes]:
            return self._bond(player, ring, kin, oldest), self._affinity(player)

        missing = everybody.difference(linked)
        welcome = missing.difference(away)
        near = self._most - 2 * RING_EACH_WAY  # the ring always finds room beside a jam, however large
        mates = sorted(everybody & kin.players, key=turn)[:near]
        room = max(0, self.least - len(linked))
        dial = (missing & (ring | {kin.creator})).difference(just_away)
        dial.update(welcome.intersection(mates), nsmallest(room, welcome, key=turn) if room else ())
        surplus = len(linked) - self._most
        part = sorted(linked, key=turn, reverse=True)[:surplus] if surplus > 0 else ()
        return Plan(frozenset(dial), tuple(part))

    def _bond(self, player: PlayerId, ring: frozenset[PlayerId], kin: Kin, oldest: frozenset[PlayerId]) -> Bond:
        if player in ring:
            return Bond.RING
        if player == kin.creator:
            return Bond.CREATOR
        if player in kin.players:
            return Bond.JAM
        return Bond.OLD if player in oldest else Bond.CHANCE

    def _affinity(self, player: PlayerId) -> bytes:
        known = self._affinities.get(player)
        if known is None:
            if len(self._affinities) >= 2 * KNOWN_PEERS_MAX:
                self._affinities.clear()
            known = self._affinities[player] = affinity(self._me, player)
        return known

    def _neighbours(self, everybody: Collection[PlayerId]) -> frozenset[PlayerId]:
        around = sorted(place(player) for player in everybody)
        if len(around) <= 2 * RING_EACH_WAY:
            return frozenset(everybody)
        here = bisect_left(around, place(self._me))
        near = {around[(here + step) % len(around)][1] for step in range(-RING_EACH_WAY, RING_EACH_WAY)}
        return frozenset(near)


@lru_cache(maxsize=4_096)
def place(player: PlayerId) -> tuple[bytes, PlayerId]:
    """A player's place on the ring: by hash, since anybody can choose a key that begins as another one does."""
    return hashlib.blake2b(player, digest_size=16, person=b"symjam-ring").digest(), player


def affinity(one: PlayerId, other: PlayerId) -> bytes:
    """How much two players like to be linked, the same from both sides; smaller is more."""
    return hashlib.blake2b(b"".join(sorted((one, other))), digest_size=16, person=b"symjam-pair").digest()
