"""What the mesh tells its owner, and what it shows of its links. Values only: nothing here touches libp2p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from crdt.errors import Reason
from crdt.types import PlayerId


@dataclass(frozen=True, slots=True)
class Link:
    """A direct link as it is now."""

    peer_id: str
    address: str  # of the connection in use; the port is the peer's ephemeral one when the peer dialled
    rtt_us: int | None  # lower quartile of recent pings, None before the first
    since: float  # monotonic seconds
    queued: int  # frames not yet handed to the connection


class MeshEvents(Protocol):
    """Callbacks into the mesh's owner: synchronous, never blocking, always in the trio thread.

    Per player the order is joined, then frames, then left; after `left` a player may join again. What a callback
    raises is counted and logged by the mesh's guard, and goes no further.
    """

    def joined(self, player: PlayerId, address: str) -> None:
        """A stream for writing to this player is open."""

    def left(self, player: PlayerId) -> None:
        """It is gone; frames still queued for the player are lost."""

    def frame(self, player: PlayerId, frame: bytes) -> None:
        """One whole frame, at most FRAME_MAX_BYTES."""

    def hint(self, data: bytes) -> None:
        """A gossip message, at most HINT_MAX_BYTES, from anyone: repeated, reordered, lost or invented at will."""

    def violated(self, player: PlayerId | None, reason: Reason, detail: str) -> None:
        """A peer broke the transport's protocol. None when it could not be told who."""
