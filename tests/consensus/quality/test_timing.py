"""The lag of a device is found wherever on the step it falls."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.quality.timing import deviation_sd, lag_us, median, timed
from tests.consensus.quality.material import GRID, grids, onset, onset_lists


@pytest.mark.parametrize("lag", [0, 1, 30_000, 62_499, 62_500, 62_501, 124_999])
def test_a_machine_cannot_hide_behind_half_a_step(lag: int) -> None:
    played = [onset(i * 125_000 + lag + (-1) ** i) for i in range(40)]
    hits = timed(GRID, played)
    assert deviation_sd([h.deviation_us for h in hits]) <= 1
    assert max(abs(h.deviation_us) for h in hits) <= 2
    assert [b.step - a.step for a, b in pairwise(hits)] == [1] * 39


@given(grids, onset_lists)
def test_deviations_fit_on_half_a_step_and_the_order_does_not_matter(grid, played) -> None:
    hits = timed(grid, played)
    assert hits == timed(grid, played[::-1])
    assert 0 <= lag_us(grid, played) < max(1, grid.step_us)
    assert all(abs(h.deviation_us) <= grid.step_us // 2 + 1 for h in hits)
    assert all(isinstance(h.deviation_us, int) for h in hits)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=50), st.integers(-(10**9), 10**9))
def test_sd_does_not_see_a_shift(values: list[int], shift: int) -> None:
    assert deviation_sd(values) == deviation_sd([v + shift for v in values])
    assert median(values) in values


def test_sd_of_little() -> None:
    assert deviation_sd([]) == deviation_sd([5]) == 0
    assert deviation_sd([0, 10]) == 5
