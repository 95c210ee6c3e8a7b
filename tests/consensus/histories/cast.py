"""Players of the histories. Keys and VRF proofs cost half a millisecond each, so both are made once."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from consensus import vrf
from crdt.canonical import digest
from crdt.keys import Identity
from crdt.types import PlayerId

CAST_MAX = 30


class Actor:
    """A player's keys."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.identity = Identity(digest(b"test-actor", number.to_bytes(8, "big")))
        self.player: PlayerId = self.identity.player
        self.vrf_seed = self.identity.vrf_seed()
        self.vrf_key = vrf.public_key(self.vrf_seed)

    def __repr__(self) -> str:
        return f"p{self.number}"


@functools.cache
def actor(number: int) -> Actor:
    return Actor(number)


prove = functools.lru_cache(maxsize=100_000)(vrf.prove)


@contextmanager
def remembered_proofs() -> Iterator[None]:
    """A proof is verified once for all ledgers of a history: the function is pure, and costs 0.8 ms."""
    plain = vrf.verify
    vrf.verify = functools.lru_cache(maxsize=200_000)(plain)
    try:
        yield
    finally:
        vrf.verify = plain
