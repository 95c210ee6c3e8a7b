"""What the fold asks about people (SPEC 8); consensus/society.py answers.

Whoever answers is told what is acknowledged as it is worked out, and what was said; and is asked, in order of epochs,
whether that made anybody another than before. Nothing that is answered about an epoch may rest on a later one.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from consensus.opinions import Changes
from crdt.types import Epoch, PlayerId


class Shift(NamedTuple):
    """What working out an epoch has changed: whether anybody may be more or less of a person at its end or at that of
    a later one, and whose reviews of which epochs (later ones) began or ended."""

    are_persons_other: bool = False
    acknowledged: frozenset[PlayerId] | None = frozenset()  # the only ones who may be other; None: anybody may
    reviews: frozenset[tuple[Epoch, PlayerId]] = frozenset()


class Census(Protocol):
    """Persons and reviews by epoch."""

    def person_q16(self, player: PlayerId, epoch: Epoch) -> int:
        """How much of a person a player is at the end of an epoch, 65536 being a whole one."""

    def is_reviewed(self, player: PlayerId, epoch: Epoch) -> bool:
        """Whether a player's blocks of this epoch are under review."""

    def take(self, changes: Changes) -> None:
        """Note the epochs of which opinions changed."""

    def recount(self, epoch: Epoch) -> None:
        """Note that the snapshot two epochs before this one may be another."""

    def acknowledge(self, epoch: Epoch, player: PlayerId, by: PlayerId, count: int) -> None:
        """Note so many votes more (fewer, if negative) of somebody that count on a player's accepted blocks."""

    def next_epoch(self) -> Epoch | None:
        """The earliest epoch in which there is something to work out."""

    def settle(self, epoch: Epoch) -> Shift:
        """Work out an epoch; nothing of an earlier one may be waiting."""
