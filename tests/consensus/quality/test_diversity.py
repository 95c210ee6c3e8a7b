"""The effective number of lanes, against its definition."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given

from consensus.params import ONE_Q16
from consensus.quality.diversity import diversity_q16, effective_lanes_q16
from tests.consensus.quality.material import onset, onset_lists


@pytest.mark.parametrize(
    ("lanes", "effective", "score"),
    [
        ("", 0, 0),
        ("0000", 1, 0),
        ("0101", 2, 0.5),
        ("012", 3, 1),
        ("0123456789", 10, 1),
        ("0001", 1.6, 0.3),
    ],
)
def test_known_values(lanes: str, effective: float, score: float) -> None:
    played = [onset(i, int(lane)) for i, lane in enumerate(lanes)]
    assert effective_lanes_q16(played) == int(effective * ONE_Q16)
    assert diversity_q16(effective_lanes_q16(played)) == pytest.approx(score * ONE_Q16, abs=1)


@given(onset_lists)
def test_it_is_the_inverse_simpson_index(played) -> None:
    lanes = {o.lane for o in played}
    shares = [Fraction(sum(o.lane == lane for o in played), len(played)) for lane in lanes]
    exact = 1 / sum(p * p for p in shares) if shares else Fraction(0)
    assert effective_lanes_q16(played) == exact * ONE_Q16 // 1
    assert effective_lanes_q16(played) <= len(lanes) * ONE_Q16


def test_a_token_hit_hardly_counts() -> None:
    played = [onset(i, i % 2) for i in range(100)]
    token = effective_lanes_q16([*played, onset(100, 5)])
    assert diversity_q16(token) < diversity_q16(effective_lanes_q16(played)) * 1.05
