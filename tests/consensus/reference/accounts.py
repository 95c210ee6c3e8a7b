"""Accounts, one epoch after another (docs/rules.md, 3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from consensus.ops import LotRef, Stake, Transfer, Unstake
from consensus.params import Params
from crdt.types import BlockId, EntryId, PlayerId
from tests.consensus.reference.entries import Place, Said

Lots = dict[BlockId, int]


@dataclass
class Account:
    """Coins by origin. `coming` is free from the next epoch on."""

    free: Lots = field(default_factory=dict)
    staked: Lots = field(default_factory=dict)
    leaving: dict[tuple[int, BlockId], int] = field(default_factory=dict)
    coming: Lots = field(default_factory=dict)

    def copy(self) -> Account:
        return Account(dict(self.free), dict(self.staked), dict(self.leaving), dict(self.coming))

    @property
    def amounts(self) -> list[int]:
        return [*self.free.values(), *self.staked.values(), *self.leaving.values(), *self.coming.values()]


def give(lots: Lots, block: BlockId, amount: int) -> None:
    lots[block] = lots.get(block, 0) + amount


def take(lots: Lots, wanted: tuple[LotRef, ...]) -> bool:
    """Take all that is wanted, or nothing."""
    if any(lots.get(lot.block, 0) < lot.amount_micro for lot in wanted):
        return False
    for lot in wanted:
        lots[lot.block] -= lot.amount_micro
        if not lots[lot.block]:
            del lots[lot.block]
    return True


def open_epoch(account: Account, epoch: int) -> None:
    for release, block in sorted(account.leaving):
        if release <= epoch:
            give(account.free, block, account.leaving.pop((release, block)))
    for block, amount in account.coming.items():
        give(account.free, block, amount)
    account.coming = {}


def operate(
    params: Params, epoch: int, account: Account, said: list[Said]
) -> tuple[list[Transfer], list[tuple[EntryId, int]]]:
    """One author's operations of an epoch, in order. Returns funded transfers, and which operations were unfunded."""
    sent, unfunded = [], []
    for s in said:
        if isinstance(s.op, Transfer):
            funded = take(account.free, s.op.lots)
            if funded:
                sent.append(s.op)
        elif isinstance(s.op, Stake):
            funded = take(account.free, s.op.lots)
            for lot in s.op.lots if funded else ():
                give(account.staked, lot.block, lot.amount_micro)
        elif isinstance(s.op, Unstake):
            funded = take(account.staked, s.op.lots)
            for lot in s.op.lots if funded else ():
                key = (epoch + params.unbond_epochs, lot.block)
                account.leaving[key] = account.leaving.get(key, 0) + lot.amount_micro
        else:
            continue
        if not funded:
            unfunded.append((s.entry, s.nth))
    return sent, unfunded


def burn(account: Account, amount: int | None) -> int:
    """Burn so much (all, if None) of what is staked, then of what is leaving; returns how much it was."""
    burned = 0
    for lots in (account.staked, account.leaving):
        for key in sorted(lots):
            part = lots[key] if amount is None else min(lots[key], amount - burned)
            burned += part
            lots[key] -= part
            if not lots[key]:
                del lots[key]
    return burned


def close_epoch(
    params: Params,
    epoch: int,
    accounts: dict[PlayerId, Account],
    fabricated: list[PlayerId],
    cuts: dict[PlayerId, Place],
) -> int:
    """Slash. `fabricated` names the proposers of fabricated blocks, one for each, in the order of the blocks' ids."""
    burned = sum(burn(accounts[player], params.base_micro) for player in fabricated)
    return burned + sum(burn(accounts[p], None) for p, place in cuts.items() if place[0] == epoch and p in accounts)
