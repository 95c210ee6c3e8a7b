"""How many lanes were really used: the inverse Simpson index (Hill number of order 2).

With shares p of the lanes, 1 / sum(p^2) is the number of equally used lanes that would be as varied: 1 when all notes
are on one, 4 when four share them evenly. A token hit on a further lane hardly moves it, which is the point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from consensus.events import Onset
from consensus.params import ONE_Q16

FULL_LANES: Final = 3  # effective lanes that count as fully varied; docs/quality.md has what drummers reach


def effective_lanes_q16(onsets: Sequence[Onset]) -> int:
    """The effective number of lanes in Q16; 0 for nothing."""
    counts = Counter(onset.lane for onset in onsets)
    squares = sum(n * n for n in counts.values())
    return len(onsets) ** 2 * ONE_Q16 // squares if squares else 0


def diversity_q16(lanes_q16: int) -> int:
    """From 0 for a single effective lane to 1 for FULL_LANES of them."""
    return min(max(lanes_q16 - ONE_Q16, 0) // (FULL_LANES - 1), ONE_Q16)
