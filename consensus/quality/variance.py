"""Whether numbers that belong together are more alike than chance would have it: analysis of variance, in integers.

For numbers in groups, F is the variance between the groups' means over the variance within the groups. Without any
common cause in a group it is about one; log F then spreads by sqrt(2/a + 2/b) natural units, a and b being the
degrees of freedom between and within (Fisher 1924). That spread is taken off, so that few numbers, of which any F may
come, show little.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from math import isqrt
from typing import Final

from consensus.params import ONE_Q16

LOG2_E_Q16: Final = 94_548
LOG2_BITS: Final = 16


def excess_q16(values: Sequence[int], groups: Sequence[Hashable]) -> int | None:
    """log2 of F less one spread of chance, Q16. None with fewer than two groups, or as many groups as values."""
    sums, counts = group_sums(values, groups)
    n, between_df = len(values), len(sums) - 1
    within_df = n - len(sums)
    if between_df < 1 or within_df < 1:
        return None
    total = sum(values)
    # Everything times n: sums of squares between the groups and in all.
    between = n * sum(sums[g] * sums[g] // counts[g] for g in sums) - total * total
    whole = n * sum(v * v for v in values) - total * total
    within = max(whole - between, 1)
    ratio = log2_q16(max(between, 1) * within_df, within * between_df)
    chance = isqrt(ONE_Q16 * ONE_Q16 * 2 * (between_df + within_df) // (between_df * within_df))
    return ratio - chance * LOG2_E_Q16 // ONE_Q16


def centred(values: Sequence[int], groups: Sequence[Hashable]) -> list[int]:
    """Each value less its group's mean, rounded."""
    sums, counts = group_sums(values, groups)
    means = {g: sums[g] // counts[g] for g in sums}
    return [value - means[group] for value, group in zip(values, groups, strict=True)]


def group_sums(values: Iterable[int], groups: Iterable[Hashable]) -> tuple[dict[Hashable, int], dict[Hashable, int]]:
    """Sum and count of each group, groups in their first order."""
    sums: dict[Hashable, int] = {}
    counts: dict[Hashable, int] = {}
    for value, group in zip(values, groups, strict=True):
        sums[group] = sums.get(group, 0) + value
        counts[group] = counts.get(group, 0) + 1
    return sums, counts


def log2_q16(numerator: int, denominator: int) -> int:
    """log2 of a positive fraction, rounded down to 1/65536: bit by bit, by squaring (Knuth, TAOCP 1.2.2)."""
    whole = numerator.bit_length() - denominator.bit_length()
    if (numerator << -whole if whole < 0 else numerator) < (denominator << whole if whole > 0 else denominator):
        whole -= 1
    shift = 40 - whole
    mantissa = (numerator << shift if shift > 0 else numerator >> -shift) // denominator  # in [1, 2) with 40 bits
    result = whole
    for _ in range(LOG2_BITS):
        mantissa = mantissa * mantissa >> 40
        result *= 2
        if mantissa >> 41:
            mantissa >>= 1
            result += 1
    return result
