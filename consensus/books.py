"""All accounts through the epochs, and which of them to work out again.

A step is one account's way through one epoch (consensus/accounts.py). It rests on the account's step before it, on what
came in meanwhile and on its owner's operations; what its transfers bring to others is spent by them in later epochs. So
a change runs only forward in time: taken in order of epochs, everything is worked out once, and where a step ends as
before and pays as before, nothing behind it is touched.

There is a step only for an epoch in which something happens to an account, and each holds values that share what they
have in common (consensus/hashtree.py): history costs what has changed in it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

from consensus.accounts import EMPTY, NO_FATE, Account, Fate, Funding, Spent, digest_of, opened, slashed, spent
from consensus.chains import Source
from consensus.coins import NO_COINS, Coins
from consensus.content import AccountPart
from consensus.hashtree import GrowingTree
from consensus.ops import LotRef, Spend, Transfer
from consensus.params import Params
from consensus.spends import Spends
from crdt.types import BlockId, Digest, Epoch, MicroJam, PlayerId

_ALL: Final = 2**62  # beyond the last operation of any step


class StakeChange(NamedTuple):
    """A player's stake is another than it was at the end of the epochs from `since` on and before `until`."""

    player: PlayerId
    since: Epoch
    until: Epoch | None


class Movement(NamedTuple):
    """Coins of one origin that came into an account in an epoch (positive), or left it for good: to somebody else, or,
    without `to`, because they were burned."""

    epoch: Epoch
    block: BlockId
    amount_micro: MicroJam
    to: PlayerId | None


class _Step:
    """An account at the opening of an epoch, after each operation, and at the end. `basis` is what the opening was
    made of: how the step before ended, and what came in during it."""

    __slots__ = ("basis", "burned_micro", "end", "opening", "spends")

    def __init__(self, epoch: Epoch, basis: tuple[Account, Coins]) -> None:
        self.basis = basis
        self.opening = self.end = opened(basis[0], epoch, basis[1])
        self.spends: list[Spent] = []
        self.burned_micro = 0


class _Book:
    """One player's steps, and what came in during each epoch."""

    __slots__ = ("coming", "epochs", "steps")

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []  # of the steps, ascending
        self.steps: dict[Epoch, _Step] = {}
        self.coming: dict[Epoch, Coins] = {}

    def before(self, epoch: Epoch) -> Epoch | None:
        at = bisect_left(self.epochs, epoch)
        return self.epochs[at - 1] if at else None

    def after(self, epoch: Epoch) -> Epoch | None:
        at = bisect_right(self.epochs, epoch)
        return self.epochs[at] if at < len(self.epochs) else None

    def basis(self, epoch: Epoch) -> tuple[Account, Coins]:
        last = self.before(epoch)
        return (EMPTY, NO_COINS) if last is None else (self.steps[last].end, self.coming.get(last, NO_COINS))


