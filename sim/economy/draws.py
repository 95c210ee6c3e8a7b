"""Who is drawn to verify, from the distribution of the rules, without a VRF for each player (SPEC 6).

By the rules each player is drawn by a number of its own, evenly distributed below 2^64, in the first tranche whose
threshold is above it; thresholds grow with weights. Among ten thousand players some thirty-five are drawn. So nobody's
number is looked at who surely is not: those who have one below the heaviest player's last threshold are found by leaps
of the geometric law, each is then given a number below it, and `tranche_of` decides, as it does about real outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log, log1p
from random import Random
from typing import NamedTuple, Protocol

from consensus.params import Params
from consensus.presence import Elector
from consensus.proofs import Proofs
from consensus.selection import tranche_of
from crdt.canonical import digest
from crdt.types import PlayerId, Window
from sim.economy.book import OUTPUT_BYTES, Word, worded

_RANGE = 2**64


class Drawn(NamedTuple):
    """Somebody who may vote on a block, and the proof to show."""

    player: PlayerId
    tranche: int
    proof: bytes


class Draws(Protocol):
    """How verifiers are drawn, and what their proofs are held to be."""

    proofs: Proofs | None  # None: they are real, and looked at as a node does

    def identity(self, number: int) -> tuple[PlayerId, bytes]:
        """Who a player is, and the key that it draws with."""

    def draw(self, electors: Mapping[PlayerId, Elector], proposer: PlayerId, window: Window, total: int) -> list[Drawn]:
        """Those drawn for a block, by tranche. `total` is the weight of all but the proposer."""


class Chances:
    """The same distribution, by chance."""

    def __init__(self, params: Params, seed: int) -> None:
        self.proofs: Proofs | None = Word()
        self._params, self._seed, self._chance = params, seed, Random(f"{seed}/draws")
        self._urn = Urn(params, {})
        self._drawn_from: Mapping[PlayerId, Elector] = {}

    def identity(self, number: int) -> tuple[PlayerId, bytes]:
        """See Draws. Nobody looks at the key."""
        player = PlayerId(digest(b"sim-player", self._seed.to_bytes(8, "big"), number.to_bytes(8, "big")))
        return player, player

    def draw(self, electors: Mapping[PlayerId, Elector], proposer: PlayerId, window: Window, total: int) -> list[Drawn]:
        """See Draws."""
        if electors is not self._drawn_from:
            self._urn, self._drawn_from = Urn(self._params, electors), electors
        return self._urn.draw(self._chance, proposer, total)


class Urn:
    """Those who may verify in an epoch, or in a window."""

    def __init__(self, params: Params, electors: Mapping[PlayerId, Elector]) -> None:
        self._params = params
        self._players = [(player, elector.weight) for player, elector in electors.items()]
        self._heaviest = max((weight for _, weight in self._players), default=0)

    def draw(self, chance: Random, proposer: PlayerId, total: int) -> list[Drawn]:
        """Those drawn for a block, by tranche, then by luck."""
        if not total:
            return []
        limit = min(_RANGE, _RANGE * self._params.tranche_sizes[-1] * self._heaviest // total)
        drawn = []
        for at in self._leaps(chance, limit / _RANGE):
            player, weight = self._players[at]
            if player == proposer:
                continue
            output = chance.randrange(limit)
            tranche = tranche_of(self._params, output.to_bytes(OUTPUT_BYTES, "big"), weight, total)
            if tranche is not None:
                drawn.append(Drawn(player, tranche, worded(output)))
        # The high half of an output tells of the weight: who weighs little is drawn by low ones only.
        return sorted(drawn, key=lambda one: (one.tranche, one.proof[OUTPUT_BYTES // 2 : OUTPUT_BYTES]))

    def _leaps(self, chance: Random, share: float) -> Iterator[int]:
        """Places of players, each with the same chance and independently."""
        if share >= 1:
            yield from range(len(self._players))
            return
        at, step = -1, log1p(-share)
        while True:
            at += 1 + int(log(1.0 - chance.random()) / step)
            if at >= len(self._players):
                return
            yield at
