"""What the mesh tells its owner, what a transport is to the mesh, and what a link shows. Values and protocols only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from crdt.errors import Reason
from crdt.types import PlayerId


@dataclass(frozen=True, slots=True)
class Link:
    """A direct link over one transport, as it is now."""

    peer_id: str
    address: str  # of the connection in use; the port is the peer's ephemeral one when the peer dialled
    rtt_us: int | None  # lower quartile of recent pings, None before the first
    since: float  # monotonic seconds
    queued: int  # frames not yet handed to the connection
    transport: str = "tcp"  # the transport's name
    loss_permille: int = 0  # of recent pings, those that were not answered in time


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What discovery has noticed. Addresses are written as multiaddrs without the peer."""

    multicast: bool | None  # whether one's own announcement came back; None: too early to say, or not asked for
    silent: tuple[str, ...]  # announced by peers who answer at none of them
    twins: tuple[str, ...]  # where somebody else announces this very player


class Transport(Protocol):
    """One way of reaching players. Everything but `run` is called in the trio thread and never blocks."""

    name: str

    async def run(self, task_status: Any = ...) -> None:
        """Take part until cancelled. OperatingFailure when what was asked for cannot be had."""

    def links(self) -> Mapping[PlayerId, Link]:
        """The links over this transport, with what was measured of each."""

    def send(self, player: PlayerId, frame: bytes) -> bool:
        """Queue a frame; False when there is no link or its outbox is full."""

    def flush(self) -> None:
        """Have what was queued leave."""

    def drop(self, player: PlayerId) -> None:
        """Cut the player's connections at once."""

    def part(self, player: PlayerId, away_s: int) -> None:
        """Say that this node has links enough, and that the player may try again after `away_s`; then cut."""


class TransportEvents(Protocol):
    """Callbacks of a transport: synchronous, never blocking. Per player: joined, then frames, then left."""

    def joined(self, player: PlayerId, address: str) -> None:
        """Frames can be sent to this player over this transport."""

    def left(self, player: PlayerId) -> None:
        """No more; what was still queued is lost."""

    def frame(self, player: PlayerId, frame: bytes) -> None:
        """One whole frame, at most FRAME_MAX_BYTES."""

    def violated(self, player: PlayerId | None, reason: Reason, detail: str) -> None:
        """A peer broke the transport's protocol. None when it could not be told who."""

    def parted(self, player: PlayerId, away_s: int) -> None:
        """The player has links enough, and asks not to be dialled for a while."""

    def admits(self, player: PlayerId) -> bool:
        """Whether a player that has proved its key may come in."""


class MeshEvents(Protocol):
    """Callbacks into the mesh's owner: synchronous, never blocking, always in the trio thread.

    Per player the order is joined, then frames, then left, whatever transports come and go below; after `left` a player
    may join again. What a callback raises is counted and logged by the mesh's guard, and goes no further.
    """

    def joined(self, player: PlayerId, address: str) -> None:
        """Frames can be sent to this player."""

    def left(self, player: PlayerId) -> None:
        """It is gone; frames still queued for the player are lost."""

    def frame(self, player: PlayerId, frame: bytes) -> None:
        """One whole frame, at most FRAME_MAX_BYTES."""

    def hint(self, data: bytes) -> None:
        """A gossip message, at most HINT_MAX_BYTES, from anyone: repeated, reordered, lost or invented at will."""

    def violated(self, player: PlayerId | None, reason: Reason, detail: str) -> None:
        """A peer broke the transport's protocol. None when it could not be told who."""
