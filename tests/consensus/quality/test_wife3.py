"""The table is wife3 at J4, chance is its exact mean, and accuracy does what it says."""

from __future__ import annotations

import struct
from math import erf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.params import MAIN, ONE_Q16
from consensus.quality.grid import Grid
from consensus.quality.timing import timed
from consensus.quality.wife3 import TABLE_Q16, accuracy_q16, chance_q16, worth_q16
from tests.consensus.quality.material import BAR_US, GRID, grids, moved, onset, onset_lists


def etterna_points(error_ms: float) -> float:
    """The curve as its source has it, 2 to -5.5 points."""
    if error_ms <= 5:
        return 2
    if error_ms <= 65:
        return 2 * erf((65 - error_ms) / 22.7)
    return max(-5.5, -5.5 * (error_ms - 65) / 115)


def test_the_table_is_the_curve() -> None:
    assert len(TABLE_Q16) == 181
    assert list(TABLE_Q16) == [round(etterna_points(ms) / 2 * ONE_Q16) for ms in range(181)]


@pytest.mark.parametrize(("ms", "float32"), [(12, "3fffc10f"), (30, "3ff8850b"), (80, "bf37a6f5")])
def test_vectors(ms: int, float32: str) -> None:
    (points,) = struct.unpack(">f", bytes.fromhex(float32))
    assert worth_q16(ms * 1_000) == worth_q16(-ms * 1_000) == pytest.approx(points / 2 * ONE_Q16, abs=1)


@given(st.integers(-400_000, 400_000))
def test_interpolation_stays_on_the_curve(error_us: int) -> None:
    worth = worth_q16(error_us)
    assert isinstance(worth, int)
    assert worth == pytest.approx(etterna_points(abs(error_us) / 1_000) / 2 * ONE_Q16, abs=0.002 * ONE_Q16)


@pytest.mark.parametrize("grid", [Grid(120_000, 4, 4), Grid(94_000, 4, 3), Grid(400_000, 4, 12), Grid(20_000, 4, 1)])
def test_chance_is_the_mean_over_a_step(grid: Grid) -> None:
    step = grid.step_us
    points = [worth_q16((2 * i + 1) * step // 20_000 - step // 2) for i in range(10_000)]
    assert chance_q16(grid) == pytest.approx(sum(points) / len(points), abs=20)


@given(grids)
def test_chance_leaves_room_for_skill(grid: Grid) -> None:
    assert -2.75 * ONE_Q16 <= chance_q16(grid) <= ONE_Q16
    assert 0 <= accuracy_q16(MAIN, grid, [0]) <= MAIN.accuracy_cap_q16


def test_mashing_is_worth_nothing_and_perfection_no_more_than_the_cap() -> None:
    chance = Random(3)
    mashed = [onset(chance.randrange(120_000_000)) for _ in range(4_000)]
    assert accuracy_q16(MAIN, GRID, [h.deviation_us for h in timed(GRID, mashed)]) < ONE_Q16 // 20
    assert accuracy_q16(MAIN, GRID, [0] * 40) == MAIN.accuracy_cap_q16
    assert accuracy_q16(MAIN, GRID, []) == 0


@given(st.lists(st.integers(-31_000, 31_000), min_size=1, max_size=50), st.integers(0, 124_999))
def test_a_constant_lag_costs_nothing(deviations: list[int], lag: int) -> None:
    played = [onset(1_000_000 + 125_000 * i + d) for i, d in enumerate(deviations)]
    late = moved(played, lambda t: t + lag)
    assert accuracy_q16(MAIN, GRID, [h.deviation_us for h in timed(GRID, played)]) == accuracy_q16(
        MAIN, GRID, [h.deviation_us for h in timed(GRID, late)]
    )


@given(onset_lists, st.integers(1, 500))
def test_whole_bars_later_is_the_same(played: list, bars: int) -> None:
    later = moved(played, lambda t: t + bars * BAR_US)
    assert [h.deviation_us for h in timed(GRID, played)] == [h.deviation_us for h in timed(GRID, later)]
