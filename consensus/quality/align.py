"""Aligning a window with a take, note by note, along a straight line of time (used by replay.py).

The line begins where votes put it, good to some ten milliseconds near one place. Each round pairs notes within reach
of the line and lays it anew through the pairs by least squares; rounds reach further along the window and less far
off the line, so that a small error of slope is found before it matters. A round looks at SAMPLE notes at most, spread
evenly over what it reaches: a line needs no more. What is found in the end is counted over all notes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from consensus.quality.fingerprint import Lanes, between
from consensus.quality.timing import deviation_sd

PAIR_US: Final = 25_000  # notes further apart than this are not the same note
LEAST_PAIRS: Final = 6
LEAST_SHARE: Final = 4  # where not one note in so many is found on the way, nothing is alike
SAMPLE: Final = 100
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
SLOPE_BITS: Final = 32


class Line(NamedTuple):
    """known time = place_us + (played time - middle_us) * slope, the slope a Q32 number."""

    middle_us: int
    place_us: int
    slope_q32: int

    def of(self, t_us: int) -> int:
        """The time in the take that answers to a time in the window."""
        return self.place_us + ((t_us - self.middle_us) * self.slope_q32 >> SLOPE_BITS)

    def back(self, known_us: int) -> int:
        """The time in the window that answers to a time in the take."""
        return self.middle_us + ((known_us - self.place_us) << SLOPE_BITS) // self.slope_q32


class Pairing(NamedTuple):
    """How many notes were looked at and how many were found, along which line, and how far off it they are."""

    line: Line
    notes: int
    hits: int
    residual_us: int  # standard deviation


class _Pairs(NamedTuple):
    """Times in the window and in the take of the same notes, and among how many they were found."""

    played: list[int]
    known: list[int]
    notes: int


def settle(played: Lanes, known: Lanes, line: Line) -> Pairing | None:
    """Lay the line through all of a window, looking at a sample of it. None when it runs into nothing."""
    ends = [end for times in played.values() for end in (times[0], times[-1])]
    span = max(abs(end - line.middle_us) for end in ends)
    found: Pairing | None = None
    for radius, reach in ROUNDS:
        pairs = _pairs(_sample(played, line.middle_us - radius, line.middle_us + radius), known, line, reach)
        found = _fitted(line, pairs)
        if found is None or LEAST_SHARE * found.hits < found.notes:
            return None
        if radius >= span:
            return found
        line = found.line
    return found


def count(played: Lanes, known: Lanes, line: Line) -> Pairing | None:
    """Pair all notes along a line, and lay it through them once more."""
    return _fitted(line, _pairs(played, known, line, PAIR_US))


def _sample(lanes: Lanes, start_us: int, end_us: int) -> Lanes:
    inside = between(lanes, start_us, end_us)
    every = max(1, sum(map(len, inside.values())) // SAMPLE)
    return inside if every == 1 else {lane: times[::every] for lane, times in inside.items()}


def _pairs(played: Lanes, known: Lanes, line: Line, reach_us: int) -> _Pairs:
    """Each note with the nearest one of its lane along the line, if near enough and not taken by an earlier note."""
    middle, place, slope = line
    ours: list[int] = []
    theirs: list[int] = []
    for lane, times in played.items():
        others = known.get(lane)
        if not others:
            continue
        last, taken = len(others) - 1, -1
        for t_us in times:
            target = place + ((t_us - middle) * slope >> SLOPE_BITS)
            at = bisect_left(others, target)
            if at > last or (at and target - others[at - 1] <= others[at] - target):
                at -= 1
            if at == taken:
                at += 1  # what an earlier note has is not found twice
                if at > last:
                    break
            found = others[at]
            if -reach_us <= found - target <= reach_us:
                taken = at
                ours.append(t_us)
                theirs.append(found)
    return _Pairs(ours, theirs, sum(map(len, played.values())))


def _fitted(line: Line, pairs: _Pairs) -> Pairing | None:
    """Least squares through pairs; None when there are too few, or the slope is absurd."""
    n = len(pairs.played)
    if n < LEAST_PAIRS:
        return None
    x = [t_us - line.middle_us for t_us in pairs.played]
    y = [known_us - line.place_us for known_us in pairs.known]
    sum_x, sum_y = sum(x), sum(y)
    spread = n * sum(a * a for a in x) - sum_x * sum_x
    rise = n * sum(a * b for a, b in zip(x, y, strict=True)) - sum_x * sum_y
    if spread <= 0 or not spread < STEEPEST * rise < STEEPEST * STEEPEST * spread:
        return None
    slope = (rise << SLOPE_BITS) // spread
    offset = (sum_y - (sum_x * slope >> SLOPE_BITS)) // n
    laid = Line(line.middle_us, line.place_us + offset, slope)
    return Pairing(laid, pairs.notes, n, deviation_sd(_off(x, y, slope)))


def _off(x: Sequence[int], y: Sequence[int], slope_q32: int) -> list[int]:
    """How far each pair is off the line's slope."""
    return [b - (a * slope_q32 >> SLOPE_BITS) for a, b in zip(x, y, strict=True)]
