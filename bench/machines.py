"""Machines that play: from plain quantising to what imitates a person's statistics.

Each takes a person's window for its notes and puts them on the grid; what it adds to a note's time is its own. The
later ones are given what the person's timing shows: the spread, its memory, another drummer's habits, or even the
person's own lag for each lane and place in the bar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from random import Random
from statistics import fmean, pvariance
from typing import NamedTuple

from msgspec import structs

from bench.takes import Piece
from consensus.events import Onset
from consensus.quality.grid import MINUTE_MBPM_US, Grid
from consensus.quality.timing import deviation_sd, timed
from crdt.types import Micros

OCTAVES = 9  # of 1/f noise: over 512 steps
Cells = dict[tuple[int, int], float]


class Model(NamedTuple):
    """What is to be imitated: notes on their steps, the person's spread, and habits by lane and place in the bar."""

    piece: Piece
    steps: tuple[int, ...]
    spread_us: float
    habits: Cells
    rest_us: float  # spread that the habits leave


Machine = Callable[[Model, Random], Sequence[float]]  # how late each note is


def model(piece: Piece) -> Model:
    """Look at a person."""
    grid = piece.take.grid
    hits = timed(grid, piece.onsets)
    places = [(hit.lane, hit.step % grid.steps_per_bar) for hit in hits]
    by: dict[tuple[int, int], list[int]] = {}
    for place, hit in zip(places, hits, strict=True):
        by.setdefault(place, []).append(hit.deviation_us)
    habits = {place: fmean(lates) for place, lates in by.items()}
    spread = float(deviation_sd([hit.deviation_us for hit in hits]))
    explained = pvariance([habits[place] for place in places]) if places else 0.0
    steps = tuple(grid.step(onset.t_us) for onset in piece.onsets)
    return Model(piece, steps, spread, habits, sqrt(max(spread**2 - explained, 1e6)))


def made(who: Model, late_us: Sequence[float]) -> tuple[Onset, ...]:
    """The window as a machine plays it."""
    scale = who.piece.take.grid.steps_per_minute_e3
    notes = zip(who.piece.onsets, who.steps, late_us, strict=True)
    return tuple(
        sorted(
            structs.replace(onset, t_us=Micros(max(0, round(step * MINUTE_MBPM_US / scale + late))))
            for onset, step, late in notes
        )
    )


def quantised(_: int = 0) -> Machine:
    """On the grid."""
    return lambda who, _chance: [0.0] * len(who.steps)


def gaussian(sd_ms: float) -> Machine:
    """White noise on each note."""
    return lambda who, chance: [chance.gauss(0, sd_ms * 1_000) for _ in who.steps]


def matched(who: Model, chance: Random) -> Sequence[float]:
    """White noise with the person's own spread."""
    return [chance.gauss(0, who.spread_us) for _ in who.steps]


def remembering(who: Model, chance: Random) -> Sequence[float]:
    """AR(1) from step to step carries half of the variance, white noise of each note the other half."""
    return _mixed(who, chance, _ar1(chance, _length(who), 0.8), 0.5, who.spread_us)


def pink(who: Model, chance: Random) -> Sequence[float]:
    """1/f noise from step to step carries half of the variance, white noise the other half."""
    return _mixed(who, chance, _pink(chance, _length(who)), 0.5, who.spread_us)


def habits_of(others: Sequence[Model]) -> Machine:
    """The habits and memory of another drummer, drawn at random."""

    def play(who: Model, chance: Random) -> Sequence[float]:
        drummer = who.piece.take.drummer
        other = chance.choice([one for one in others if one.piece.take.drummer != drummer])
        late = _mixed(who, chance, _ar1(chance, _length(who), 0.5), 0.3, other.rest_us)
        return [habit + rest for habit, rest in zip(_habits(who, other.habits), late, strict=True)]

    return play


def template(who: Model, chance: Random) -> Sequence[float]:
    """The person's own habits, 1/f noise, and noise with heavy tails (t with 4 degrees of freedom)."""
    drift = _pink(chance, _length(who))
    first = min(who.steps, default=0)
    tails = [chance.gauss(0, 1) / sqrt(chance.gammavariate(2, 0.5)) / sqrt(2) for _ in who.steps]
    return [
        habit + who.rest_us * (sqrt(0.4) * drift[step - first] + sqrt(0.6) * tail)
        for habit, step, tail in zip(_habits(who, who.habits), who.steps, tails, strict=True)
    ]


def swung(late_share: float) -> Machine:
    """Every second step late by a share of a step."""
    return lambda who, _chance: [late_share * who.piece.take.grid.step_us * (step % 2) for step in who.steps]


def to_other_steps(subdivision: int) -> Machine:
    """On another grid than the one declared."""

    def play(who: Model, _chance: Random) -> Sequence[float]:
        grid = who.piece.take.grid
        other = Grid(grid.tempo_mbpm, grid.beats_per_bar, subdivision)
        return [
            other.step_at_us(other.step(onset.t_us)) - step * MINUTE_MBPM_US / grid.steps_per_minute_e3
            for onset, step in zip(who.piece.onsets, who.steps, strict=True)
        ]

    return play


def faster(ratio: float) -> Machine:
    """On the grid of another tempo."""
    return lambda who, _chance: [
        step * MINUTE_MBPM_US / who.piece.take.grid.steps_per_minute_e3 * (1 / ratio - 1) for step in who.steps
    ]


def _length(who: Model) -> int:
    return max(who.steps) - min(who.steps) + 1 if who.steps else 0


def _mixed(who: Model, chance: Random, memory: Sequence[float], part: float, spread_us: float) -> list[float]:
    first = min(who.steps, default=0)
    common, own = spread_us * sqrt(part), spread_us * sqrt(1 - part)
    return [common * memory[step - first] + chance.gauss(0, own) for step in who.steps]


def _ar1(chance: Random, length: int, kept: float) -> list[float]:
    values, value = [], chance.gauss(0, 1)
    for _ in range(length):
        value = kept * value + chance.gauss(0, sqrt(1 - kept * kept))
        values.append(value)
    return values


def _pink(chance: Random, length: int) -> list[float]:
    """Voss's way: sources of white noise, each held twice as long as the one before."""
    held = [[chance.gauss(0, 1) for _ in range((length >> octave) + 1)] for octave in range(OCTAVES)]
    return [sum(held[octave][n >> octave] for octave in range(OCTAVES)) / sqrt(OCTAVES) for n in range(length)]


def _habits(who: Model, habits: Cells) -> list[float]:
    """Habits for each note; of a place that is not known, those of its lane."""
    lanes: dict[int, list[float]] = {}
    for (lane, _), late in habits.items():
        lanes.setdefault(lane, []).append(late)
    bar = who.piece.take.grid.steps_per_bar
    return [
        habits.get((onset.lane, step % bar), fmean(lanes.get(onset.lane, [0.0])))
        for onset, step in zip(who.piece.onsets, who.steps, strict=True)
    ]
