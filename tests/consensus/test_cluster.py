from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.cluster import cluster_q16, likeness_q16, mean_likeness_q16
from consensus.params import MAIN, ONE_Q16
from crdt.errors import Misuse
from crdt.types import PlayerId

A, B, C, D = (PlayerId(bytes([n]) * 32) for n in (1, 2, 3, 4))
sets = st.frozensets(st.integers(0, 9).map(lambda n: PlayerId(bytes([n]) * 32)), min_size=1)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({A}, {A}, ONE_Q16),
        ({A, B, C}, {C, B, A}, ONE_Q16),
        ({A}, {B}, 0),
        ({A, B}, {B, C}, ONE_Q16 // 3),
        ({A, B, C}, {A, B, D}, ONE_Q16 // 2),
        (set(), {A}, 0),
    ],
)
def test_likeness(one: set[PlayerId], other: set[PlayerId], expected: int) -> None:
    assert likeness_q16(one, other) == likeness_q16(other, one) == expected


def test_two_blocks_without_voters_have_no_likeness() -> None:
    with pytest.raises(Misuse):
        likeness_q16(set(), set())


def test_the_mean_rounds_down_and_is_nothing_without_blocks() -> None:
    assert mean_likeness_q16({A}, []) == 0
    assert mean_likeness_q16({A, B}, [{A, B}, {C}]) == ONE_Q16 // 2
    assert mean_likeness_q16({A, B}, [{B, C}, {B, C}, {D}]) == 2 * (ONE_Q16 // 3) // 3


@pytest.mark.parametrize("likeness", [-1, ONE_Q16 + 1])
def test_a_likeness_is_a_share(likeness: int) -> None:
    with pytest.raises(Misuse):
        cluster_q16(MAIN, likeness)


def test_the_same_circle_costs_a_quarter_and_strangers_nothing() -> None:
    assert cluster_q16(MAIN, ONE_Q16) == ONE_Q16 - ONE_Q16 // 4
    assert cluster_q16(MAIN, 0) == ONE_Q16
    assert cluster_q16(MAIN, 3) == ONE_Q16 and cluster_q16(MAIN, 4) == ONE_Q16 - 1  # what it costs is rounded down
    assert cluster_q16(msgspec.structs.replace(MAIN, cluster_max_q16=0), ONE_Q16) == ONE_Q16


@given(sets, st.lists(sets, max_size=8), sets)
def test_more_of_the_same_people_is_never_worth_more(
    voters: set[PlayerId], recent: list[set[PlayerId]], other: set[PlayerId]
) -> None:
    factor = cluster_q16(MAIN, mean_likeness_q16(voters, recent))
    assert ONE_Q16 - MAIN.cluster_max_q16 <= factor <= ONE_Q16
    assert cluster_q16(MAIN, mean_likeness_q16(voters, [*recent, voters])) <= factor
    if not other & voters:
        assert cluster_q16(MAIN, mean_likeness_q16(voters, [*recent, other])) >= factor


@given(sets, st.lists(sets, max_size=8), st.randoms(use_true_random=False))
def test_order_is_nothing(voters: set[PlayerId], recent: list[set[PlayerId]], random: object) -> None:
    shuffled = list(recent)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert mean_likeness_q16(voters, shuffled) == mean_likeness_q16(voters, recent)
