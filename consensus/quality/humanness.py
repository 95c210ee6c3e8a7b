"""Signs that a person played, and the few that a person cannot have (notes/jam.md, "Human or machine").

Two hard refusals. *Too regular*: the deviations from the grid spread by less than any person's. *Ties*: too many
pairs of notes are off by the same amount. Quantised playing is all ties; played to a swing template or to another
subdivision than the declared one, it has a few values of deviation, so still a large share of tied pairs; at another
tempo its deviations wander but its gaps between notes do not. So both are looked at, and the worse one counts. Pairs,
because the share of tied pairs does not depend on how many notes there are, while the number of chance ties does.

The rest is a grade. People's deviations spread by 15 to 40 ms, are correlated with those just before, and their
chords are never struck at one moment. A thirty-line humaniser can imitate all of that; the grade stops lazy ones and
the riff, present verifiers and falling rewards are for the others. What a window has too few notes for is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from consensus.ops import Why
from consensus.params import ONE_Q16, Params
from consensus.quality.timing import Timed, deviation_sd

TIE_US: Final = 500  # closer than this is the same amount
SD_FULL_US: Final = 15_000  # the first percentile of drummers is 15.9 ms
CORRELATION_FULL_Q16: Final = 13_107  # 0.2; drummers average 0.24
SPREAD_FULL_US: Final = 10_000  # drummers' chords spread 23.5 ms
MIN_STEPS: Final = 32  # fewer steps tell nothing of correlation
MIN_CHORDS: Final = 8


class Signs(NamedTuple):
    """What the timing of a window shows. None where there were too few notes to tell."""

    deviation_us: int  # standard deviation from the grid
    ties_q16: int  # share of pairs that deviate alike, or of gaps between steps that are alike
    correlation_q16: int | None  # of a step's mean deviation with the next one's, -1..1
    spread_us: int | None  # mean time between the first and last note of a chord


def signs(hits: Sequence[Timed]) -> Signs:
    """Look at calibrated hits, which are in order of time."""
    steps: dict[int, list[Timed]] = {}
    for hit in hits:
        steps.setdefault(hit.step, []).append(hit)
    firsts = [played[0].t_us for played in steps.values()]
    ties = max(
        tied_pairs_q16([hit.deviation_us for hit in hits]),
        tied_pairs_q16([later - earlier for earlier, later in pairwise(firsts)]),
    )
    spreads = [played[-1].t_us - played[0].t_us for played in steps.values() if len(played) > 1]
    means = [sum(hit.deviation_us for hit in played) // len(played) for played in steps.values()]
    return Signs(
        deviation_sd([hit.deviation_us for hit in hits]),
        ties,
        _next_correlation_q16(means) if len(means) >= MIN_STEPS else None,
        sum(spreads) // len(spreads) if len(spreads) >= MIN_CHORDS else None,
    )


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
    """Weighted mean of the signs there are: the spread of deviations twice, correlation and chords once each."""
    low = params.min_deviation_us
    graded = [(2, _ramp(seen.deviation_us, low, max(SD_FULL_US, low + 1)))]
    if seen.correlation_q16 is not None:
        graded.append((1, _ramp(seen.correlation_q16, 0, CORRELATION_FULL_Q16)))
    if seen.spread_us is not None:
        graded.append((1, _ramp(seen.spread_us, 0, SPREAD_FULL_US)))
    return sum(weight * score for weight, score in graded) // sum(weight for weight, _ in graded)


def _ramp(value: int, none: int, full: int) -> int:
    """0 up to `none`, 1 from `full`, straight between."""
    return min(max(value - none, 0) * ONE_Q16 // (full - none), ONE_Q16)
