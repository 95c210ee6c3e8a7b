"""Person times stake."""

from __future__ import annotations

import msgspec
import pytest

from consensus.params import MAIN, ONE_Q16
from consensus.weights import person_of, weight_of
from crdt.errors import Misuse
from crdt.types import MicroJam, PlayerId

FOUNDER, SOMEBODY = PlayerId(b"\x01" * 32), PlayerId(b"\x02" * 32)
FOUNDED = msgspec.structs.replace(MAIN, founders=(FOUNDER,))
FULL = MAIN.stake_full_micro


def test_without_founders_everybody_is_a_person() -> None:
    assert person_of(MAIN, SOMEBODY, 0, 0) == ONE_Q16


def test_founders_are_persons_whom_nobody_acknowledged_too() -> None:
    assert person_of(FOUNDED, FOUNDER, 0, 0) == ONE_Q16


@pytest.mark.parametrize(
    ("rank", "effective", "person"),
    [(0, 10**9, 0), (ONE_Q16, 0, ONE_Q16 // 2), (ONE_Q16, 8 * ONE_Q16, ONE_Q16), (1, 0, 0), (3, 8 * ONE_Q16, 3)],
)
def test_others_are_what_their_rank_and_their_acknowledgers_make_them(rank: int, effective: int, person: int) -> None:
    assert person_of(FOUNDED, SOMEBODY, rank, effective) == person


@pytest.mark.parametrize(
    ("person", "stake", "weight"),
    [
        (ONE_Q16, 0, ONE_Q16),
        (ONE_Q16, FULL, ONE_Q16 * 3 // 2),
        (ONE_Q16, 1_000 * FULL, ONE_Q16 * 3 // 2),
        (ONE_Q16, FULL // 2, ONE_Q16 * 5 // 4),
        (ONE_Q16, 1, ONE_Q16),
        (0, FULL, 0),
        (1, FULL, 1),
        (10, FULL, 15),
    ],
)
def test_a_stake_adds_half_of_a_person_at_most(person: int, stake: int, weight: int) -> None:
    assert weight_of(MAIN, person, MicroJam(stake)) == weight


@pytest.mark.parametrize(("person", "stake"), [(-1, 0), (ONE_Q16 + 1, 0), (ONE_Q16, -1)])
def test_what_nobody_can_be_or_have(person: int, stake: int) -> None:
    with pytest.raises(Misuse):
        weight_of(MAIN, person, MicroJam(stake))
