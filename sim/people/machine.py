"""Machines that play: from the grid to what imitates a person's statistics (docs/quality.md has how they fare)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from random import Random
from typing import Final

from consensus.quality.grid import MINUTE_MBPM_US, Grid
from jam.midi import Note
from sim.people.timing import Timing

OCTAVES: Final = 9  # of 1/f noise
MEMORY: Final = 0.8  # of the noise that is remembered
DRIFT_PART: Final = 0.4  # of the variance that a template leaves

Template = Callable[[int, int], float]  # of a lane and a step in the bar, microseconds


def jittered(chance: Random, notes: Sequence[Note], sd_us: float) -> tuple[Note, ...]:
    """White noise on each note."""
    return _moved(notes, [chance.gauss(0, sd_us) for _ in notes])


def drifting(chance: Random, grid: Grid, notes: Sequence[Note], timing: Timing) -> tuple[Note, ...]:
    """A person's spread, half of it remembered from step to step, half each note's own."""
    sd_us = sqrt((timing.template_us**2 + timing.limb_us**2 + timing.drift_us**2) / 2)
    steps, length = _steps(grid, notes)
    values, value = [], chance.gauss(0, sd_us)
    for _ in range(length):
        value = MEMORY * value + chance.gauss(0, sd_us * sqrt(1 - MEMORY**2))
        values.append(value)
    return _moved(notes, [values[step] + chance.gauss(0, sd_us) for step in steps])


def templated(
    chance: Random, grid: Grid, notes: Sequence[Note], timing: Timing, template: Template
) -> tuple[Note, ...]:
    """A drummer's lag for each lane and place, 1/f noise, and noise with heavy tails (t with 4 degrees of freedom)."""
    rest_us = sqrt(timing.limb_us**2 + timing.drift_us**2)
    steps, length = _steps(grid, notes)
    first = min((grid.step(note.t_us) for note in notes), default=0)
    pink = _pink(chance, length)
    late = []
    for note, step in zip(notes, steps, strict=True):
        tail = chance.gauss(0, 1) / sqrt(chance.gammavariate(2, 0.5)) / sqrt(2)
        noise = sqrt(DRIFT_PART) * pink[step] + sqrt(1 - DRIFT_PART) * tail
        late.append(template(note.lane, (first + step) % grid.steps_per_bar) + rest_us * noise)
    return _moved(notes, late)


def quantised(grid: Grid, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Every note on its step."""
    scale = grid.steps_per_minute_e3
    return tuple(sorted(note._replace(t_us=round(grid.step(note.t_us) * MINUTE_MBPM_US / scale)) for note in notes))


def again(chance: Random, notes: Sequence[Note], shift_us: float, sd_us: float) -> tuple[Note, ...]:
    """A recording, at another time and a little blurred."""
    return _moved(notes, [shift_us + (chance.gauss(0, sd_us) if sd_us else 0.0) for _ in notes])


def _moved(notes: Sequence[Note], late_us: Sequence[float]) -> tuple[Note, ...]:
    return tuple(
        sorted(note._replace(t_us=max(0, round(note.t_us + late))) for note, late in zip(notes, late_us, strict=True))
    )


def _steps(grid: Grid, notes: Sequence[Note]) -> tuple[list[int], int]:
    """The steps of notes, counted from the first, and how many there are."""
    steps = [grid.step(note.t_us) for note in notes]
    first = min(steps, default=0)
    return [step - first for step in steps], max(steps, default=first) - first + 1


def _pink(chance: Random, length: int) -> list[float]:
    """Voss's way: sources of white noise, each held twice as long as the one before."""
    held = [[chance.gauss(0, 1) for _ in range((length >> octave) + 1)] for octave in range(OCTAVES)]
    return [sum(held[octave][n >> octave] for octave in range(OCTAVES)) / sqrt(OCTAVES) for n in range(length)]
