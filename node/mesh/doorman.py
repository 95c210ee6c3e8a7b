"""How often one host may come to the door. A handshake costs this node milliseconds, and a key costs a stranger
nothing: whoever was thrown out is back at once under another name, unless its host has to wait."""

from __future__ import annotations

from typing import Final

from crdt.limits import HANDSHAKES_BURST_MAX, HANDSHAKES_PER_S_MAX, HOSTS_KNOWN_MAX

_OFFENCE: Final = 8.0  # what throwing one of a host's players out costs that host
_DEBT_MAX: Final = 60.0


class Doorman:
    """A token bucket for each host. Times are trio's seconds."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[float, float]] = {}  # left, and when

    def lets_in(self, host: str, now: float) -> bool:
        """Whether a handshake with this host may begin; counts it if so."""
        left = self._left(host, now)
        if left < 1:
            return False
        self._keep(host, left - 1, now)
        return True

    def offended(self, host: str, now: float) -> None:
        """A player of this host was thrown out."""
        self._keep(host, max(-_DEBT_MAX, self._left(host, now) - _OFFENCE), now)

    def _left(self, host: str, now: float) -> float:
        left, at = self._tokens.get(host, (float(HANDSHAKES_BURST_MAX), now))
        return min(HANDSHAKES_BURST_MAX, left + (now - at) * HANDSHAKES_PER_S_MAX)

    def _keep(self, host: str, left: float, now: float) -> None:
        self._tokens.pop(host, None)
        if len(self._tokens) >= HOSTS_KNOWN_MAX:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[host] = (left, now)
