"""SybilRank: what it gives honest people, and what a ring gets however many keys it makes up."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.acquaintances import Shape, honest, mean, ring_persons
from consensus.params import ONE_Q16, SMALL, Params
from consensus.personhood import START_TRUST, Graph, graph_of, persons_q16, trust_of
from crdt.types import PlayerId


def key(number: int) -> PlayerId:
    return PlayerId(number.to_bytes(32, "big"))


def graph(*edges: tuple[int, int]) -> Graph:
    return graph_of([pair for a, b in edges for pair in ((key(a), key(b)), (key(b), key(a)))])


def founded(*founders: int) -> Params:
    return msgspec.structs.replace(SMALL, founders=tuple(sorted(key(f) for f in founders)))


def test_a_vouch_in_one_direction_is_no_edge() -> None:
    assert graph_of([(key(1), key(2))]) == {}
    assert graph_of([(key(1), key(1))]) == {}
    assert graph_of([(key(1), key(2)), (key(2), key(3)), (key(3), key(1))]) == {}


def test_without_founders_nobody_is_ranked() -> None:
    assert persons_q16(SMALL, graph((1, 2))) == {}


def test_founders_are_persons_whatever_they_hold_and_nobody_else_is_without_edges() -> None:
    params = founded(1, 2, 3)
    assert persons_q16(params, {}) == dict.fromkeys(params.founders, ONE_Q16)
    assert persons_q16(params, graph((7, 8))) == dict.fromkeys(params.founders, ONE_Q16)


def test_two_who_know_each_other_are_two_persons() -> None:
    assert persons_q16(founded(1), graph((1, 2))) == {key(1): ONE_Q16, key(2): ONE_Q16}


def test_a_star_does_not_swing_between_its_centre_and_its_points() -> None:
    star = graph((1, 2), (1, 3), (1, 4), (1, 5))
    for rounds in (7, 8):
        persons = persons_q16(msgspec.structs.replace(founded(1), rank_rounds=rounds), star)
        assert len(persons) == 5 and all(ONE_Q16 // 4 < persons[key(n)] < ONE_Q16 for n in (2, 3, 4, 5))


def test_the_lower_of_two_median_founders_is_the_reference() -> None:
    edges = graph((1, 2), (2, 9), (9, 8), (8, 7))
    trust = trust_of(edges, [key(1), key(2)], SMALL.rank_rounds)
    persons = persons_q16(founded(1, 2), edges)
    assert persons[key(7)] == trust[key(7)] * ONE_Q16 // min(trust[key(1)], trust[key(2)])


def test_trust_step_by_step() -> None:
    """Everybody keeps one share like each friend's, and what division leaves over."""
    star, line = graph((1, 2), (1, 3)), graph((1, 2), (2, 3))
    third = 2**32 // 3
    assert trust_of(star, [key(1)], 0) == {key(1): 2**32}
    assert trust_of(star, [key(1)], 1) == {key(1): third + 1, key(2): third, key(3): third}
    assert trust_of(line, [key(1)], 1) == {key(1): 2**31, key(2): 2**31}
    third = 2**31 // 3
    assert trust_of(line, [key(1)], 2) == {key(1): 2**30 + third, key(2): 2**30 + third + 2, key(3): third}
    assert trust_of(line, [key(9)], 5) == {key(9): 2**32}


@pytest.mark.parametrize(("founders", "median"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2)])
def test_of_several_founders_the_median_one_is_the_reference(founders: int, median: int) -> None:
    """Founder n has n friends that nobody else knows: the more, the less it keeps, and a friend gets as much."""
    params = msgspec.structs.replace(founded(*range(1, founders + 1)), rank_rounds=1)
    persons = persons_q16(params, graph(*((n, 10 * n + k) for n in range(1, founders + 1) for k in range(n))))
    share = [START_TRUST // (n + 1) for n in range(1, founders + 1)]
    kept = sorted(START_TRUST - n * share[n - 1] for n in range(1, founders + 1))
    for n in range(1, founders + 1):
        assert persons[key(n)] == ONE_Q16
        assert persons[key(10 * n)] == min(ONE_Q16, share[n - 1] * ONE_Q16 // kept[median])


def test_who_is_further_away_than_there_are_rounds_is_nobody_yet() -> None:
    path = graph(*((n, n + 1) for n in range(1, 12)))
    persons = persons_q16(founded(1), path)
    assert set(persons) == {key(n) for n in range(1, SMALL.rank_rounds + 2)}


@given(st.sets(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=60), st.sets(st.integers(1, 9), min_size=1))
def test_trust_is_neither_made_nor_lost_and_persons_have_bounds(
    vouches: set[tuple[int, int]], founders: set[int]
) -> None:
    known, params = graph_of((key(a), key(b)) for a, b in vouches), founded(*founders)
    trust = trust_of(known, params.founders, params.rank_rounds)
    assert sum(trust.values()) == START_TRUST * len(founders) and min(trust.values()) >= 0
    persons = persons_q16(params, known)
    assert all(0 < person <= ONE_Q16 for person in persons.values()) and list(persons) == sorted(persons)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=40), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_order_of_vouches_does_not_matter(vouches: list[tuple[int, int]], chance: random.Random) -> None:
    shuffled = list(vouches)
    chance.shuffle(shuffled)
    one = persons_q16(founded(1, 2), graph_of((key(a), key(b)) for a, b in vouches))
    assert one == persons_q16(founded(2, 1), graph_of((key(a), key(b)) for a, b in shuffled))


def test_a_ring_without_an_attack_edge_is_nobody() -> None:
    assert ring_persons(honest(100, 8, seed=0), edges=0, keys=100, shape=Shape.CLIQUE) == 0


@pytest.mark.parametrize("shape", Shape)
def test_a_ring_gains_nothing_by_more_keys(shape: Shape) -> None:
    few = mean(ring_persons(honest(100, 8, seed), 3, 30, shape) for seed in range(8))
    many = mean(ring_persons(honest(100, 8, seed), 3, 1_000, shape) for seed in range(8))
    assert many <= few * 115 // 100  # chance decides who is fooled; of the ring only its edges matter


def test_a_ring_weighs_in_proportion_to_the_people_it_fooled() -> None:
    one, ten = (
        mean(ring_persons(honest(100, 8, seed), edges, 100, Shape.CLIQUE) for seed in range(12)) for edges in (1, 10)
    )
    assert 6 * one <= ten <= 14 * one
    assert one < ONE_Q16 and ten < 10 * ONE_Q16
