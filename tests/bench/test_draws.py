"""The draw is fair, over ten thousand selections by the real outputs of fixed keys (`make fairness`: 100,000)."""

from __future__ import annotations

import pytest

from bench.draws import CHI_SQUARE_99, chi_square, outputs, seed_of, tranches
from consensus.params import MAIN, network_id
from consensus.selection import draw, input_of
from crdt.canonical import digest
from crdt.types import PlayerId, Window

PLAYERS, SLOTS = 60, 290


@pytest.fixture(scope="module")
def drawn() -> list[list[bytes]]:
    return outputs(MAIN, PLAYERS, SLOTS)


def selected(drawn: list[list[bytes]], weights: list[int], most: int) -> list[int]:
    """How often each player was drawn into a tranche up to `most`."""
    counts = [0] * PLAYERS
    for slot in drawn:
        for player, tranche in enumerate(tranches(MAIN, slot, weights)):
            counts[player] += tranche is not None and tranche <= most
    return counts


def test_ten_thousand_selections_do_not_speak_against_a_fair_draw(drawn: list[list[bytes]]) -> None:
    for most, size in enumerate(MAIN.tranche_sizes):
        counts = selected(drawn, [1] * PLAYERS, most)
        assert chi_square(counts, SLOTS, size / PLAYERS) < CHI_SQUARE_99[PLAYERS]
        expected = SLOTS * size
        assert abs(sum(counts) - expected) < 4 * (expected * (1 - size / PLAYERS)) ** 0.5
    assert sum(counts) > 10_000


def test_outputs_are_even_in_their_first_bits(drawn: list[list[bytes]]) -> None:
    cells = [0] * 61  # the first byte modulo a prime would not be even: the first two bytes nearly are
    for slot in drawn:
        for output in slot:
            cells[int.from_bytes(output[:2], "big") * 61 >> 16] += 1
    expected = PLAYERS * SLOTS / 61
    assert sum((count - expected) ** 2 / expected for count in cells) < CHI_SQUARE_99[60]


def test_an_unfair_draw_is_noticed(drawn: list[list[bytes]]) -> None:
    """The same test, when one player in ten is drawn half as often again."""
    weights = [3 if player % 10 == 0 else 2 for player in range(PLAYERS)]
    counts = selected(drawn, weights, 0)
    assert chi_square(counts, SLOTS, sum(counts) / SLOTS / PLAYERS) > CHI_SQUARE_99[PLAYERS]


def test_weights_are_respected(drawn: list[list[bytes]]) -> None:
    """Players of twice the weight are drawn twice as often."""
    weights = [2 if player % 6 == 0 else 1 for player in range(PLAYERS)]
    counts = selected(drawn, weights, 0)
    for weight in (1, 2):
        mine = [count for count, w in zip(counts, weights, strict=True) if w == weight]
        chance = MAIN.tranche_sizes[0] * weight / sum(weights)
        expected = len(mine) * SLOTS * chance
        assert abs(sum(mine) - expected) < 3 * (expected * (1 - chance)) ** 0.5
        assert expected > 500


def test_these_outputs_are_those_that_a_node_draws_with(drawn: list[list[bytes]]) -> None:
    network, proposer = network_id(MAIN), PlayerId(digest(b"bench-draws", b"proposer"))
    for slot in range(3):
        alpha = input_of(MAIN, network, proposer, Window(slot))
        found = [draw(MAIN, seed_of(player), alpha, 1, PLAYERS) for player in range(PLAYERS)]
        assert [None if d is None else d.tranche for d in found] == tranches(MAIN, drawn[slot], [1] * PLAYERS)
