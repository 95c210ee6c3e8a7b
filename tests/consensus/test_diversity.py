"""Acknowledgements: their decay, their effective number, and what they make of a person."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.diversity import (
    Generation,
    decayed_q16,
    effective_q16,
    factor_q16,
    generation_of,
    last_of,
    strata,
)
from consensus.params import MAIN, ONE_Q16, SMALL
from crdt.errors import Misuse
from crdt.types import Epoch


def counts(*pairs: tuple[int, int]) -> dict[Generation, int]:
    return {Generation(then): count for then, count in pairs}


def test_a_generation_is_so_many_epochs() -> None:
    half = SMALL.ack_half_epochs
    assert [generation_of(SMALL, Epoch(e)) for e in (0, half - 1, half, 2 * half)] == [0, 0, 1, 2]


def test_the_last_epoch_of_a_generation_is_none_that_is_still_to_come() -> None:
    half = SMALL.ack_half_epochs
    for generation in range(4):
        last = last_of(SMALL, Generation(generation), Epoch(10 * half))
        assert last == (generation + 1) * half - 1
        assert generation_of(SMALL, last) == generation == generation_of(SMALL, Epoch(last + 1)) - 1
    assert last_of(SMALL, Generation(2), Epoch(2 * half + 1)) == 2 * half + 1


def test_acknowledgements_halve_with_every_generation_and_end() -> None:
    held = counts((100, 3))
    assert [decayed_q16(held, Generation(now)) for now in (100, 101, 102)] == [3 * ONE_Q16, 3 * ONE_Q16 // 2, 49_152]
    assert decayed_q16(held, Generation(116)) == 3
    assert decayed_q16(held, Generation(117)) == decayed_q16(held, Generation(10_000)) == 0


def test_what_comes_later_is_nothing_yet() -> None:
    assert decayed_q16(counts((5, 1), (6, 100)), Generation(5)) == ONE_Q16
    assert decayed_q16({}, Generation(5)) == 0


@pytest.mark.parametrize(
    ("amounts", "effective"),
    [
        ([], 0),
        ([0, 0], 0),
        ([1], ONE_Q16),
        ([10**9], ONE_Q16),
        ([5, 5, 5], 3 * ONE_Q16),
        ([5, 5, 5, 0], 3 * ONE_Q16),
        ([1_000_000, 1], 65_536),
        ([3, 1], 104_857),
    ],
)
def test_the_effective_number(amounts: list[int], effective: int) -> None:
    assert effective_q16(amounts) == effective


def test_nobody_acknowledges_less_than_not_at_all() -> None:
    with pytest.raises(Misuse):
        effective_q16([3, -1])


@given(st.lists(st.integers(0, 2**40), max_size=50))
def test_there_are_never_more_than_there_are(amounts: list[int]) -> None:
    there = sum(1 for amount in amounts if amount)
    assert (ONE_Q16 if there else 0) <= effective_q16(amounts) <= there * ONE_Q16


def test_who_is_acknowledged_by_nobody_is_half_a_person_and_by_enough_a_whole_one() -> None:
    full = MAIN.diversity_full * ONE_Q16
    assert factor_q16(MAIN, 0) == ONE_Q16 // 2
    assert factor_q16(MAIN, full // 2) == ONE_Q16 * 3 // 4
    other = msgspec.structs.replace(MAIN, diversity_least_q16=1_000, diversity_full=3)
    assert factor_q16(other, ONE_Q16) == 1_000 + 64_536 // 3 and factor_q16(other, 0) == 1_000
    assert factor_q16(MAIN, full - 1) < factor_q16(MAIN, full) == factor_q16(MAIN, 100 * full) == ONE_Q16


def test_each_stratum_takes_twice_as_many() -> None:
    whole = [strata(n * ONE_Q16) for n in range(8)]
    assert whole == [0, 1, 1, 2, 2, 2, 2, 3]
    assert strata(ONE_Q16 - 1) == 0 and strata(3 * ONE_Q16 - 1) == 1 and strata(100_000 * ONE_Q16) == 16
