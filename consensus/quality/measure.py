"""The quality of what one player played in one window (SPEC 6): six numbers, a verdict, and words for a musician.

    total = (accuracy^3 * liveness * diversity * harmony * humanness * originality) ^ (1/8)

A weighted geometric mean: the timing itself weighs as three, and no measure can be bought with another, because
one that is nothing makes the whole nothing. The eighth root is three integer square roots, so every node gets the
same number. A window that is refused has a total of 0.
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
    hits = timed(grid, played)
    seen = humanness.signs(hits)
    match = known.closest(params, played, before, grid)
    if why is Why.FINE:
        why = humanness.refusal(params, seen)
    if why is Why.FINE and match is not None and match.is_replay(params):
        why = Why.REPLAY
    measures = Measures(
        liveness.liveness_q16(params, counted),
        accuracy_q16(params, grid, [hit.deviation_us for hit in hits]),
        diversity.diversity_q16(played),
        harmony.harmony_q16(played),
        humanness.humanness_q16(params, seen),
        originality_q16(params, match),
        total=0,
    )
    if why is Why.FINE:
        measures = structs.replace(measures, total=combined_q16(measures))
    lag = lag_us(grid, played)
    lag -= grid.step_us if 2 * lag > grid.step_us else 0
    verdict = f"quality {_share(measures.total)}" if why is Why.FINE else f"refused: {WORDS[why]}"
    return Report(
        measures,
        why,
        (
            verdict,
            _liveness_words(params, measures, counted),
            f"accuracy {_share(measures.accuracy)}: 0 is what chance hits on {grid.subdivision} steps to the beat, "
            f"{_share(params.accuracy_cap_q16)} the most; a steady {'lag' if lag >= 0 else 'lead'} of {_ms(abs(lag))} "
            "was taken out",
            f"diversity {_share(measures.diversity)}: as varied as {_share(diversity.effective_lanes_q16(played))} "
            f"lanes used evenly; {diversity.FULL_LANES} are full marks",
            _harmony_words(measures, played),
            _humanness_words(params, measures, seen),
            _originality_words(measures, match),
        ),
    )


def originality_q16(params: Params, match: Match | None) -> int:
    """1 for nothing alike, less by how much and how closely it lies on an earlier recording."""
    return ONE_Q16 if match is None else ONE_Q16 - match.likeness_q16(params)


def combined_q16(parts: Measures) -> int:
    """The weighted geometric mean at the head of this module, rounded down; the `total` of `parts` is not looked at."""
    playing = parts.accuracy**3 * parts.liveness * parts.diversity * parts.harmony
    return isqrt(isqrt(isqrt(playing * parts.humanness * parts.originality)))


def _liveness_words(params: Params, measures: Measures, counted: liveness.Liveness) -> str:
    return (
        f"liveness {_share(measures.liveness)}: {counted.events} notes on {counted.lanes} lanes in {counted.active_s} "
        f"of {params.window_s} s (at least {params.min_events}, {params.min_lanes} and {params.min_active_s} s)"
    )


def _harmony_words(measures: Measures, played: Sequence[Onset]) -> str:
    mean = harmony.consonance_q16(played)
    told = (
        "too few notes with a pitch to judge, so full marks"
        if mean is None
        else f"intervals of {len(harmony.pitched(played))} pitched notes are consonant by {_share(mean)} "
        f"({_share(harmony.NONE_Q16)} is a chromatic run, {_share(harmony.FULL_Q16)} full marks)"
    )
    return f"harmony {_share(measures.harmony)}: {told}"


def _humanness_words(params: Params, measures: Measures, seen: humanness.Signs) -> str:
    told = [
        f"notes lie {_ms(seen.deviation_us)} around the beat (at least {_ms(params.min_deviation_us)})",
        f"{_percent(seen.ties_q16)} of them off alike (at most {_percent(params.max_tie_q16)})",
    ]
    if seen.correlation_q16 is not None:
        told.append(f"a step goes with the one before by {_share(seen.correlation_q16)}")
    if seen.spread_us is not None:
        told.append(f"chords spread over {_ms(seen.spread_us)}")
    return f"humanness {_share(measures.humanness)}: {', '.join(told)}"


def _originality_words(measures: Measures, match: Match | None) -> str:
    likeness = (
        "nothing like it was played before"
        if match is None
        else f"{_percent(match.coverage_q16)} of it lies within {_ms(match.residual_us)} of something played before, "
        f"at {max(match.t_us, 0) // 1_000_000} s of its take"
    )
    return f"originality {_share(measures.originality)}: {likeness}"


def _share(q16: int) -> str:
    hundredths = (abs(q16) * 200 + ONE_Q16) // (2 * ONE_Q16)
    return f"{'-' if q16 < 0 and hundredths else ''}{hundredths // 100}.{hundredths % 100:02d}"


def _percent(q16: int) -> str:
    return f"{(q16 * 200 + ONE_Q16) // (2 * ONE_Q16)}%"


def _ms(us: int) -> str:
    return f"{(us + 500) // 1_000} ms"
