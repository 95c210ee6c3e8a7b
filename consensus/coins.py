"""Coins by origin: how much of what each block, or concert, has minted is together in one place (SPEC 8).

Values: what is added to or taken from coins gives other coins and leaves these as they were. There is never a lot of
nothing, so equal coins are equal trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from consensus.hashtree import HashTree
from consensus.ops import LotRef
from crdt.errors import Misuse
from crdt.types import BlockId, Digest, MicroJam


class Coins(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Amounts by block, all above zero, and their sum."""

    _lots: HashTree[BlockId, int]
    total_micro: MicroJam

    def of(self, block: BlockId) -> MicroJam:
        """How much there is of what a block minted."""
        return MicroJam(self._lots.get(block) or 0)

    def plus(self, block: BlockId, amount_micro: int) -> Coins:
        """With so much more of one block; with less, if the amount is negative. Misuse below zero."""
        amount = (self._lots.get(block) or 0) + amount_micro
        if amount < 0:
            raise Misuse("less than nothing is never held")
        lots = self._lots.put(block, amount) if amount else self._lots.drop(block)
        return Coins(lots, MicroJam(self.total_micro + amount_micro))

    def missing(self, lots: Iterable[LotRef]) -> LotRef | None:
        """The first of these lots that is not here in full; None when all are. Each block is named once."""
        held = self._lots.get
        for lot in lots:
            if (held(lot.block) or 0) < lot.amount_micro:
                return lot
        return None

    def with_lots(self, lots: Iterable[LotRef]) -> Coins:
        """With these lots added."""
        coins = self
        for lot in lots:
            coins = coins.plus(lot.block, lot.amount_micro)
        return coins

    def without(self, lots: Iterable[LotRef]) -> Coins:
        """With these lots taken away. Misuse when one is not here in full."""
        coins = self
        for lot in lots:
            coins = coins.plus(lot.block, -lot.amount_micro)
        return coins

    def merged(self, other: Coins) -> Coins:
        """These and those together."""
        if not self:
            return other
        held = self._lots.get
        lots = self._lots.put_all((block, (held(block) or 0) + amount) for block, amount in other.items())
        return Coins(lots, MicroJam(self.total_micro + other.total_micro))

    def burned(self, amount_micro: int) -> Coins:
        """With so much taken away, ascending by block; all of it when that is not more."""
        if amount_micro >= self.total_micro:
            return NO_COINS
        coins = self
        for block, amount in self.items():
            if amount_micro <= 0:
                break
            coins = coins.plus(block, -min(amount, amount_micro))
            amount_micro -= amount
        return coins

    def items(self) -> Iterator[tuple[BlockId, MicroJam]]:
        """Blocks and amounts, ascending by block."""
        return ((block, MicroJam(amount)) for block, amount in self._lots.items())

    def digest(self) -> Digest:
        """Hash of all amounts by block."""
        return self._lots.digest()

    def __bool__(self) -> bool:
        return self.total_micro > 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Coins) and self.total_micro == other.total_micro and self._lots == other._lots

    def __hash__(self) -> int:
        return hash(self._lots)


NO_COINS = Coins(HashTree(), MicroJam(0))
