"""The quality of what one player played in one window (SPEC 6): six numbers, a verdict, and words for a musician.

    total = (accuracy^3 * liveness * diversity * harmony * humanness * originality) ^ (1/8)

A weighted geometric mean: the timing itself weighs as three, and no measure can be bought with another, because
one that is nothing makes the whole nothing. Humanness below its mark is more than a low factor: the whole is then a
sixty-fourth, as a window that is no person's is worth nothing, while a person whom statistics wrong loses one window
and no stake. The eighth root is three integer square roots, so every node gets the same number. A window that is
refused has a total of 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Final, NamedTuple

from msgspec import structs

from consensus.events import Onset
from consensus.ops import WORDS, Measures, Why
from consensus.params import ONE_Q16, Params
from consensus.quality import diversity, harmony, humanness, liveness
from consensus.quality.explain import Findings, explain
from consensus.quality.grid import Grid
from consensus.quality.replay import Match, ReplayIndex
from consensus.quality.timing import lag_us, timed
from consensus.quality.wife3 import accuracy_q16
from crdt.types import Window

NOTHING: Final = Measures(0, 0, 0, 0, 0, 0, 0)


class Report(NamedTuple):
    """What a window is worth. `why` is FINE if, and only if, a block may be proposed for it."""

    measures: Measures
    why: Why
    words: tuple[str, ...]


def measure(
    params: Params, grid: Grid, onsets: Sequence[Onset], known: ReplayIndex, before: Window | None = None
) -> Report:
    """Judge the onsets of one window. `known` holds what was played earlier; with `before` only its windows up to
    that one (not included) are compared with, so that a verifier who knows more by now judges the same."""
    played = tuple(sorted({(o.t_us, o.lane): o for o in sorted(onsets)}.values()))
    counted = liveness.count(played)
    why = liveness.refusal(params, counted)
    if not played:
        return Report(NOTHING, why, (f"refused: {WORDS[why]}",))
    lag = lag_us(grid, played)
    hits = timed(grid, played, lag)
    found = Findings(
        counted,
        lag,
        diversity.effective_lanes_q16(played),
        harmony.consonance_q16(played),
        humanness.signs(grid, hits),
        known.closest(params, played, before, grid, lag),
    )
    if why is Why.FINE:
        why = humanness.refusal(params, found.seen)
    if why is Why.FINE and found.match is not None and found.match.is_replay(params):
        why = Why.REPLAY
    measures = Measures(
        liveness=liveness.liveness_q16(params, counted),
        accuracy=accuracy_q16(params, grid, [hit.deviation_us for hit in hits]),
        diversity=diversity.diversity_q16(found.lanes_q16),
        harmony=harmony.harmony_q16(found.consonance_q16),
        humanness=humanness.humanness_q16(params, found.seen),
        originality=originality_q16(params, found.match),
        total=0,
    )
    if why is Why.FINE:
        measures = structs.replace(measures, total=total_q16(params, measures))
    return Report(measures, why, explain(params, grid, measures, why, found))


def originality_q16(params: Params, match: Match | None) -> int:
    """1 for nothing alike, less by how much and how closely it lies on an earlier recording."""
    return ONE_Q16 if match is None else ONE_Q16 - match.likeness_q16(params)


def total_q16(params: Params, parts: Measures) -> int:
    """What a window that is not refused is worth; the `total` of `parts` is not looked at."""
    whole = combined_q16(parts)
    return whole if parts.humanness >= params.human_mark_q16 else whole * params.below_mark_q16 // ONE_Q16


def combined_q16(parts: Measures) -> int:
    """The weighted geometric mean at the head of this module, rounded down; the `total` of `parts` is not looked at."""
    playing = parts.accuracy**3 * parts.liveness * parts.diversity * parts.harmony
    return isqrt(isqrt(isqrt(playing * parts.humanness * parts.originality)))