class Books:
    """Accounts by player and epoch. Changes are noted at once and worked out by `settle`, in order of epochs."""

    def __init__(self, params: Params, spends: Spends) -> None:
        self._params, self._spends = params, spends
        self.minted_micro = MicroJam(0)
        self.burned_micro = MicroJam(0)
        self.stake_changes: list[StakeChange] = []
        self._books: defaultdict[PlayerId, _Book] = defaultdict(_Book)
        self._fates: dict[tuple[Epoch, PlayerId], Fate] = {}
        self._received: dict[PlayerId, dict[Source, Spent]] = {}
        self._dirty: dict[Epoch, dict[PlayerId, int]] = {}
        self._queue: list[Epoch] = []
        self._unhashed: set[PlayerId] = set()
        self._tree: GrowingTree[PlayerId, bytes] = GrowingTree()

    # what comes from elsewhere

    def mint(self, epoch: Epoch, player: PlayerId, block: BlockId, amount_micro: int) -> None:
        """So much more of a block comes in for a player in an epoch; less, if the amount is negative."""
        self.minted_micro = MicroJam(self.minted_micro + amount_micro)
        self._bring(epoch, player, block, amount_micro)

    def fabricated(self, epoch: Epoch, player: PlayerId, count: int) -> None:
        """How many blocks of a player in windows of an epoch are fabricated."""
        self._sentence(epoch, player, self._fates.get((epoch, player), NO_FATE)._replace(fabricated=count))

    def cut(self, epoch: Epoch, player: PlayerId, is_cut: bool) -> None:
        """Whether a player's chain is cut in an epoch."""
        self._sentence(epoch, player, self._fates.get((epoch, player), NO_FATE)._replace(is_cut=is_cut))

    def _sentence(self, epoch: Epoch, player: PlayerId, fate: Fate) -> None:
        if fate == NO_FATE:
            self._fates.pop((epoch, player), None)
        else:
            self._fates[epoch, player] = fate
        self._mark(epoch, player, _ALL)

    def take_spends(self) -> None:
        """Note what has changed among the players' operations."""
        changed, self._spends.changed = self._spends.changed, {}
        for (epoch, player), first in changed.items():
            self._mark(epoch, player, first)

    def _mark(self, epoch: Epoch, player: PlayerId, first: int) -> None:
        dirty = self._dirty.get(epoch)
        if dirty is None:
            dirty = self._dirty[epoch] = {}
            heappush(self._queue, epoch)
        dirty[player] = min(first, dirty.get(player, first))

    # working out

    def next_epoch(self) -> Epoch | None:
        """The earliest epoch in which there is something to work out."""
        return self._queue[0] if self._queue else None

    def settle(self, epoch: Epoch) -> None:
        """Work out all accounts of one epoch; nothing of an earlier one may be waiting."""
        dirty = self._dirty.get(epoch, {})
        while dirty:
            self._work(epoch, *dirty.popitem())
        if self._queue and self._queue[0] == epoch:
            del self._dirty[heappop(self._queue)]

    def _work(self, epoch: Epoch, player: PlayerId, first: int) -> None:
        book = self._books[player]
        said = self._spends.of(player, epoch)
        fate = self._fates.get((epoch, player), NO_FATE)
        basis = book.basis(epoch)
        step = book.steps.get(epoch) or _Step(epoch, basis)
        end, stake_before = step.end, step.end.staked.total_micro
        if step.basis[0] is not basis[0] or step.basis[1] is not basis[1]:
            opening, step.basis = opened(basis[0], epoch, basis[1]), basis
            if opening != step.opening:
                step.opening, first = opening, 0
        self._spend(epoch, step, said, first)
        last = step.spends[-1].after if step.spends else step.opening
        step.end = slashed(self._params, last, fate)
        burned = last.total_micro - step.end.total_micro if fate != NO_FATE else 0
        self.burned_micro = MicroJam(self.burned_micro + burned - step.burned_micro)
        step.burned_micro = burned
        self._file(epoch, book, step, bool(said) or epoch in book.coming or fate != NO_FATE)
        following = book.after(epoch)
        if following is not None and step.end != end:
            self._mark(following, player, _ALL)
        if step.end.staked.total_micro != stake_before:
            self.stake_changes.append(StakeChange(player, epoch, following))
        self._unhashed.add(player)

    def _spend(self, epoch: Epoch, step: _Step, said: Sequence[tuple[Source, Spend]], first: int) -> None:
        """Do the operations from the first on that may end otherwise, and let others know what that brings them."""
        dropped = step.spends[first:]
        del step.spends[first:]
        account = step.spends[-1].after if step.spends else step.opening
        done = len(step.spends)
        for source, op in said[done:]:
            one = spent(self._params, account, source, op)
            account = one.after
            step.spends.append(one)
        changes: dict[tuple[PlayerId, BlockId], int] = {}
        self._payments(dropped, -1, changes)
        self._payments(step.spends[done:], 1, changes)
        for (to, block), amount in changes.items():
            if amount:
                self._bring(epoch, to, block, amount)

    def _payments(self, spends: Sequence[Spent], sign: int, changes: dict[tuple[PlayerId, BlockId], int]) -> None:
        for one in spends:
            if isinstance(one.op, Transfer):
                received = self._received.setdefault(one.op.to, {})
                if sign > 0:
                    received[one.source] = one
                else:
                    received.pop(one.source, None)
                if one.funding is Funding.FUNDED:
                    for lot in one.op.lots:
                        key = (one.op.to, lot.block)
                        changes[key] = changes.get(key, 0) + sign * lot.amount_micro

    def _bring(self, epoch: Epoch, player: PlayerId, block: BlockId, amount_micro: int) -> None:
        """Change what comes in during an epoch: it is spent from the next one on."""
        book = self._books[player]
        coins = book.coming.get(epoch, NO_COINS).plus(block, amount_micro)
        if coins:
            book.coming[epoch] = coins
        else:
            book.coming.pop(epoch, None)
        if coins and epoch in book.steps:
            self._unhashed.add(player)  # the step itself does not rest on what comes in during it
        else:
            self._mark(epoch, player, _ALL)
        following = book.after(epoch)
        if following is not None:
            self._mark(following, player, _ALL)

    def _file(self, epoch: Epoch, book: _Book, step: _Step, is_needed: bool) -> None:
        at = bisect_left(book.epochs, epoch)
        is_there = at < len(book.epochs) and book.epochs[at] == epoch
        if is_needed and not is_there:
            book.epochs.insert(at, epoch)
            book.steps[epoch] = step
        elif is_there and not is_needed:
            del book.epochs[at], book.steps[epoch]

    # what is asked

    def account_at(self, player: PlayerId, epoch: Epoch) -> tuple[Account, Coins]:
        """A player's account at the end of an epoch, and what is coming in."""
        book = self._books.get(player)
        if book is None:
            return EMPTY, NO_COINS
        if epoch in book.steps:
            return book.steps[epoch].end, book.coming.get(epoch, NO_COINS)
        ended, coming = book.basis(epoch)
        return opened(ended, epoch, coming), NO_COINS

    def stake_at(self, player: PlayerId, epoch: Epoch) -> MicroJam:
        """What a player has staked at the end of an epoch."""
        book = self._books.get(player)
        last = None if book is None else book.before(Epoch(epoch + 1))
        return MicroJam(0) if book is None or last is None else book.steps[last].end.staked.total_micro

    def players(self) -> Iterator[PlayerId]:
        """Everybody to whose account anything happened, sorted."""
        return (player for player in sorted(self._books) if self._books[player].epochs)

    def spends_of(self, player: PlayerId) -> list[Spent]:
        """A player's own operations and what became of each, in the order of its log."""
        book = self._books.get(player)
        return [] if book is None else [one for epoch in book.epochs for one in book.steps[epoch].spends]

    def movements_of(self, player: PlayerId) -> list[Movement]:
        """All that came into a player's account and left it for good, by epoch."""
        book = self._books.get(player)
        return [] if book is None else [one for epoch in book.epochs for one in _moved(epoch, book)]

    def received_by(self, player: PlayerId) -> list[Spent]:
        """Transfers to a player and what became of each, in canonical order."""
        received = self._received.get(player, {})
        return [received[source] for source in sorted(received)]

    def digest(self) -> Digest:
        """Hash of every account at the end of the last epoch in which anything happened to it."""
        for player in self._unhashed:
            book = self._books[player]
            if not book.epochs:
                self._tree.drop(player)
                continue
            epoch = book.epochs[-1]
            coming = book.coming.get(epoch, NO_COINS)
            self._tree.put(player, digest_of(epoch, book.steps[epoch].end, coming))
        self._unhashed.clear()
        return self._tree.digest()

    # what a checkpoint holds of it

    def accounts_at(self, epoch: Epoch) -> list[AccountPart]:
        """All accounts at the end of an epoch that hold anything, or in which anything is coming."""
        found = []
        for player in sorted(self._books):
            account, coming = self.account_at(player, epoch)
            if account != EMPTY or coming:
                leaving = tuple((release, _lots(coins)) for release, coins in account.leaving)
                parts = _lots(account.free), _lots(account.staked), leaving, _lots(coming)
                found.append(AccountPart(player, *parts))
        return found

    def burned_after(self, epoch: Epoch) -> MicroJam:
        """What was taken from stakes in later epochs."""
        later = (book.steps[at] for book in self._books.values() for at in book.epochs if at > epoch)
        return MicroJam(sum(step.burned_micro for step in later))

    def plant(self, epoch: Epoch, accounts: Iterable[AccountPart], minted: int, burned: int) -> None:
        """Begin with what a checkpoint holds."""
        self.minted_micro, self.burned_micro = MicroJam(minted), MicroJam(burned)
        for part in accounts:
            book = self._books[part.player] = _Book()
            leaving = tuple((release, NO_COINS.with_lots(lots)) for release, lots in part.leaving)
            account = Account(NO_COINS.with_lots(part.free), NO_COINS.with_lots(part.staked), leaving)
            book.epochs, book.steps = [epoch], {epoch: _Step(epoch, (account, NO_COINS))}
            if part.coming:
                book.coming[epoch] = NO_COINS.with_lots(part.coming)
            self._unhashed.add(part.player)


def _moved(epoch: Epoch, book: _Book) -> Iterator[Movement]:
    step = book.steps[epoch]
    for one in step.spends:
        if isinstance(one.op, Transfer) and one.funding is Funding.FUNDED:
            for lot in one.op.lots:
                yield Movement(epoch, lot.block, MicroJam(-lot.amount_micro), one.op.to)
    if step.burned_micro:
        before = step.spends[-1].after if step.spends else step.opening
        lost = _at_stake(before)
        lost.subtract(_at_stake(step.end))
        for block in sorted(block for block, amount in lost.items() if amount):
            yield Movement(epoch, block, MicroJam(-lost[block]), None)
    for block, amount in book.coming.get(epoch, NO_COINS).items():
        yield Movement(epoch, block, amount, None)


def _at_stake(account: Account) -> Counter[BlockId]:
    held: Counter[BlockId] = Counter()
    for coins in (account.staked, *(leaving for _, leaving in account.leaving)):
        held.update(dict(coins.items()))
    return held


def _lots(coins: Coins) -> tuple[LotRef, ...]:
    return tuple(LotRef(block, amount) for block, amount in coins.items())
