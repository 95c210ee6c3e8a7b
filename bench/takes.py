"""Recordings to measure on: the Groove MIDI dataset, which is not part of the project, cut into windows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from consensus.events import Onset
from consensus.params import Params
from consensus.quality.grid import Grid
from crdt.types import Micros
from jam import midi

STEPS = 4  # to the beat: what is declared for every take


class Take(NamedTuple):
    """A recording: its path within the dataset, who played what, its grid and its onsets."""

    name: str
    drummer: str
    groove: str  # style and tempo
    grid: Grid
    onsets: tuple[Onset, ...]
    duration_us: int


class Piece(NamedTuple):
    """One whole window of a take."""

    take: Take
    number: int
    onsets: tuple[Onset, ...]


def takes(groove: Path, least_us: int) -> Iterator[Take]:
    """The `beat` takes that are long enough, in the order of info.csv."""
    with (groove / "info.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            if row["beat_type"] == "beat":
                played = midi.load(groove / row["midi_filename"])
                if played.duration_us >= least_us:
                    grid = Grid(played.tempo_mbpm, played.beats_per_bar, STEPS)
                    what = f"{row['style']} {row['bpm']}"
                    yield Take(row["midi_filename"], row["drummer"], what, grid, played.onsets(), played.duration_us)


def pieces(params: Params, take: Take) -> list[Piece]:
    """The whole windows of a take."""
    cut = windows(params, take.onsets, take.duration_us)
    return [Piece(take, number, onsets) for number, onsets in enumerate(cut)]


def windows(params: Params, onsets: Sequence[Onset], until_us: int) -> list[tuple[Onset, ...]]:
    """Onsets cut into the windows that are complete before `until_us`."""
    cut: list[list[Onset]] = [[] for _ in range(until_us // params.window_us)]
    for onset in onsets:
        number = onset.t_us // params.window_us
        if number < len(cut):
            cut[number].append(onset)
    return [tuple(window) for window in cut]


def moved(onsets: Sequence[Onset], move: Callable[[int], float]) -> tuple[Onset, ...]:
    """Onsets at other times."""
    return tuple(sorted(structs.replace(o, t_us=Micros(max(0, round(move(o.t_us))))) for o in onsets))


def share(part: int, whole: int) -> str:
    """A percentage."""
    return f"{100 * part / whole:7.2f}%" if whole else "   none"
