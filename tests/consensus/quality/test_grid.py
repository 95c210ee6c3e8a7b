"""The grid never drifts and never leaves the integers."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.quality.grid import MINUTE_MBPM_US, Grid
from tests.consensus.quality.material import grids


@pytest.mark.parametrize(
    ("t_us", "step", "deviation_us"),
    [(0, 0, 0), (125_000, 1, 0), (130_000, 1, 5_000), (120_000, 1, -5_000), (62_499, 0, 62_499), (62_500, 1, -62_500)],
)
def test_positions_on_sixteenths_at_120(t_us: int, step: int, deviation_us: int) -> None:
    grid = Grid(120_000, 4, 4)
    assert (grid.step(t_us), grid.deviation_us(t_us)) == (step, deviation_us)


def test_no_drift_after_ten_hours_at_a_tempo_that_does_not_divide() -> None:
    grid = Grid(94_000, 4, 4)
    step = 94 * 4 * 60 * 10
    assert grid.step_at_us(step) == 36_000_000_000
    assert grid.deviation_us(36_000_000_000) == 0
    assert step * grid.step_us < 36_000_000_000 - 10_000  # what summing rounded steps would have lost


@given(grids, st.integers(-(2**40), 2**50))
def test_step_and_deviation_are_the_nearest_by_exact_fractions(grid: Grid, t_us: int) -> None:
    length = Fraction(MINUTE_MBPM_US, grid.tempo_mbpm * grid.subdivision)
    exact = t_us - grid.step(t_us) * length
    assert -length / 2 <= exact < length / 2
    assert abs(grid.deviation_us(t_us) - exact) <= Fraction(1, 2)


@given(grids, st.integers(0, 10**7))
def test_a_step_lies_on_itself(grid: Grid, step: int) -> None:
    t_us = grid.step_at_us(step)
    assert grid.step(t_us) == step
    assert abs(grid.deviation_us(t_us)) <= 1
