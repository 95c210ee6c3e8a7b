"""F and its logarithm, against floating point and against what must not change them."""

from __future__ import annotations

from fractions import Fraction
from math import log2
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.params import ONE_Q16
from consensus.quality.variance import centred, excess_q16, log2_q16

grouped = st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 5)), max_size=60)


@given(st.integers(1, 10**40), st.integers(1, 10**40))
def test_the_logarithm_is_rounded_down_to_a_65536th(numerator: int, denominator: int) -> None:
    exact = (log2(numerator) - log2(denominator)) * ONE_Q16
    assert -1.01 <= log2_q16(numerator, denominator) - exact <= 0.01


@given(grouped)
def test_f_is_the_textbooks(pairs: list[tuple[int, int]]) -> None:
    values, groups = [v for v, _ in pairs], [g for _, g in pairs]
    found = excess_q16(values, groups)
    names = set(groups)
    if len(names) < 2 or len(names) == len(values):
        assert found is None
        return
    mean = Fraction(sum(values), len(values))
    of = {g: [v for v, h in pairs if h == g] for g in names}
    between = sum(len(of[g]) * (Fraction(sum(of[g]), len(of[g])) - mean) ** 2 for g in names)
    within = sum((v - Fraction(sum(of[g]), len(of[g]))) ** 2 for g in names for v in of[g])
    if between < 10**6 or within < 10**6:  # microseconds: what is less is rounding
        return
    a, b = len(names) - 1, len(values) - len(names)
    expected = log2(between / a * b / within) - (2 / a + 2 / b) ** 0.5 / 0.693147
    assert found is not None
    assert found / ONE_Q16 == pytest.approx(expected, abs=0.5)


@given(grouped, st.integers(-(10**6), 10**6), st.randoms(use_true_random=False))
def test_neither_a_shift_nor_names_nor_order_change_anything(pairs, shift: int, random: Random) -> None:
    plain = excess_q16([v for v, _ in pairs], [g for _, g in pairs])
    random.shuffle(pairs)
    again = excess_q16([v for v, _ in pairs], [f"group {g}" for _, g in pairs])
    assert again == plain
    moved = excess_q16([v + shift for v, _ in pairs], [g for _, g in pairs])
    assert (moved is None) == (plain is None)


def test_chance_shows_little_and_a_cause_much() -> None:
    chance = Random(3)
    groups = [i % 20 for i in range(600)]
    noise = [round(chance.gauss(0, 20_000)) for _ in groups]
    caused = [n + 15_000 * (g % 2) for n, g in zip(noise, groups, strict=True)]
    little, much = excess_q16(noise, groups), excess_q16(caused, groups)
    assert little is not None and much is not None
    assert little < ONE_Q16 // 2 < ONE_Q16 < much


@given(grouped)
def test_centred_groups_sum_to_next_to_nothing(pairs) -> None:
    groups = [g for _, g in pairs]
    rests = centred([v for v, _ in pairs], groups)
    for name in set(groups):
        rest = sum(r for r, g in zip(rests, groups, strict=True) if g == name)
        assert 0 <= rest < groups.count(name)
