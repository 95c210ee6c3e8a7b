"""What witnesses are worth, and how a concert is paid."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.concerts import (
    FAMILIARITY_Q16,
    Seen,
    budget_of,
    familiarity_q16,
    origin_of,
    payments,
    points_of,
)
from consensus.params import MAIN, ONE_Q16
from crdt.errors import Misuse
from crdt.types import Epoch, PlayerId

ONE, OTHER = PlayerId(b"\x01" * 32), PlayerId(b"\x02" * 32)
POINTS = MAIN.witness_micro


def seen(performer: PlayerId = ONE, weight: int = ONE_Q16, times: int = 0, is_remote: bool = False) -> Seen:
    return Seen(performer, weight, times, is_remote)


def test_the_table_is_the_exponential() -> None:
    assert [math.floor(65_536 * math.exp(-k / 3)) for k in range(17)] == list(FAMILIARITY_Q16)
    assert familiarity_q16(16) == 316 and familiarity_q16(17) == familiarity_q16(10**6) == 0
    with pytest.raises(Misuse):
        familiarity_q16(-1)


@pytest.mark.parametrize(
    ("witness", "points"),
    [
        (seen(), POINTS),
        (seen(weight=0), 0),
        (seen(weight=ONE_Q16 * 3 // 2), POINTS * 3 // 2),
        (seen(times=1), 71_652),
        (seen(times=17), 0),
        (seen(is_remote=True), POINTS // 4),
        (seen(times=1, is_remote=True), 17_913),
        (seen(weight=1, times=16), 0),
    ],
)
def test_points(witness: Seen, points: int) -> None:
    assert points_of(MAIN, witness) == points


def test_nobody_is_paid_for_nobody() -> None:
    assert payments(MAIN, []) == {}
    assert payments(MAIN, [seen(weight=0), seen(OTHER, times=50)]) == {}


def test_witnesses_of_one_performer_add_up() -> None:
    assert payments(MAIN, [seen(OTHER), seen(), seen(times=1)]) == {ONE: POINTS + 71_652, OTHER: POINTS}


def test_beyond_the_budget_each_gets_its_share() -> None:
    crowd = [seen(ONE)] * 3_000 + [seen(OTHER)] * 1_000
    paid = payments(MAIN, crowd)
    assert paid == {ONE: budget_of(MAIN) * 3 // 4, OTHER: budget_of(MAIN) // 4}
    assert sum(paid.values()) <= MAIN.epoch_budget_micro // 10


@given(
    st.lists(
        st.builds(Seen, st.sampled_from([ONE, OTHER]), st.integers(0, 98_304), st.integers(0, 20), st.booleans()),
        max_size=30,
    ),
)
def test_never_beyond_the_budget_nor_by_order(crowd: list[Seen]) -> None:
    many = crowd * 50
    assert sum(payments(MAIN, many).values()) <= budget_of(MAIN)
    assert payments(MAIN, many) == payments(MAIN, many[::-1])


def test_origins_differ_by_epoch_and_performer() -> None:
    origins = {origin_of(Epoch(e), p) for e in (1, 2) for p in (ONE, OTHER)}
    assert len(origins) == 4
