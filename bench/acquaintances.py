"""Made-up acquaintances: honest people who know a few others by chance, and rings of keys that fooled some of them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

import msgspec

from consensus.params import MAIN, ONE_Q16
from consensus.personhood import graph_of, persons_q16
from crdt.types import PlayerId

FOUNDERS = 4
Edge = tuple[int, int]


class Shape(Enum):
    """How a ring's keys vouch for one another."""

    CLIQUE = "everyone for everyone"
    STAR = "all for one"
    PATH = "each for the next"


class People(NamedTuple):
    """So many honest people, numbered from 0, with their edges and founders among them."""

    count: int
    edges: frozenset[Edge]
    founders: tuple[int, ...]
    seed: int


def honest(count: int, friends: int, seed: int) -> People:
    """People who each know so many others on average, all by chance."""
    chance = random.Random(seed)
    edges: set[Edge] = set()
    while len(edges) < count * friends // 2:
        one, other = sorted(chance.sample(range(count), 2))
        edges.add((one, other))
    return People(count, frozenset(edges), tuple(chance.sample(range(count), FOUNDERS)), seed)


def communities(count: int, friends: int, seed: int, size: int = 25) -> People:
    """People in circles of `size`, each knowing one somebody elsewhere and the others in its circle; the founders
    are of four circles, as far apart as they can be."""
    chance = random.Random(seed)
    edges: set[Edge] = set()
    for person in range(count):
        circle = [p for p in range(person // size * size, min(count, person // size * size + size)) if p != person]
        known = chance.sample(circle, min(len(circle), (friends - 1) // 2))
        elsewhere = [chance.randrange(count)] if person % 2 else []
        edges.update((min(person, p), max(person, p)) for p in known + elsewhere if p != person)
    return People(count, frozenset(edges), tuple(count * n // FOUNDERS for n in range(FOUNDERS)), seed)


def _key(number: int) -> PlayerId:
    return PlayerId(number.to_bytes(32, "big"))


def _persons(people: People, more: Iterable[Edge]) -> dict[PlayerId, int]:
    params = msgspec.structs.replace(MAIN, founders=tuple(sorted(_key(f) for f in people.founders)))
    vouches = [pair for a, b in {*people.edges, *more} for pair in ((_key(a), _key(b)), (_key(b), _key(a)))]
    return persons_q16(params, graph_of(vouches))


def _ring(keys: int, shape: Shape) -> set[Edge]:
    match shape:
        case Shape.CLIQUE:  # of many keys each with its fifty next ones: it makes no difference, and is done sooner
            return {(a, (a + n) % keys) for a in range(keys) for n in range(1, min(keys, 51)) if a != (a + n) % keys}
        case Shape.STAR:
            return {(0, a) for a in range(1, keys)}
        case Shape.PATH:
            return {(a, a + 1) for a in range(keys - 1)}


def ring_persons(people: People, edges: int, keys: int, shape: Shape) -> int:
    """What a ring weighs, Q16 persons, that has so many edges to honest people and so many keys."""
    chance = random.Random(people.seed + 1_000)
    ring = {(people.count + a, people.count + b) for a, b in _ring(keys, shape)}
    attack = {(chance.randrange(people.count), people.count + chance.randrange(keys)) for _ in range(edges)}
    persons = _persons(people, ring | attack)
    return sum(persons.get(_key(people.count + n), 0) for n in range(keys))


def honest_persons(people: People) -> list[int]:
    """What each honest person is, Q16, ascending."""
    persons = _persons(people, ())
    return sorted(persons.get(_key(n), 0) for n in range(people.count))


def mean(values: Iterable[int]) -> int:
    """Mean, rounded down."""
    held = list(values)
    return sum(held) // len(held)


def in_persons(q16: int) -> str:
    """Two decimals."""
    return f"{q16 / ONE_Q16:.2f}"
