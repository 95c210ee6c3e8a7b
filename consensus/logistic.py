"""The decay of a verifier's weight with repetition: 1 / (1 + e^(m - 3)) as a literal Q16 table (SPEC 7).

Literal, because exponentials differ in the last bit between machines and everything folded is an integer. From
m = 15 on the value is zero.
"""

from __future__ import annotations

from typing import Final

from crdt.errors import Misuse

TABLE_Q16: Final = (62428, 57724, 47911, 32768, 17625, 7812, 3108, 1179, 439, 162, 60, 22, 8, 3, 1, 0, 0)


def weight_q16(met: int) -> int:
    """Weight of a verifier that attested `met` of the proposer's recent blocks."""
    if met < 0:
        raise Misuse("a count is not negative")
    return TABLE_Q16[met] if met < len(TABLE_Q16) else 0
