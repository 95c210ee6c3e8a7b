"""Verifiers drawn by chance are drawn as by VRF: as often, and by weight."""

from __future__ import annotations

from random import Random

import pytest

from bench.draws import chi_square
from consensus.params import MAIN
from consensus.presence import Elector
from crdt.types import PlayerId
from sim.economy.book import Word, worded
from sim.economy.draws import Urn

DRAWS = 4_000
CHI_SQUARE_999 = {40: 73.402, 200: 267.541}  # beyond them is one of a thousand, by degrees of freedom


def key(number: int) -> PlayerId:
    return PlayerId(number.to_bytes(32, "big"))


def drawn(weights: list[int], seed: int) -> list[list[int]]:
    """How often each player was drawn first in each tranche; the last one proposes."""
    electors = {key(number): Elector(weight, key(number)) for number, weight in enumerate(weights)}
    urn, chance, counts = Urn(MAIN, electors), Random(seed), [[0, 0, 0] for _ in weights]
    proposer = key(len(weights) - 1)
    for _ in range(DRAWS):
        for one in urn.draw(chance, proposer, sum(weights[:-1])):
            counts[int.from_bytes(one.player, "big")][one.tranche] += 1
    return counts


@pytest.mark.parametrize("seed", range(3))
def test_alike_players_are_drawn_alike(seed: int) -> None:
    counts, others = drawn([65_536] * 201, seed), 200
    assert counts[-1] == [0, 0, 0]
    for tranche, size in enumerate((7, 14, 14)):
        each = [count[tranche] for count in counts[:-1]]
        assert chi_square(each, DRAWS, size / others) < CHI_SQUARE_999[others]


@pytest.mark.parametrize("seed", range(3))
def test_by_weight_and_who_is_heavy_enough_always(seed: int) -> None:
    weights = [1_000] * 20 + [4_000] * 19 + [40_000, 500]
    total = sum(weights[:-1])
    counts = drawn(weights, seed)
    for size, upto in ((7, 1), (21, 2), (35, 3)):
        found = 0.0
        for weight, count in zip(weights[:-1], counts, strict=False):
            chance, times = min(1.0, size * weight / total), sum(count[:upto])
            if chance == 1.0:
                assert times == DRAWS
            else:
                found += (times - DRAWS * chance) ** 2 / (DRAWS * chance * (1 - chance))
        assert found < CHI_SQUARE_999[40]


def test_nobody_is_drawn_where_nobody_may() -> None:
    assert Urn(MAIN, {}).draw(Random(1), key(0), 0) == []
    only = {key(0): Elector(65_536, key(0))}
    assert Urn(MAIN, only).draw(Random(1), key(0), 0) == []
    assert [one.player for one in Urn(MAIN, only).draw(Random(1), key(9), 65_536)] == [key(0)]


def test_a_word_is_what_it_says() -> None:
    proof = worded(2**64 - 1)
    assert len(proof) == 80
    assert Word().output(bytes(32), b"", proof) == b"\xff" * 8
