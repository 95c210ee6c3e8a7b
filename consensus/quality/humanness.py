"""Signs that a person played, and the few that a person cannot have (notes/jam.md, "Human or machine").

Two hard refusals. *Too regular*: the deviations from the grid spread by less than any person's. *Ties*: too many
pairs of notes are off by the same amount. Quantised playing is all ties; played to a swing template or to another
subdivision than the declared one, it has a few values of deviation, so still a large share of tied pairs; at another
tempo its deviations wander but the length of its steps does not. So both are looked at, and the worse one counts.
Pairs, because the share of tied pairs does not depend on how many notes there are, while the number of chance ties
does.

The rest is a grade, a weighted mean of what machines of the plain kind lack (weights in WEIGHTS). People's
deviations *spread* by 15 to 40 ms; their chords are never *struck at one moment*; each lane and place in the bar has
a lag of its own, the *pattern* of the hand; and what is left without that pattern goes with the step before
(*correlation*) and with the bar (*drift*). Pattern and drift are told by analysis of variance (variance.py): three
times as much between the groups as within is full, beyond what chance gives so many notes. What a window has too few
notes for is left out, and a grade under the mark of `Params` is worth next to nothing (measure.py).

That stops lazy machines only. Noise with a memory, or a pattern taken from somebody's playing, is beyond any such
statistics (docs/quality.md has the rates); the riff, present verifiers and falling rewards are for those.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from consensus.ops import Why
from consensus.params import ONE_Q16, Params
from consensus.quality.grid import Grid
from consensus.quality.timing import Timed, deviation_sd
from consensus.quality.variance import centred, excess_q16, group_sums

TIE_US: Final = 500  # closer than this is the same amount
SD_FULL_US: Final = 15_000  # the first percentile of drummers is 15.2 ms
CORRELATION_FULL_Q16: Final = 16_384  # a quarter; drummers' median is a half
SPREAD_FULL_US: Final = 10_000  # drummers' chords spread 24 ms
EXCESS_FULL_Q16: Final = 113_459  # log2 of 3.3: e^1.2 times what chance gives
MIN_STEPS: Final = 32  # fewer steps tell nothing of correlation
MIN_CHORDS: Final = 8
# As they tell people from machines.
WEIGHTS: Final = {"deviation": 1, "correlation": 1, "chords": 1, "drift": 3, "pattern": 4}


class Signs(NamedTuple):
    """What the timing of a window shows. None where there were too few notes to tell."""

    deviation_us: int  # standard deviation from the grid
    ties_q16: int  # share of pairs that deviate alike, or of steps that are equally long
    correlation_q16: int | None  # of a step's mean deviation with the next one's, the pattern taken out, -1..1
    spread_us: int | None  # mean time between the first and last note of a chord
    drift_q16: int | None  # log2 of how much more bars differ, the pattern taken out, than chance would have it
    pattern_q16: int | None  # log2 of how much more the deviations of lanes and places in the bar differ


def signs(grid: Grid, hits: Sequence[Timed]) -> Signs:
    """Look at calibrated hits, which are in order of time."""
    bar_steps = grid.steps_per_bar
    deviations = [hit.deviation_us for hit in hits]
    steps = [hit.step for hit in hits]
    cells = [hit.lane * bar_steps + hit.step % bar_steps for hit in hits]
    bars = [step // bar_steps for step in steps]
    rests = centred(deviations, cells)
    last = {hit.step: hit.t_us for hit in hits}
    first = {hit.step: hit.t_us for hit in reversed(hits)}
    sums, counts = group_sums(rests, steps)
    spreads = [last[step] - first[step] for step in first if counts[step] > 1]
    ties = max(tied_pairs_q16(deviations), tied_pairs_q16(_paces_us(first)))
    return Signs(
        deviation_sd(deviations),
        ties,
        _next_correlation_q16([sums[step] // counts[step] for step in sums]) if len(sums) >= MIN_STEPS else None,
        sum(spreads) // len(spreads) if len(spreads) >= MIN_CHORDS else None,
        excess_q16(rests, bars),
        excess_q16(deviations, cells),
    )


def _paces_us(first: dict[int, int]) -> list[int]:
    """How long a step is from each step that was played to the next: its gap, by the number of steps between."""
    played = sorted((t_us, step) for step, t_us in first.items())
    return [(later - at) // max(1, after - step) for (at, step), (later, after) in pairwise(played)]


def tied_pairs_q16(values: Sequence[int]) -> int:
    """The share of pairs that differ by less than TIE_US; 0 when there is no pair."""
    n = len(values)
    if n < 2:
        return 0
    ordered = sorted(values)
    tied, first = 0, 0
    for i, value in enumerate(ordered):
        while value - ordered[first] >= TIE_US:
            first += 1
        tied += i - first
    return 2 * tied * ONE_Q16 // (n * (n - 1))


def _next_correlation_q16(values: list[int]) -> int:
    """Lag-1 autocorrelation."""
    n = len(values)
    mean = sum(values) // n
    centred = [value - mean for value in values]
    power = sum(c * c for c in centred)
    return sum(a * b for a, b in pairwise(centred)) * ONE_Q16 // power if power else ONE_Q16


def refusal(params: Params, seen: Signs) -> Why:
    """Why no person can have played this, or FINE."""
    if seen.deviation_us < params.min_deviation_us:
        return Why.TOO_REGULAR
    if seen.ties_q16 > params.max_tie_q16:
        return Why.TIES
    return Why.FINE


def humanness_q16(params: Params, seen: Signs) -> int:
    """The weighted mean of the grades there are."""
    grades = grades_q16(params, seen)
    return sum(WEIGHTS[sign] * grade for sign, grade in grades.items()) // sum(WEIGHTS[sign] for sign in grades)


def grades_q16(params: Params, seen: Signs) -> dict[str, int]:
    """The grade of each sign that there are notes enough for, 0 to 1."""
    low = params.min_deviation_us
    grades = {
        "deviation": _ramp(seen.deviation_us, low, max(SD_FULL_US, low + 1)),
        "correlation": _ramp(seen.correlation_q16, 0, CORRELATION_FULL_Q16),
        "chords": _ramp(seen.spread_us, 0, SPREAD_FULL_US),
        "drift": _ramp(seen.drift_q16, 0, EXCESS_FULL_Q16),
        "pattern": _ramp(seen.pattern_q16, 0, EXCESS_FULL_Q16),
    }
    return {sign: grade for sign, grade in grades.items() if grade is not None}


def _ramp(value: int | None, none: int, full: int) -> int | None:
    """0 up to `none`, 1 from `full`, straight between."""
    return None if value is None else min(max(value - none, 0) * ONE_Q16 // (full - none), ONE_Q16)
