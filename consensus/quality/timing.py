"""Deviations of onsets from the grid, with the constant lag of their device taken out.

Deviations live on a circle: one step later is the same place. A device that lags by half a step makes a perfect
player's hits fall on both sides of the cut, as if they were scattered as widely as can be, and a machine could hide
its regularity there. So the circle is cut opposite to where most hits are (the fullest half of it), and only then is
the median taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import NamedTuple

from consensus.events import Onset
from consensus.quality.grid import MINUTE_MBPM_US, Grid


class Timed(NamedTuple):
    """An onset against the grid: its time, the step it belongs to, its lane and how late it was, after calibration."""

    t_us: int
    step: int
    lane: int
    deviation_us: int


def median(values: Sequence[int]) -> int:
    """The middle value, of two the lower: always one of the values."""
    return sorted(values)[(len(values) - 1) // 2]


def deviation_sd(values: Sequence[int]) -> int:
    """Standard deviation, rounded down; 0 for fewer than two values."""
    n = len(values)
    if n < 2:
        return 0
    total = sum(values)
    return isqrt(n * sum(v * v for v in values) - total * total) // n


def lag_us(grid: Grid, onsets: Sequence[Onset]) -> int:
    """The constant offset of onsets against the grid: their circular median, 0 up to a step."""
    return lag_of(grid, [onset.t_us for onset in onsets])


def lag_of(grid: Grid, times_us: Sequence[int]) -> int:
    """The same of times."""
    step_us, scale = grid.step_us, grid.steps_per_minute_e3
    phases = sorted(t_us * scale % MINUTE_MBPM_US // scale for t_us in times_us)
    if not phases:
        return 0
    centre = _fullest_half(phases, step_us) + step_us // 4
    half = step_us // 2
    return (centre + median([(phase - centre + half) % step_us - half for phase in phases])) % step_us


def _fullest_half(phases: list[int], step_us: int) -> int:
    """Where the half circle that holds most phases begins; of equally full ones the narrowest, then the first."""
    n, half_us = len(phases), max(1, step_us // 2)
    unrolled = phases + [phase + step_us for phase in phases]
    most, width, start, end = 0, 0, phases[0], 0
    for i, phase in enumerate(phases):
        limit, last = phase + half_us, i + n
        while end < last and unrolled[end] < limit:
            end += 1
        if end - i > most or (end - i == most and unrolled[end - 1] - phase < width):
            most, width, start = end - i, unrolled[end - 1] - phase, phase
    return start


def timed(grid: Grid, onsets: Sequence[Onset], lag: int | None = None) -> tuple[Timed, ...]:
    """Every onset against the grid, the constant lag of them all taken out, by time. The lag may be known already."""
    lag = lag_us(grid, onsets) if lag is None else lag
    ordered = sorted(onsets)
    places = grid.nearest([onset.t_us - lag for onset in ordered])
    return tuple(
        Timed(onset.t_us, step, onset.lane, deviation) for onset, (step, deviation) in zip(ordered, places, strict=True)
    )
