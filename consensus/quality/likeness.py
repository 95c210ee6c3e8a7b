"""Whether a window's timing follows that of an earlier recording, beyond the closeness of single notes.

Jitter of 10 ms on a copy leaves more than a residual of 8 ms, but the copy still rushes and drags where the original
did. So notes are paired by what they are (lane and grid step), not by how near they fall, and their deviations are
correlated. The same drummer repeating the same bars reaches 0.85 in one ten-second window of twenty, so this rule is
for long windows only (docs/quality.md): the small preset sets its threshold where nothing exceeds it. It is asked only
of a recording in which half of the notes were found: deviations so alike leave few notes beyond reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from consensus.params import ONE_Q16
from consensus.quality.align import Line
from consensus.quality.fingerprint import Lanes, by_lane
from consensus.quality.grid import Grid
from consensus.quality.timing import lag_of


def correlation_q16(
    grid: Grid, played: Sequence[tuple[int, int]], known: Lanes, line: Line, lag_us: int | None
) -> tuple[int, int]:
    """(notes of the window that the recording has on the same lane and step, correlation of the deviations of both,
    -1..1 in Q16), the recording laid along `line`. `played` is (time, lane) by time."""
    lag = lag_of(grid, [t_us for t_us, _ in played]) if lag_us is None else lag_us
    ours = _by_place(grid, by_lane(played), lag)
    theirs = _by_place(grid, {lane: list(map(line.back, times)) for lane, times in known.items()}, lag)
    places = [place for place in ours if place in theirs]
    return len(places), _pearson_q16([ours[p] for p in places], [theirs[p] for p in places])


def _by_place(grid: Grid, lanes: Lanes, lag_us: int) -> dict[tuple[int, int], int]:
    """The deviation of the first note on each (step, lane)."""
    places: dict[tuple[int, int], int] = {}
    for lane, times in lanes.items():
        for step, deviation in grid.nearest([t_us - lag_us for t_us in times]):
            places.setdefault((step, lane), deviation)
    return places


def _pearson_q16(a: Sequence[int], b: Sequence[int]) -> int:
    n = len(a)
    sum_a, sum_b = sum(a), sum(b)
    power_a = n * sum(x * x for x in a) - sum_a * sum_a
    power_b = n * sum(x * x for x in b) - sum_b * sum_b
    if power_a <= 0 or power_b <= 0:
        return 0
    together = n * sum(x * y for x, y in zip(a, b, strict=True)) - sum_a * sum_b
    return together * ONE_Q16 // isqrt(power_a * power_b)
