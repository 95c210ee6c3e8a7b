"""Who is kept out, and until when: a bounded table without a clock of its own."""

from __future__ import annotations

from crdt.limits import BANNED_PEERS_MAX
from crdt.types import PlayerId


class Refusals:
    """Players refused for a time. When it is full, the refusal that would end first makes room."""

    def __init__(self) -> None:
        self._until_s: dict[PlayerId, float] = {}

    def __len__(self) -> int:
        return len(self._until_s)

    def add(self, player: PlayerId, now_s: float, seconds_s: float) -> None:
        """Refuse a player for that long from now; never shortens a refusal."""
        if player not in self._until_s and len(self._until_s) >= BANNED_PEERS_MAX:
            del self._until_s[min(self._until_s, key=self._until_s.__getitem__)]
        self._until_s[player] = max(self._until_s.get(player, 0.0), now_s + seconds_s)

    def is_refused(self, player: PlayerId, now_s: float) -> bool:
        """Whether a player is kept out now."""
        until = self._until_s.get(player)
        if until is None:
            return False
        if until <= now_s:
            del self._until_s[player]
            return False
        return True
