"""Six decimals, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.types import UINT63_MAX, MicroJam
from wallet.amounts import NotAnAmount, format_jam, parse_jam


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "0.000000"),
        (1, "0.000001"),
        (999_999, "0.999999"),
        (1_000_000, "1.000000"),
        (-1, "-0.000001"),
        (-1_500_000, "-1.500000"),
        (UINT63_MAX, "9223372036854.775807"),
    ],
)
def test_format(micro: int, text: str) -> None:
    assert format_jam(MicroJam(micro)) == text


@pytest.mark.parametrize(
    ("text", "micro"),
    [("0", 0), ("1", 1_000_000), ("0.1", 100_000), ("1.5", 1_500_000), ("007.000001", 7_000_001)],
)
def test_parse(text: str, micro: int) -> None:
    assert parse_jam(text) == micro


@given(st.integers(0, UINT63_MAX))
def test_what_is_shown_can_be_typed(micro: int) -> None:
    assert parse_jam(format_jam(MicroJam(micro))) == micro


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        ".5",
        "1.",
        "-1",
        "+1",
        "1.0000001",
        "0.0000000",
        "1e3",
        "1E-6",
        "0x10",
        "1_000",
        "1,000",
        "1,5",
        "1.2.3",
        " 1",
        "1 ",
        "1\n",
        "1 JAM",
        "nan",
        "inf",
        "\u0661",  # ARABIC-INDIC DIGIT ONE: int() would take it
        "\uff11",  # FULLWIDTH DIGIT ONE
        "1.\u0665",
        "\u22121",
        "1\x00",
        "9" * 21,
        "9" * 100_000,
        "9223372036854.775808",
    ],
)
def test_what_is_not_an_amount(text: str) -> None:
    with pytest.raises(NotAnAmount) as caught:
        parse_jam(text)
    assert len(str(caught.value)) < 300


@given(st.text(max_size=12))
def test_any_text_is_an_exact_amount_or_none(text: str) -> None:
    try:
        amount = parse_jam(text)
    except NotAnAmount:
        return
    whole, _, decimals = text.partition(".")
    assert format_jam(amount) == f"{int(whole)}.{decimals:0<6}"
