"""A person who plays: what (sim/people/score.py), when (sim/people/timing.py), and how often at all.

A window's notes follow from the player's name and the window alone, so nothing depends on what was asked before, and
a player who comes back after a crash plays on. Notes are in session time.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from random import Random
from typing import Final

import msgspec

from consensus.events import LANES, Kind
from consensus.quality.grid import MINUTE_MBPM_US, Grid
from crdt.types import Window
from jam.midi import Note
from sim.people.score import STEPS, Groove, Hit, Instrument, fill, grooves
from sim.people.timing import Timing, drawn

PHRASE_BARS: Final = 4
LOUD_SD: Final = 0.4  # of a person's spread of velocity; accents make the rest
RIFF_ALONE_US: Final = 300_000  # how far around a note of the riff all else is left out
RIFF_LATE_US: Final = 30_000  # it is read from a page
RIFF_SD_US: Final = 40_000
RIFF_VELOCITY: Final = 90
SCORE_GRID: Final = 4  # steps to a beat that scores are written in


class Habits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How somebody plays."""

    instrument: Instrument = "kit"
    deviation: float = 1.0  # scale of all deviations; 0.5 is twice as steady as drummers are
    lag_ms: float = 0.0  # constant latency on top of one's own
    notes_per_s: float = 0.0  # 0: drawn
    share: float = 1.0  # of the windows in which one is there, of those in which one plays
    answers: float = 0.8  # share of the riffs that are played
    comes: int = 0  # first window, counted from the run's start
    leaves: int = 0  # first window of absence; 0: never


class Player:
    """Somebody by name; the same name plays the same."""

    def __init__(self, name: str, habits: Habits) -> None:
        self.name = name
        self.habits = habits
        chance = self.chance("person")
        self.timing: Timing = drawn(chance, habits.deviation, habits.lag_ms * 1_000)
        self.template_us = {
            (lane, step): chance.gauss(0, self.timing.template_us) for lane in range(LANES) for step in range(STEPS)
        }
        self._grooves: dict[int, tuple[Groove, ...]] = {}  # by the length of a step

    def chance(self, what: object) -> Random:
        """Chance of its own for each purpose."""
        return Random(f"{self.name}/{what}")

    def plays(self, window: Window, first: Window) -> bool:
        """Whether one plays in a window, the run having begun with `first`."""
        at, habits = window - first, self.habits
        is_there = at >= habits.comes and (not habits.leaves or at < habits.leaves)
        return is_there and (habits.share >= 1 or self.chance(f"plays {window}").random() < habits.share)

    def notes(self, grid: Grid, window: Window, start_us: int, end_us: int) -> tuple[Note, ...]:
        """What is played in a window that lies so in session time, riff left aside."""
        step_us = MINUTE_MBPM_US / (grid.tempo_mbpm * SCORE_GRID)
        known = self._known(step_us)
        chance = self.chance(window)
        bar_us = step_us * STEPS
        notes: list[Note] = []
        drift = chance.gauss(0, self.timing.drift_us)
        for bar in range(max(0, int(start_us // bar_us)), int(end_us // bar_us) + 1):
            phrase, within = divmod(bar, PHRASE_BARS)
            groove = known[phrase * 7 // 3 % len(known)]
            if within == PHRASE_BARS - 1 and self.habits.instrument == "kit":
                groove = {**{step: hits for step, hits in groove.items() if step < STEPS // 2}, **fill(chance)}
            drift = self._bar(chance, notes, groove, bar * bar_us, step_us, drift)
        return tuple(sorted(note for note in notes if start_us <= note.t_us < end_us))

    def _known(self, step_us: float) -> tuple[Groove, ...]:
        """The grooves one knows at a tempo."""
        at = round(step_us)
        if at not in self._grooves:
            density = self.habits.notes_per_s or self.timing.notes_per_s
            per_bar = density * step_us * STEPS / 1_000_000
            self._grooves = {at: grooves(self.chance("grooves"), self.habits.instrument, per_bar)}
        return self._grooves[at]

    def _bar(
        self, chance: Random, notes: list[Note], groove: Groove, bar_us: float, step_us: float, drift: float
    ) -> float:
        """Play one bar; returns where the drift has come to."""
        timing, gauss, coming = self.timing, chance.gauss, chance.random
        memory, fresh = timing.memory, timing.drift_us * sqrt(1 - timing.memory**2)
        loud_sd, before = timing.velocity_sd * LOUD_SD, 0
        for step, hits in groove.items():
            for _ in range(step - before):
                drift = memory * drift + gauss(0, fresh)
            before = step
            together = bar_us + step * step_us + drift + timing.lag_us
            together += timing.swing * step_us * (step % 2)
            for hit in hits:
                if coming() < hit.chance:
                    late = self.template_us[hit.lane, step] + gauss(0, timing.limb_us)
                    notes.append(_struck(hit, together + late, gauss(hit.velocity, loud_sd)))
        for _ in range(STEPS - before):
            drift = memory * drift + gauss(0, fresh)
        return drift

    def answered(
        self, notes: Sequence[Note], window: Window, moments_us: Sequence[int], lanes: Sequence[int]
    ) -> tuple[Note, ...]:
        """The same window with its riff in it, all else left out around it; or as it was, for who does not answer."""
        chance = self.chance(f"riff {window}")
        if chance.random() >= self.habits.answers:
            return tuple(notes)
        return with_riff(chance, notes, moments_us, lanes)


def with_riff(
    chance: Random, notes: Sequence[Note], moments_us: Sequence[int], lanes: Sequence[int]
) -> tuple[Note, ...]:
    """Notes with a riff in their place."""
    kept = [note for note in notes if all(abs(note.t_us - moment) > RIFF_ALONE_US for moment in moments_us)]
    played = [
        Note(max(0, round(moment + RIFF_LATE_US + chance.gauss(0, RIFF_SD_US))), Kind.NOTE_ON, lane, 0, RIFF_VELOCITY)
        for moment, lane in zip(moments_us, lanes, strict=True)
    ]
    return tuple(sorted([*kept, *played]))


def _struck(hit: Hit, at_us: float, velocity: float) -> Note:
    return Note(max(0, round(at_us)), Kind.NOTE_ON, hit.lane, hit.pitch, min(127, max(1, round(velocity))))
