"""A window's numbers in words: what each means here, and what would change it (SPEC 6).

Written for the musician who asks why a window is worth what it is. Rounding is for the eye only and never goes back
into a sum.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from consensus.ops import WORDS, Measures, Why
from consensus.params import ONE_Q16, Params
from consensus.quality.diversity import FULL_LANES
from consensus.quality.grid import Grid
from consensus.quality.harmony import FULL_Q16, NONE_Q16
from consensus.quality.humanness import Signs, grades_q16
from consensus.quality.liveness import Liveness
from consensus.quality.replay import Match

NOTHING_MORE: Final = "nothing more to gain"


class Findings(NamedTuple):
    """What was found on the way to the measures of one window."""

    counted: Liveness
    lag_us: int  # taken out before accuracy: 0 up to a step
    lanes_q16: int  # effective number of lanes
    consonance_q16: int | None
    seen: Signs
    match: Match | None


def explain(params: Params, grid: Grid, measures: Measures, why: Why, found: Findings) -> tuple[str, ...]:
    """The verdict, then one sentence or two for each measure in their order."""
    if why is not Why.FINE:
        verdict = f"refused: {WORDS[why]}"
    elif measures.humanness < params.human_mark_q16:
        verdict = (
            f"quality {share(measures.total)}: its timing is no person's by the mark of "
            f"{share(params.human_mark_q16)}, so it counts {share(params.below_mark_q16)} of what it would"
        )
    else:
        verdict = f"quality {share(measures.total)}"
    return (
        verdict,
        _liveness(params, measures, found),
        _accuracy(params, grid, measures, found),
        _diversity(measures, found),
        _harmony(measures, found),
        _humanness(params, measures, found),
        _originality(measures, found),
    )


def _liveness(params: Params, measures: Measures, found: Findings) -> str:
    counted = found.counted
    more = f"full at {2 * params.min_events} notes and {3 * params.window_s // 4} s with a note in them"
    return (
        f"liveness {share(measures.liveness)}: {counted.events} notes on {counted.lanes} lanes in {counted.active_s} "
        f"of {params.window_s} s (at least {params.min_events}, {params.min_lanes} and {params.min_active_s} s); {more}"
    )


def _accuracy(params: Params, grid: Grid, measures: Measures, found: Findings) -> str:
    lag_us = found.lag_us - (grid.step_us if 2 * found.lag_us > grid.step_us else 0)
    more = (
        NOTHING_MORE
        if measures.accuracy >= params.accuracy_cap_q16
        else "nearer to the steps is more, and so is a jam opened with the subdivision that is played"
    )
    return (
        f"accuracy {share(measures.accuracy)}: 0 is what chance hits on {grid.subdivision} steps to the beat, "
        f"{share(params.accuracy_cap_q16)} the most; a steady {'lag' if lag_us >= 0 else 'lead'} of "
        f"{ms(abs(lag_us))} was taken out; {more}"
    )


def _diversity(measures: Measures, found: Findings) -> str:
    more = NOTHING_MORE if measures.diversity == ONE_Q16 else "other lanes played as often are more"
    return (
        f"diversity {share(measures.diversity)}: as varied as {share(found.lanes_q16)} lanes used evenly; "
        f"{FULL_LANES} are full marks; {more}"
    )


def _harmony(measures: Measures, found: Findings) -> str:
    if found.consonance_q16 is None:
        return f"harmony {share(measures.harmony)}: drums, or too few notes with a pitch to judge: full marks"
    more = NOTHING_MORE if measures.harmony == ONE_Q16 else "more thirds, fourths and fifths near each other are more"
    return (
        f"harmony {share(measures.harmony)}: its intervals are consonant by {share(found.consonance_q16)} "
        f"({share(NONE_Q16)} is a chromatic run and worth a half, {share(FULL_Q16)} full marks); {more}"
    )


def _humanness(params: Params, measures: Measures, found: Findings) -> str:
    seen = found.seen
    told = [
        f"notes lie {ms(seen.deviation_us)} around the beat (at least {ms(params.min_deviation_us)})",
        f"{percent(seen.ties_q16)} of them off alike (at most {percent(params.max_tie_q16)})",
    ]
    if seen.correlation_q16 is not None:
        told.append(f"a step goes with the one before by {share(seen.correlation_q16)}")
    if seen.spread_us is not None:
        told.append(f"chords spread over {ms(seen.spread_us)}")
    if seen.drift_q16 is not None:
        told.append(f"bars drift {_times(seen.drift_q16)} chance")
    if seen.pattern_q16 is not None:
        told.append(f"lanes and places in the bar differ {_times(seen.pattern_q16)} chance")
    grades = grades_q16(params, seen)
    least = min(grades, key=lambda name: grades[name])
    more = NOTHING_MORE if grades[least] == ONE_Q16 else f"what lowers it most is {least}, {share(grades[least])}"
    return f"humanness {share(measures.humanness)} (mark {share(params.human_mark_q16)}): {', '.join(told)}; {more}"


def _originality(measures: Measures, found: Findings) -> str:
    match = found.match
    if match is None:
        return f"originality {share(measures.originality)}: nothing like it was played before; {NOTHING_MORE}"
    more = NOTHING_MORE if measures.originality == ONE_Q16 else "playing it otherwise than then is more"
    where = f"at {max(match.t_us, 0) // 1_000_000} s of its take"
    return (
        f"originality {share(measures.originality)}: {percent(match.coverage_q16)} of it lies within "
        f"{ms(match.residual_us)} of something played before, {where}; {more}"
    )


def _times(log2_q16: int) -> str:
    """A power of two as a multiple, interpolated: good to a sixteenth."""
    if log2_q16 <= 0:
        return "no more than"
    whole, rest = divmod(log2_q16, ONE_Q16)
    times_q16 = (ONE_Q16 + rest) << whole
    return f"{share(times_q16)[:-1]} times as much as"


def share(q16: int) -> str:
    """A Q16 number with two decimals."""
    hundredths = (abs(q16) * 200 + ONE_Q16) // (2 * ONE_Q16)
    return f"{'-' if q16 < 0 and hundredths else ''}{hundredths // 100}.{hundredths % 100:02d}"


def percent(q16: int) -> str:
    """A Q16 share in percent."""
    return f"{(q16 * 200 + ONE_Q16) // (2 * ONE_Q16)}%"


def ms(us: int) -> str:
    """Microseconds as milliseconds."""
    return f"{(us + 500) // 1_000} ms"
