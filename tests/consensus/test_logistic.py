from __future__ import annotations

from decimal import Decimal, getcontext

import pytest

from consensus.logistic import TABLE_Q16, weight_q16
from crdt.errors import Misuse


def test_the_table_is_the_logistic_function_rounded() -> None:
    getcontext().prec = 40
    for met, value in enumerate(TABLE_Q16):
        assert value == int((Decimal(65_536) / (1 + (Decimal(met) - 3).exp())).to_integral_value())


def test_it_falls_to_nothing_and_stays_there() -> None:
    assert list(TABLE_Q16) == sorted(TABLE_Q16, reverse=True)
    assert [weight_q16(m) for m in (0, 3, 14, 15, 16, 17, 1_000_000)] == [62_428, 32_768, 1, 0, 0, 0, 0]


def test_a_count_is_not_negative() -> None:
    with pytest.raises(Misuse):
        weight_q16(-1)
