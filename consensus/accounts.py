"""One account through one epoch (docs/rules.md, 3).

An account has one writer, and what it receives it can spend from the next epoch on. So what becomes of it in an
epoch follows from what it was before and from its owner's own operations in the order of its log: nobody else's order
matters, and an operation that is not funded at its moment changes nothing at all.

Pure steps on values; consensus/books.py says which are to be worked out, and for whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec

from consensus.chains import Source
from consensus.coins import NO_COINS, Coins
from consensus.ops import LotRef, Spend, Transfer, Unstake
from consensus.params import Params, reward_cap
from crdt.canonical import digest, encode
from crdt.types import Digest, Epoch, MicroJam


class Account(msgspec.Struct, frozen=True, gc=False):
    """Coins by what their owner can do with them. `leaving` ascends by the epoch in which they become free, and
    coins that leave no epoch are not in it."""

    free: Coins = NO_COINS
    staked: Coins = NO_COINS
    leaving: tuple[tuple[Epoch, Coins], ...] = ()

    @property
    def leaving_micro(self) -> MicroJam:
        """Sum of what is on its way out of the stake."""
        return MicroJam(sum(coins.total_micro for _, coins in self.leaving))

    @property
    def total_micro(self) -> MicroJam:
        """All that is in the account."""
        return MicroJam(self.free.total_micro + self.staked.total_micro + self.leaving_micro)


EMPTY = Account()


class Funding(IntEnum):
    """What became of a transfer, a stake or an unstake."""

    FUNDED = 0
    UNFUNDED = 1  # at its moment one of its lots was not there in full: nothing happened
    CUT = 2  # it stands beyond the place where its author's chain was cut: it does not count


class Spent(msgspec.Struct, frozen=True, gc=False):
    """One operation, what became of it, and the account right after it. `missing` is the first lot that was not
    there, of which the account held `held_micro`."""

    source: Source
    op: Spend
    funding: Funding
    missing: LotRef | None
    held_micro: MicroJam
    after: Account


class Fate(NamedTuple):
    """What the network takes in an epoch: for so many fabricated blocks, and for a chain that is cut in it."""

    fabricated: int = 0
    is_cut: bool = False


NO_FATE = Fate()


def opened(account: Account, epoch: Epoch, incoming: Coins) -> Account:
    """The account at the opening of an epoch: what has left the stake by now and what came in is free."""
    ripe = [coins for release, coins in account.leaving if release <= epoch]
    if not ripe and not incoming:
        return account
    free = account.free.merged(incoming)
    for coins in ripe:
        free = free.merged(coins)
    return Account(free, account.staked, account.leaving[len(ripe) :])


def spent(params: Params, account: Account, source: Source, op: Spend) -> Spent:
    """One operation of the account's owner."""
    is_free = not isinstance(op, Unstake)
    purse = account.free if is_free else account.staked
    missing = purse.missing(op.lots)
    if missing is not None:
        return Spent(source, op, Funding.UNFUNDED, missing, purse.of(missing.block), account)
    rest = purse.without(op.lots)
    if not is_free:
        release = Epoch(source.epoch + params.unbond_epochs)
        after = Account(account.free, rest, _leave(account.leaving, release, op.lots))
    elif isinstance(op, Transfer):
        after = Account(rest, account.staked, account.leaving)
    else:
        after = Account(rest, account.staked.with_lots(op.lots), account.leaving)
    return Spent(source, op, Funding.FUNDED, None, MicroJam(0), after)


def _leave(
    leaving: tuple[tuple[Epoch, Coins], ...], release: Epoch, lots: Sequence[LotRef]
) -> tuple[tuple[Epoch, Coins], ...]:
    """Epochs only go up, so what leaves now leaves last."""
    if leaving and leaving[-1][0] == release:
        return (*leaving[:-1], (release, leaving[-1][1].with_lots(lots)))
    return (*leaving, (release, NO_COINS.with_lots(lots)))


def slashed(params: Params, account: Account, fate: Fate) -> Account:
    """The account after what is taken from its stake, and, where that is not enough, from what is leaving it.

    Each fabricated block costs at most `base_micro`; an author that forked its chain loses all of both.
    """
    if fate.is_cut:
        return Account(account.free)
    burn = fate.fabricated * reward_cap(params)
    if not burn:
        return account
    staked = account.staked.burned(burn)
    burn -= account.staked.total_micro - staked.total_micro
    leaving = []
    for release, coins in account.leaving:
        left = coins.burned(burn)
        burn -= coins.total_micro - left.total_micro
        if left:
            leaving.append((release, left))
    return Account(account.free, staked, tuple(leaving))


def digest_of(epoch: Epoch, account: Account, coming: Coins) -> Digest:
    """Hash of an account at the end of an epoch, with what is coming in."""
    leaving = tuple((release, coins.digest()) for release, coins in account.leaving)
    parts = (epoch, account.free.digest(), account.staked.digest(), leaving, coming.digest())
    return Digest(digest(b"symjam-account", encode(parts)))
