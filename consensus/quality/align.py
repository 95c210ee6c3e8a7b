"""Aligning a window with a take, note by note, along a straight line of time (used by replay.py).

The line begins where votes put it, good to some ten milliseconds near one place. Each round pairs notes within reach
of the line and lays it anew through the pairs by least squares; rounds reach further along the window and less far
off the line, so that a small error of slope is found before it matters.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from consensus.events import Onset
from consensus.quality.timing import deviation_sd

PAIR_US: Final = 25_000  # notes further apart than this are not the same note
LEAST_PAIRS: Final = 6
# (how far from the middle along the window, how far off the line) in microseconds
ROUNDS: Final = (
    (5_000_000, 60_000),
    (10_000_000, 40_000),
    (20_000_000, 40_000),
    (40_000_000, 30_000),
    (80_000_000, 30_000),
    (160_000_000, PAIR_US),
)
STEEPEST: Final = 2  # no line is steeper than this, nor flatter than its inverse


class Line(NamedTuple):
    """known time = place_us + (played time - middle_us) * known_us / played_us."""

    middle_us: int
    place_us: int
    known_us: int
    played_us: int

    def of(self, t_us: int) -> int:
        """The time in the take that answers to a time in the window."""
        return self.place_us + (t_us - self.middle_us) * self.known_us // self.played_us

    def back(self, known_us: int) -> int:
        """The time in the window that answers to a time in the take."""
        return self.middle_us + (known_us - self.place_us) * self.played_us // self.known_us


class Pairing(NamedTuple):
    """The notes found, along which line, and how far off it they are (standard deviation)."""

    line: Line
    hits: int
    residual_us: int


Pair = tuple[int, int]  # time in the window, time in the take


def refine(played: Sequence[Onset], known: Sequence[Onset], line: Line) -> Pairing | None:
    """Lay the line through the notes of a window and a take (both by time). None when it runs into nothing."""
    lanes: dict[int, list[int]] = {}
    for onset in known:
        lanes.setdefault(onset.lane, []).append(onset.t_us)
    span = max(abs(played[0].t_us - line.middle_us), abs(played[-1].t_us - line.middle_us))
    for radius, reach in ROUNDS:
        near = [onset for onset in played if abs(onset.t_us - line.middle_us) <= radius]
        fitted = _fit(line, _pairs(near, lanes, line, reach))
        if fitted is None:
            return None
        line = fitted
        if radius >= span:
            break
    pairs = _pairs(played, lanes, line, PAIR_US)
    line = _fit(line, pairs) or line
    pairs = _pairs(played, lanes, line, PAIR_US)
    return Pairing(line, len(pairs), deviation_sd([known_us - line.of(t_us) for t_us, known_us in pairs]))


def _pairs(played: Sequence[Onset], lanes: dict[int, list[int]], line: Line, reach_us: int) -> list[Pair]:
    """Each note with the nearest one of its lane along the line, if near enough and not taken by an earlier note."""
    taken: set[tuple[int, int]] = set()
    pairs: list[Pair] = []
    for onset in played:
        times = lanes.get(onset.lane, [])
        target = line.of(onset.t_us)
        after = bisect_left(times, target)
        around = [i for i in (after - 1, after) if 0 <= i < len(times) and (onset.lane, i) not in taken]
        if not around:
            continue
        nearest = min(around, key=lambda i: abs(times[i] - target))
        if abs(times[nearest] - target) <= reach_us:
            taken.add((onset.lane, nearest))
            pairs.append((onset.t_us, times[nearest]))
    return pairs


def _fit(line: Line, pairs: list[Pair]) -> Line | None:
    """Least squares through pairs; None when there are too few, or the slope is absurd."""
    n = len(pairs)
    if n < LEAST_PAIRS:
        return None
    x = [t_us - line.middle_us for t_us, _ in pairs]
    y = [known_us - line.place_us for _, known_us in pairs]
    sum_x, sum_y = sum(x), sum(y)
    spread = n * sum(a * a for a in x) - sum_x * sum_x
    rise = n * sum(a * b for a, b in zip(x, y, strict=True)) - sum_x * sum_y
    if spread <= 0 or not spread < STEEPEST * rise < STEEPEST * STEEPEST * spread:
        return None
    offset = (sum_y * spread - rise * sum_x) // (n * spread)
    return Line(line.middle_us, line.place_us + offset, rise, spread)
