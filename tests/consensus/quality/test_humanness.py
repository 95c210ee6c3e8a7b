"""People pass, machines of every plain kind do not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.ops import Why
from consensus.params import MAIN, ONE_Q16, SMALL, Params
from consensus.quality.grid import Grid
from consensus.quality.humanness import (
    TIE_US,
    WEIGHTS,
    Signs,
    grades_q16,
    humanness_q16,
    refusal,
    signs,
    tied_pairs_q16,
)
from consensus.quality.timing import timed
from jam import midi
from tests.consensus.quality.material import GRID, human_windows, jittered, moved, quantised
from tests.groove import needs_groove, take


def verdict(params: Params, onsets) -> Why:
    return refusal(params, signs(GRID, timed(GRID, onsets)))


def swung(t: int) -> int:
    step = GRID.step(t)
    return GRID.step_at_us(step) + (50_000 if step % 2 else 0)


@pytest.mark.parametrize("params", [SMALL, MAIN], ids=["small", "main"])
@pytest.mark.parametrize(
    ("machine", "why"),
    [
        (quantised, Why.TOO_REGULAR),
        (lambda o: moved(quantised(o), lambda t: t + 62_500), Why.TOO_REGULAR),
        (lambda o: jittered(quantised(o), 2), Why.TOO_REGULAR),
        (lambda o: moved(o, swung), Why.TIES),
        (lambda o: quantised(o, Grid(120_000, 4, 3)), Why.TIES),
        (lambda o: moved(quantised(o), lambda t: t / 1.013), Why.TIES),
    ],
    ids=["on the grid", "half a step late", "2 ms of jitter", "swung", "in triplets", "too fast"],
)
def test_machines_are_refused(params: Params, machine: Callable, why: Why) -> None:
    for window in human_windows(params, windows=2):
        assert verdict(params, window) is Why.FINE
        assert verdict(params, machine(window)) is why


@pytest.mark.parametrize("params", [SMALL, MAIN], ids=["small", "main"])
def test_at_another_tempo_no_pattern_of_rests_hides_a_machine(params: Params) -> None:
    """Found by measuring on drummers: with gaps of many lengths, few of them were alike."""
    for seed in range(3):
        chance = Random(seed)
        window = quantised(human_windows(params, seed=seed, windows=1)[0])
        sparse = [o for o in moved(window, lambda t: t / 1.013) if chance.random() < 0.3]
        assert verdict(params, sparse) is Why.TIES


@given(st.lists(st.integers(-3_000, 3_000), max_size=40))
def test_tied_pairs_are_counted_as_by_hand(values: list[int]) -> None:
    pairs = list(combinations(values, 2))
    tied = sum(abs(a - b) < TIE_US for a, b in pairs)
    assert tied_pairs_q16(values) == (tied * ONE_Q16 // len(pairs) if pairs else 0)


def test_a_grade_grows_with_the_signs_and_leaves_out_what_is_not_there() -> None:
    seen = signs(GRID, timed(GRID, human_windows(MAIN, windows=1)[0]))
    assert None not in seen
    whole = humanness_q16(MAIN, seen)
    for sign in ("correlation_q16", "spread_us", "drift_q16", "pattern_q16"):
        assert humanness_q16(MAIN, seen._replace(**{sign: 0})) < whole
    assert humanness_q16(MAIN, seen._replace(deviation_us=8_000)) < whole
    untold = seen._replace(correlation_q16=None, spread_us=None, drift_q16=None, pattern_q16=None)
    assert humanness_q16(MAIN, untold) == ONE_Q16
    assert set(grades_q16(MAIN, untold)) == {"deviation"}
    assert set(grades_q16(MAIN, seen)) == set(WEIGHTS)


def test_few_notes_have_no_correlation_and_no_chords() -> None:
    seen = signs(GRID, timed(GRID, human_windows(SMALL, windows=1)[0][:6]))
    assert (seen.correlation_q16, seen.spread_us) == (None, None)
    assert signs(GRID, ()) == (0, 0, None, None, None, None)


@pytest.mark.parametrize("spread_ms", [10, 20, 25, 40])
def test_noise_without_memory_or_pattern_is_below_the_mark(spread_ms: int) -> None:
    for seed in range(5):
        machine = jittered(quantised(human_windows(MAIN, seed=seed, windows=1)[0]), spread_ms, seed)
        seen = signs(GRID, timed(GRID, machine))
        assert refusal(MAIN, seen) is Why.FINE  # it is no crime
        assert humanness_q16(MAIN, seen) < MAIN.human_mark_q16


def test_a_lag_for_each_lane_and_place_shows_as_pattern_and_a_wandering_beat_as_drift() -> None:
    flat = quantised(human_windows(MAIN, windows=1)[0])
    plain = signs(GRID, timed(GRID, jittered(flat, 15)))
    held = signs(GRID, timed(GRID, jittered(moved_by(flat, lambda o: 12_000 * (o.lane % 3)), 15)))
    adrift = signs(GRID, timed(GRID, jittered(moved(flat, lambda t: t + 15_000 * (t // 8_000_000 % 3)), 15)))
    assert all(seen.pattern_q16 is not None and seen.drift_q16 is not None for seen in (plain, held, adrift))
    assert held.pattern_q16 > plain.pattern_q16 + ONE_Q16  # type: ignore[operator]
    assert adrift.drift_q16 > plain.drift_q16 + ONE_Q16  # type: ignore[operator]
    assert abs(held.drift_q16 - plain.drift_q16) < ONE_Q16  # type: ignore[operator]


def moved_by(onsets, late) -> list:
    return [msgspec.structs.replace(o, t_us=o.t_us + late(o)) for o in onsets]


@needs_groove
def test_drummers_are_above_the_mark() -> None:
    for name in ("drummer1/session3/4_jazz-linear_182_beat_4-4", "drummer5/session2/4_reggae_141_beat_4-4"):
        played = midi.load(take(name))
        grid = Grid(played.tempo_mbpm, played.beats_per_bar, 4)
        window = [o for o in played.onsets() if o.t_us < MAIN.window_us]
        assert humanness_q16(MAIN, signs(grid, timed(grid, window))) >= MAIN.human_mark_q16


def test_refusals_begin_right_beyond_their_bounds() -> None:
    fine = Signs(MAIN.min_deviation_us, MAIN.max_tie_q16, None, None, None, None)
    assert refusal(MAIN, fine) is Why.FINE
    assert refusal(MAIN, fine._replace(deviation_us=MAIN.min_deviation_us - 1)) is Why.TOO_REGULAR
    assert refusal(MAIN, fine._replace(ties_q16=MAIN.max_tie_q16 + 1)) is Why.TIES
