"""Axes and numbers: where the marks stand, and how a number is written beside one, in a table, in a sentence.

Marks are at 1, 2 or 5 times a power of ten (Heckbert, "Nice numbers for graph labels", Graphics Gems, 1990), because
those can be read between.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, isfinite, log10
from typing import Final, NamedTuple

from crdt.errors import Misuse

Number = int | float
LARGEST: Final = 1e150  # differences and squares of such numbers are still numbers
LEAST: Final = 1e-300  # less is drawn as nothing: below, floats lose their digits
_SUFFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


class Axis(NamedTuple):
    """From where to where, the marks on it, and what is written at each."""

    low: float
    high: float
    marks: tuple[float, ...]
    labels: tuple[str, ...]

    def place(self, value: Number) -> float:
        """Where a value lies, 0 at the low end and 1 at the high one."""
        return (value - self.low) / (self.high - self.low)


def checked(value: Number, where: str) -> Number:
    """The value, if it can be drawn; Misuse for NaN, the infinities and what no float holds."""
    if not -LARGEST <= value <= LARGEST or not isfinite(value):
        raise Misuse(f"{where} is {value!r}, which no figure and no plot can show")
    return value


def linear(values: Sequence[Number], marks: int = 5, *, zero: bool = False) -> Axis:
    """An axis over the values, to round numbers; from zero when they come near it, or when asked."""
    low, high = float(min(values)), float(max(values))
    if zero or 0 <= low <= 0.6 * high:
        low = min(low, 0.0)
    if zero or 0.6 * low <= high <= 0:
        high = max(high, 0.0)
    if high - low <= max(LEAST, 1e-9 * max(abs(low), abs(high))):
        # one value only: with zero in sight
        low, high = (min(low, 0.0), max(high, 0.0)) if max(abs(low), abs(high)) > LEAST else (0.0, 1.0)
    step = _nice((high - low) / (marks - 1))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    places = tuple(number * step for number in range(first, last + 1))
    return Axis(places[0], places[-1], places, _labels(places, step))


def _nice(step: float) -> float:
    power = 10.0 ** floor(log10(step))
    return next(part * power for part in (1, 2, 5, 10) if part * power >= step * (1 - 1e-9))


def _labels(places: Sequence[float], step: float) -> tuple[str, ...]:
    """All with the same suffix and as many decimals as the step needs."""
    largest = max(abs(place) for place in places)
    if largest >= 1e15 or 0 < largest < 1e-4:
        return tuple(f"{place:.4g}" for place in places)
    scale, suffix = next(((s, name) for s, name in _SUFFIXES if largest >= max(s, 1e4)), (1.0, ""))
    decimals = max(0, -floor(log10(step / scale) + 1e-9))
    return tuple(f"{place / scale:.{decimals}f}{suffix}" if place else "0" for place in places)


def short(value: Number) -> str:
    """Three digits and a suffix: 0, 0.25, 12.3k, 4M."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-3:
        return f"{value:.3g}"
    scale, suffix = next(((s, name) for s, name in _SUFFIXES if size >= s), (1.0, ""))
    return f"{float(f'{value / scale:.3g}'):g}{suffix}"


def full(value: Number) -> str:
    """As in a table: whole numbers whole, others to six digits, thousands grouped."""
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e15):
        return f"{int(value):,}" if abs(value) < 10**18 else f"{value:.6g}"
    size = abs(value)
    if size >= 1e15 or size < 1e-4:
        return f"{value:.4g}"
    decimals = min(8, max(0, 5 - floor(log10(size))))
    return f"{value:,.{decimals}f}".rstrip("0").rstrip(".")
