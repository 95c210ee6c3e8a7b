"""Less than the minima is no block; more is worth more, up to a full measure."""

from __future__ import annotations

import pytest
from hypothesis import given

from consensus.ops import Why
from consensus.params import MAIN, ONE_Q16, SMALL
from consensus.quality.liveness import Liveness, count, liveness_q16, refusal
from tests.consensus.quality.material import onset, onset_lists


@pytest.mark.parametrize(
    ("counted", "why"),
    [
        (Liveness(12, 2, 4), Why.FINE),
        (Liveness(11, 2, 4), Why.TOO_FEW_EVENTS),
        (Liveness(12, 1, 4), Why.TOO_FEW_LANES),
        (Liveness(12, 2, 3), Why.TOO_SHORT),
        (Liveness(0, 0, 0), Why.TOO_FEW_EVENTS),
    ],
)
def test_each_minimum_is_exact(counted: Liveness, why: Why) -> None:
    assert refusal(SMALL, counted) is why


@given(onset_lists)
def test_counts_are_those_of_sets(played) -> None:
    events, lanes, active_s = count(played)
    assert (events, lanes) == (len(played), len({o.lane for o in played}))
    assert active_s <= min(events, 21)


def test_it_grows_to_one_and_rests_are_allowed() -> None:
    assert liveness_q16(MAIN, Liveness(120, 2, 90)) == ONE_Q16
    assert liveness_q16(MAIN, Liveness(10_000, 2, 120)) == ONE_Q16
    assert liveness_q16(MAIN, Liveness(60, 2, 90)) == 3 * ONE_Q16 // 4
    assert liveness_q16(MAIN, Liveness(120, 2, 45)) == 3 * ONE_Q16 // 4
    assert liveness_q16(MAIN, count([onset(1)])) < ONE_Q16 // 20
