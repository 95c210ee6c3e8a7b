"""People pass, machines of every plain kind do not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.ops import Why
from consensus.params import MAIN, ONE_Q16, SMALL, Params
from consensus.quality.grid import Grid
from consensus.quality.humanness import TIE_US, humanness_q16, refusal, signs, tied_pairs_q16
from consensus.quality.timing import timed
from tests.consensus.quality.material import GRID, human_windows, jittered, moved, quantised


def verdict(params: Params, onsets) -> Why:
    return refusal(params, signs(timed(GRID, onsets)))


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


@given(st.lists(st.integers(-3_000, 3_000), max_size=40))
def test_tied_pairs_are_counted_as_by_hand(values: list[int]) -> None:
    pairs = list(combinations(values, 2))
    tied = sum(abs(a - b) < TIE_US for a, b in pairs)
    assert tied_pairs_q16(values) == (tied * ONE_Q16 // len(pairs) if pairs else 0)


def test_a_grade_grows_with_the_signs_and_leaves_out_what_is_not_there() -> None:
    seen = signs(timed(GRID, human_windows(MAIN, windows=1)[0]))
    assert seen.correlation_q16 is not None
    assert seen.spread_us is not None
    whole = humanness_q16(MAIN, seen)
    assert humanness_q16(MAIN, seen._replace(deviation_us=8_000)) < whole
    assert humanness_q16(MAIN, seen._replace(correlation_q16=0)) < whole
    assert humanness_q16(MAIN, seen._replace(spread_us=0)) < whole
    assert humanness_q16(MAIN, seen._replace(correlation_q16=None, spread_us=None)) == ONE_Q16


def test_few_notes_have_no_correlation_and_no_chords() -> None:
    seen = signs(timed(GRID, human_windows(SMALL, windows=1)[0][:6]))
    assert (seen.correlation_q16, seen.spread_us) == (None, None)
    assert signs(()) == (0, 0, None, None)
