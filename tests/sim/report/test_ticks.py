"""Axes and how numbers are written."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse
from sim.report.ticks import LARGEST, checked, full, linear, short

NUMBERS = st.floats(-LARGEST, LARGEST) | st.integers(-(10**30), 10**30)


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.booleans())
def test_an_axis_holds_its_values_and_has_few_marks(values: list[float], zero: bool) -> None:
    axis = linear(values, zero=zero)
    slack = 1e-6 * (axis.high - axis.low)
    assert axis.low < axis.high
    assert axis.low - slack <= min(values) and max(values) <= axis.high + slack
    assert 2 <= len(axis.marks) <= 12 and len(axis.labels) == len(axis.marks)
    assert list(axis.marks) == sorted(set(axis.marks))
    assert all(-1e-6 <= axis.place(value) <= 1 + 1e-6 for value in values)
    if zero:
        assert axis.low <= 0 <= axis.high


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e200, 10**400, -(10**400)])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(Misuse, match="honest_micro is"):
        checked(value, "honest_micro")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 40], ("0", "10", "20", "30", "40")),
        ([0], ("0", "0.5", "1.0")),
        ([0, 1_234_567], ("0", "0.5M", "1.0M", "1.5M")),
        ([0, 9_000], ("0", "5k", "10k")),
        ([99, 101], ("99.0", "99.5", "100.0", "100.5", "101.0")),
        ([-3, 9], ("-5", "0", "5", "10")),
    ],
)
def test_marks_stand_at_round_numbers(values: list[float], labels: tuple[str, ...]) -> None:
    found = linear(values).labels
    assert tuple(label if float(label.rstrip("kM")) else "0" for label in found) == found
    assert found == labels


@pytest.mark.parametrize(
    ("value", "brief", "whole"),
    [
        (0, "0", "0"),
        (1234, "1.23k", "1,234"),
        (12_345_678, "12.3M", "12,345,678"),
        (-0.25, "-0.25", "-0.25"),
        (0.000012345, "1.23e-05", "1.234e-05"),
        (123.456789, "123", "123.457"),
        (3.0, "3", "3"),
        (10**20, "1e+20", "1e+20"),
        (2.5e19, "2.5e+19", "2.5e+19"),
        (True, "1", "1"),
    ],
)
def test_numbers_as_words(value: float, brief: str, whole: str) -> None:
    assert (short(value), full(value)) == (brief, whole)
