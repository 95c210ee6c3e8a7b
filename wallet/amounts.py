"""Amounts as people write them: JAM with six decimals, to the micro-JAM and no further.

No float is involved in either direction. Parsing accepts one spelling style (digits, an optional point and one to six
decimals) and no sign, exponent, separator, blank or foreign digit: a wallet that guesses what was meant pays wrongly.
"""

from __future__ import annotations

import re
from typing import Final

from crdt.errors import OperatingFailure
from crdt.types import UINT63_MAX, MicroJam

DECIMALS: Final = 6
MICRO: Final = 10**DECIMALS

_AMOUNT: Final = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,6}))?", re.ASCII)


class NotAnAmount(OperatingFailure):
    """What was typed is no amount of JAM."""


def format_jam(amount_micro: MicroJam) -> str:
    """`1234567` as `1.234567`: always six decimals, a minus in front of a loss."""
    whole, micro = divmod(abs(amount_micro), MICRO)
    return f"{'-' if amount_micro < 0 else ''}{whole}.{micro:0{DECIMALS}d}"


def parse_jam(text: str) -> MicroJam:
    """The amount that was written. Raises NotAnAmount; whether zero makes sense is the caller's to say."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise NotAnAmount(
            f"{text[:40]!r} is not an amount", "it must be digits with at most six decimals", "Write it like 12 or 0.25"
        )
    amount = int(match[1]) * MICRO + int((match[2] or "").ljust(DECIMALS, "0"))
    if amount > UINT63_MAX:
        raise NotAnAmount(f"{text[:40]!r} is not an amount", "there can never be so much JAM")
    return MicroJam(amount)
