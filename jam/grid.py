"""Which grid a performance is played to.

A MIDI file tells the tempo but not whether its beats are cut in three, four or six. Accuracy is corrected for chance,
so a finer grid is no easier, and the best subdivision is simply the one on which the playing is most accurate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consensus.events import Onset
from consensus.params import MAIN
from consensus.quality.grid import Grid
from consensus.quality.timing import timed
from consensus.quality.wife3 import accuracy_q16

SUBDIVISIONS: Final = (4, 3, 6)  # sixteenths first: of equally good ones the first is taken


def choose_subdivision(onsets: Sequence[Onset], tempo_mbpm: int, beats_per_bar: int = 4) -> int:
    """Steps per beat, 3, 4 or 6, that fit the onsets best."""

    def accuracy(subdivision: int) -> int:
        grid = Grid(tempo_mbpm, beats_per_bar, subdivision)
        return accuracy_q16(MAIN, grid, [hit.deviation_us for hit in timed(grid, onsets)])

    return max(SUBDIVISIONS, key=accuracy)
