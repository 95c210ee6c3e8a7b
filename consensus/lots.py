"""Lots as a person sees them: coins with where they came from and what can be done with them (SPEC 8).

An account knows of its coins only what block, or what epoch's concerts, minted them. Everything else that a lot says
follows from the ledger: which session, who played, who attested, and by what right they are this player's.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from consensus.reward import Reward
from crdt.types import BlockId, Epoch, MicroJam, PlayerId


class Role(StrEnum):
    """How an owner came by a lot. Of what it got in several ways, the first of these is named."""

    PLAYED = "played"
    ATTESTED = "attested"
    PERFORMED = "performed"  # it was witnessed in a concert
    RECEIVED = "received"


class Place(StrEnum):
    """What an owner can do with a lot."""

    FREE = "free"
    COMING = "coming"  # free from the next epoch on
    STAKED = "staked"
    LEAVING = "leaving"  # free from its release on


class Lot(msgspec.Struct, array_like=True, frozen=True):
    """A part of what one block or concert minted, whose it is, and where. `release` is of what is leaving."""

    block: BlockId
    amount_micro: MicroJam
    owner: PlayerId
    role: Role
    place: Place
    release: Epoch | None = None


def parts_of(proposer: PlayerId, reward: Reward) -> dict[PlayerId, int]:
    """What a reward brings to whom, micro-JAM. Nobody gets a lot of nothing."""
    parts: dict[PlayerId, int] = dict(reward.verifiers)
    parts[proposer] = parts.get(proposer, 0) + reward.proposer_micro
    return {player: amount for player, amount in parts.items() if amount}
