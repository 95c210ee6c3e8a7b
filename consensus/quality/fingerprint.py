"""Fingerprints of playing that neither a shift in time nor a change of tempo moves (used by replay.py).

Every run of four successive notes on one lane has one: the lane and the ratios of its gaps. Notes of one lane keep
their order under jitter, which those of a chord do not. A ratio is told in 48ths, 16 ms for eighths at 120 beats per
minute: a few times the jitter that must not change it, and less than people differ from bar to bar.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

CELLS: Final = 48  # how finely a ratio of gaps is told

Lanes = dict[int, list[int]]  # times of notes by lane, ascending


class Run(NamedTuple):
    """Four notes of one lane: their fingerprint, the first one's time, and from there to the last."""

    fingerprint: int
    t_us: int
    length_us: int


def runs(lanes: Lanes) -> list[Run]:
    """The runs of a recording, lane by lane. Fewer than one for each note."""
    found: list[Run] = []
    for lane in sorted(lanes):
        times = lanes[lane]
        for start, second, third, end in zip(times, times[1:], times[2:], times[3:], strict=False):
            length = end - start
            if length > 0:
                first = (second - start) * CELLS // length
                found.append(Run((lane * CELLS + first) * CELLS + (third - second) * CELLS // length, start, length))
    return found


def by_lane(notes: Sequence[tuple[int, int]]) -> Lanes:
    """Notes, given as (time, lane) by time, as the times of each lane."""
    lanes: Lanes = {}
    for t_us, lane in notes:
        lanes.setdefault(lane, []).append(t_us)
    return lanes


def between(lanes: Lanes, start_us: int, end_us: int) -> Lanes:
    """The notes from one time to another, both included."""
    return {lane: times[bisect_left(times, start_us) : bisect_left(times, end_us + 1)] for lane, times in lanes.items()}
