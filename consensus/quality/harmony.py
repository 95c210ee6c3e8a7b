"""How well the pitches of a window go together: consonance of notes that sound together or follow each other.

Each note is compared with up to LOOK_BACK notes before it that began within REACH_US; those struck with it count
twice. An interval is worth what listeners make of its class (Huron 1994, "Interval-class content in equally tempered
pitch-class sets", aggregate consonance, moved and scaled to 0..1). Repeating a note says nothing. The mean is held
against what a chromatic run comes to, for which there is half, and what the notes of a major scale used evenly do,
for which there is all.

Half is the least, so nobody's taste costs more than a twelfth of a block. Drums have no pitch to judge: a window
most of whose notes are struck (events.is_struck) has full harmony unless its other notes are enough to tell, and so
has one with too few intervals. Whoever sends melody as pitch 0 gains by it what little there is to gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consensus.events import Onset, is_struck
from consensus.params import ONE_Q16

# By interval class: unison, minor second, major second, minor third, major third, fourth, tritone.
CONSONANCE_Q16: Final = (ONE_Q16, 0, 20_781, 49_668, 44_559, 65_536, 23_950)
LOOK_BACK: Final = 4
REACH_US: Final = 2_000_000
TOGETHER_US: Final = 60_000
MIN_INTERVALS: Final = 16
NONE_Q16: Final = 28_836  # 0.44: a chromatic run
FULL_Q16: Final = 40_632  # 0.62: the seven notes of a major scale, each as often


def harmony_q16(consonance: int | None) -> int:
    """From a half to 1 by mean consonance; 1 where there is nothing to judge."""
    if consonance is None:
        return ONE_Q16
    ramp = min(max(consonance - NONE_Q16, 0) * ONE_Q16 // (FULL_Q16 - NONE_Q16), ONE_Q16)
    return (ONE_Q16 + ramp) // 2


def consonance_q16(onsets: Sequence[Onset]) -> int | None:
    """Mean consonance of the intervals of a window, its onsets given by time; None with too few of them."""
    notes = pitched(onsets)
    total, weight = 0, 0
    for i, note in enumerate(notes):
        for earlier in notes[max(0, i - LOOK_BACK) : i]:
            apart_us = note.t_us - earlier.t_us
            steps = (note.pitch - earlier.pitch) % 12
            if steps and apart_us <= REACH_US:
                times = 2 if apart_us <= TOGETHER_US else 1
                total += times * CONSONANCE_Q16[min(steps, 12 - steps)]
                weight += times
    return total // weight if weight >= MIN_INTERVALS else None


def pitched(onsets: Sequence[Onset]) -> list[Onset]:
    """The notes that have a pitch. A melody now and then strikes a drum's pitch on the drum's lane, and a drummer
    may play a melody beside the drums: what most notes are decides how those are taken that could be either."""
    struck = [is_struck(onset.lane, onset.pitch) for onset in onsets]
    if 2 * sum(struck) >= len(onsets):
        return [onset for onset, is_drum in zip(onsets, struck, strict=True) if not is_drum]
    return [onset for onset in onsets if onset.pitch]
