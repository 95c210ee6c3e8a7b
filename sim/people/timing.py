"""How late a person's notes are: drawn once for each person from what drummers were measured to do.

    late = lag + swing on every second step + template of (lane, place in the bar) + drift + limb

The template is the pattern of the hand, the drift a first-order autoregression from step to step that all notes share,
the limb each note's own. A person lies somewhere between two of the drummers of sim/people/drummers.py, so that what
goes together in one of them goes together here.

Of a minute's drift the measure sees 87% and takes the rest for what hits all notes of one step alike; that is
made good for here, and there is then as much of the latter as in the drummers (`python -m bench.drummers`).
"""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from sim.people.drummers import DRUMMERS, FIGURES

DRIFT_SEEN: Final = 0.87
MS: Final = 1_000


class Timing(NamedTuple):
    """One person's: standard deviations in microseconds, memory and swing as shares of one and of a step."""

    template_us: float
    limb_us: float
    drift_us: float
    memory: float
    swing: float
    lag_us: float
    velocity_sd: float
    notes_per_s: float


def drawn(chance: Random, deviation: float = 1.0, lag_us: float = 0.0) -> Timing:
    """Somebody: every deviation scaled by `deviation` (half of it is a person twice as steady), everything later by
    `lag_us`, as of a slow device."""
    one, other = chance.sample(DRUMMERS, 2)
    share = chance.random()
    figure = {name: a + (b - a) * share for name, a, b in zip(FIGURES, one, other, strict=True)}
    return Timing(
        template_us=figure["template_ms"] * MS * deviation,
        limb_us=figure["limb_ms"] * MS * deviation,
        drift_us=figure["drift_ms"] * MS * deviation / DRIFT_SEEN,
        memory=figure["memory"],
        swing=figure["swing"] * deviation,
        lag_us=figure["lag_ms"] * MS + lag_us,
        velocity_sd=figure["velocity_sd"],
        notes_per_s=figure["notes_per_s"],
    )
