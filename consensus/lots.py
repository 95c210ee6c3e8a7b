"""Coins that remember where they came from (SPEC 8).

What a block mints is a lot: its block, an amount, an owner, and how the owner came by it. A balance is nothing but
the sum of a player's lots, so it can be read by provenance: which session, who played, who attested. Lots of
different blocks never merge.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from consensus.reward import Reward
from crdt.types import BlockId, MicroJam, PlayerId


class Role(StrEnum):
    """How an owner came by a lot."""

    PLAYED = "played"
    ATTESTED = "attested"


class Lot(msgspec.Struct, array_like=True, frozen=True):
    """A part of what one block minted, and whose it is."""

    block: BlockId
    amount_micro: MicroJam
    owner: PlayerId
    role: Role


def minted(block: BlockId, proposer: PlayerId, reward: Reward) -> tuple[Lot, ...]:
    """The lots that a reward makes, the proposer's first. Nobody gets a lot of nothing."""
    lots = [Lot(block, reward.proposer_micro, proposer, Role.PLAYED)]
    lots += [Lot(block, amount, verifier, Role.ATTESTED) for verifier, amount in reward.verifiers]
    return tuple(lot for lot in lots if lot.amount_micro > 0)


class Purses:
    """Every player's lots, and the sums that are asked for most."""

    def __init__(self) -> None:
        self.supply_micro = MicroJam(0)
        self._lots: dict[PlayerId, dict[BlockId, Lot]] = {}
        self._balances: dict[PlayerId, MicroJam] = {}

    def add(self, lots: tuple[Lot, ...]) -> None:
        """Credit lots to their owners."""
        for lot in lots:
            self._lots.setdefault(lot.owner, {})[lot.block] = lot
            self._credit(lot.owner, lot.amount_micro)

    def remove(self, lots: tuple[Lot, ...]) -> None:
        """Take back lots that were added: what minted them is no longer accepted, or is paid otherwise."""
        for lot in lots:
            del self._lots[lot.owner][lot.block]
            self._credit(lot.owner, -lot.amount_micro)
            if not self._lots[lot.owner]:
                del self._lots[lot.owner], self._balances[lot.owner]

    def _credit(self, player: PlayerId, amount_micro: int) -> None:
        self._balances[player] = MicroJam(self._balances.get(player, 0) + amount_micro)
        self.supply_micro = MicroJam(self.supply_micro + amount_micro)

    def balance(self, player: PlayerId) -> MicroJam:
        """Sum of a player's lots."""
        return self._balances.get(player, MicroJam(0))

    def lots(self, player: PlayerId) -> list[Lot]:
        """A player's lots, by block id."""
        mine = self._lots.get(player, {})
        return [mine[block] for block in sorted(mine)]

    def balances(self) -> dict[PlayerId, MicroJam]:
        """Every balance above zero, players sorted."""
        return {player: self._balances[player] for player in sorted(self._balances)}
