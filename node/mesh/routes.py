"""Which transport a player's frames take: a value without I/O or clock.

The first transport that a player joins by is used until it ends or until another one has shown, by a margin, that it
is better: a route that is changed for nothing reorders frames, which costs latency.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crdt.types import PlayerId
from node.mesh.port import Link

BETTER_TIMES: Final = 2  # how much cheaper another transport must be
_UNMEASURED_US: Final = 1_000_000
_LOSS_US: Final = 1_000  # what one ping of a thousand lost counts as: a lost packet is sent again after 200 ms
_FLOOR_US: Final = 1_000  # below this, differences are noise


def cost_us(link: Link) -> int:
    """What a link is worth: its round trip, made longer by its losses."""
    rtt_us = _UNMEASURED_US if link.rtt_us is None else link.rtt_us
    return max(_FLOOR_US, rtt_us) + link.loss_permille * _LOSS_US


class Routes:
    """For each player the transports it is joined by, the one in use first."""

    def __init__(self) -> None:
        self._ways: dict[PlayerId, list[str]] = {}

    def __contains__(self, player: PlayerId) -> bool:
        return player in self._ways

    def players(self) -> tuple[PlayerId, ...]:
        """Everybody who is joined, in the order in which they came."""
        return tuple(self._ways)

    def used(self, player: PlayerId) -> str | None:
        """The transport in use."""
        ways = self._ways.get(player)
        return ways[0] if ways else None

    def ways(self, player: PlayerId) -> tuple[str, ...]:
        """All transports of a player, the one in use first."""
        return tuple(self._ways.get(player, ()))

    def joined(self, player: PlayerId, transport: str) -> bool:
        """Note a transport; True when it is the player's first."""
        ways = self._ways.setdefault(player, [])
        if transport not in ways:
            ways.append(transport)
        return len(ways) == 1

    def left(self, player: PlayerId, transport: str) -> bool:
        """Forget a transport; True when it was the player's last. Another one, if there is, is in use at once."""
        ways = self._ways.get(player, [])
        if transport not in ways:
            return False
        ways.remove(transport)
        if not ways:
            del self._ways[player]
        return not ways

    def measured(self, player: PlayerId, links: Mapping[str, Link]) -> bool:
        """Change to a transport that is clearly better; True when that happened."""
        ways = self._ways.get(player, [])
        known = [way for way in ways if way in links]
        if len(known) < 2 or ways[0] not in links:
            return False
        best = min(known, key=lambda way: cost_us(links[way]))
        if cost_us(links[best]) * BETTER_TIMES > cost_us(links[ways[0]]):
            return False
        ways.remove(best)
        ways.insert(0, best)
        return True
