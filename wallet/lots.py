"""Which coins to pay with: the oldest first, each once, and no more of them than one entry holds.

Coins remember where they came from, so a payment names lots. Old ones go first: what minted them is the most likely to
be final, and an account does not fill with ever more remnants. Where that takes more lots than fit, the largest go
instead, which takes the fewest that there are. Both orders are total: the same account and amount always give the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from consensus.ops import LotRef
from crdt.errors import Misuse
from crdt.limits import LOTS_PER_OP_MAX
from crdt.types import BlockId, MicroJam, Window

OPS_PER_SPEND_MAX: Final = 4  # operations of LOTS_PER_OP_MAX lots each: as many as an entry's payload has room for
LOTS_PER_SPEND_MAX: Final = OPS_PER_SPEND_MAX * LOTS_PER_OP_MAX

Parts = tuple[tuple[LotRef, ...], ...]


class Held(NamedTuple):
    """A lot that can be paid with: the window that minted it, its origin, how much of it there is."""

    window: Window
    block: BlockId
    amount_micro: MicroJam


class TooLittle(Misuse):
    """There is not so much."""

    def __init__(self, held_micro: int) -> None:
        super().__init__("there is not so much")
        self.held_micro = MicroJam(held_micro)


class TooScattered(Misuse):
    """There is as much, in more lots than one entry holds; `most_micro` is what can be paid at once."""

    def __init__(self, most_micro: int) -> None:
        super().__init__("it lies in more lots than one entry can name")
        self.most_micro = MicroJam(most_micro)


def choose(held: Iterable[Held], amount_micro: int) -> Parts:
    """Lots that sum up to an amount exactly, in one part for each operation, ascending by block in each and over all.

    Each block is held once. Misuse for an amount that is none, TooLittle, TooScattered.
    """
    lots = sorted(held)
    if amount_micro <= 0:
        raise Misuse("an amount to pay is above zero")
    if (total := sum(lot.amount_micro for lot in lots)) < amount_micro:
        raise TooLittle(total)
    taken = _until(lots, amount_micro)
    if len(taken) > LOTS_PER_SPEND_MAX:
        largest = sorted(lots, key=lambda lot: (-lot.amount_micro, lot))
        taken = _until(largest, amount_micro)
        if len(taken) > LOTS_PER_SPEND_MAX:
            raise TooScattered(sum(lot.amount_micro for lot in largest[:LOTS_PER_SPEND_MAX]))
    taken.sort()
    return tuple(tuple(taken[at : at + LOTS_PER_OP_MAX]) for at in range(0, len(taken), LOTS_PER_OP_MAX))


def _until(lots: Iterable[Held], amount_micro: int) -> list[LotRef]:
    """The first of these, the last of them in part, until they sum up."""
    taken: list[LotRef] = []
    left = amount_micro
    for lot in lots:
        if not left:
            break
        part = min(left, lot.amount_micro)
        taken.append(LotRef(lot.block, MicroJam(part)))
        left -= part
    return taken
