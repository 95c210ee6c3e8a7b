"""Fingerprints of playing that neither a shift in time nor a change of tempo moves (used by replay.py).

Every run of four successive notes on one lane has one: the lane and the ratios of its gaps. Notes of one lane keep
their order under jitter, which those of a chord do not. A ratio is told in 48ths, 16 ms for eighths at 120 beats per
minute: a few times the jitter that must not change it, and less than people differ from bar to bar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from consensus.events import Onset

RUN: Final = 4  # notes of one lane in a fingerprint
CELLS: Final = 48  # how finely a ratio of gaps is told

Fingerprint = tuple[int, int, int]  # lane and two ratios


class Run(NamedTuple):
    """Where a fingerprint occurs: its first note's time, and from there to its last."""

    t_us: int
    length_us: int


def runs(ordered: Sequence[Onset]) -> Iterator[tuple[Fingerprint, Run]]:
    """The fingerprints of onsets, which are given by time. Fewer than one for each onset."""
    lanes: dict[int, list[int]] = {}
    for onset in ordered:
        lanes.setdefault(onset.lane, []).append(onset.t_us)
    for lane, times in sorted(lanes.items()):
        for i in range(len(times) - RUN + 1):
            start, second, third, end = times[i : i + RUN]
            length = end - start
            if length > 0:
                yield (lane, (second - start) * CELLS // length, (third - second) * CELLS // length), Run(start, length)
