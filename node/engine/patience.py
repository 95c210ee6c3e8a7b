"""How much patience is left with whom. Every violation costs points by its kind; points decay with time.

Whoever has used them up is refused for a while, and for longer each time: one lost packet or an old version costs
nobody a friend, and hanging up does not wipe the slate. Kept by player, linked or not, for as many as are bounded.
"""

from __future__ import annotations

from typing import Final

from crdt.errors import BLAMELESS, Reason
from crdt.limits import OFFENDERS_MAX
from crdt.types import PlayerId

COST: Final[dict[Reason, int]] = {
    Reason.WRONG_NETWORK: 100,
    Reason.FLOOD: 100,
    Reason.BAD_SIGNATURE: 20,
    Reason.GARBAGE: 20,
    Reason.NON_CANONICAL: 20,
    Reason.OVERSIZE: 20,
    Reason.TRUNCATED: 10,
    Reason.EMPTY: 25,
    Reason.SLOW: 60,
}
COST_DEFAULT: Final = 10
PATIENCE: Final = 100
REFUSE_S: Final = 60
REFUSE_AGAIN_TIMES: Final = 4
REFUSE_MAX_S: Final = 3_600
OTHER_NETWORK_S: Final = 600  # a neighbour with another room is no villain, but there is nothing to say


class _Record:
    """What one player has done."""

    def __init__(self, now_us: int) -> None:
        self.points = 0
        self.at_us = now_us
        self.refused_until_us = 0
        self.offences = 0


class Patience:
    """The records of those who have violated something, the longest untouched forgotten first."""

    def __init__(self) -> None:
        self._records: dict[PlayerId, _Record] = {}

    def blame(self, player: PlayerId, reason: Reason, now_us: int) -> int:
        """Count a violation; for how many seconds to refuse the player, 0 while there is patience left."""
        if reason in BLAMELESS:
            return 0
        record = self._records.pop(player, None) or _Record(now_us)
        if len(self._records) >= OFFENDERS_MAX:
            del self._records[next(iter(self._records))]
        self._records[player] = record
        elapsed_s = max(0, now_us - record.at_us) // 1_000_000
        record.points = max(0, record.points - elapsed_s) + COST.get(reason, COST_DEFAULT)
        record.at_us += elapsed_s * 1_000_000
        if record.points < PATIENCE:
            return 0
        return self._refuse(record, reason, now_us)

    def _refuse(self, record: _Record, reason: Reason, now_us: int) -> int:
        record.points = 0
        if reason is Reason.WRONG_NETWORK:
            return OTHER_NETWORK_S
        if now_us > record.refused_until_us + REFUSE_MAX_S * 1_000_000:
            record.offences = 0
        for_s = min(REFUSE_MAX_S, REFUSE_S * int(REFUSE_AGAIN_TIMES**record.offences))
        record.offences += 1
        record.refused_until_us = now_us + for_s * 1_000_000
        return for_s
