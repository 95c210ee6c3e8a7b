"""All accounts through the epochs: whatever changes when, the same as worked out once from the beginning."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import consensus.books
from consensus.accounts import Funding
from consensus.books import Books, StakeChange
from consensus.chains import Source
from consensus.coins import Coins
from consensus.ops import LotRef, Spend, Stake, Transfer, Unstake
from consensus.params import SMALL
from consensus.spends import Spends
from crdt.types import BlockId, EntryId, Epoch, MicroJam, PlayerId, Seq

PARAMS = msgspec.structs.replace(SMALL, base_micro=4, unbond_epochs=2)
PLAYERS = [PlayerId(bytes([n + 1]) * 32) for n in range(4)]
ANN, BEN, CAT, DAN = PLAYERS
FIRST, LAST = 10, 17


def block(number: int) -> BlockId:
    return BlockId(bytes([number]) * 32)


def lots(**amounts: int) -> tuple[LotRef, ...]:
    return tuple(LotRef(block(int(name[1:])), MicroJam(amount)) for name, amount in sorted(amounts.items()))


def at(epoch: int, author: PlayerId, seq: int = 0) -> Source:
    return Source(Epoch(epoch), Seq(seq), 0, author, EntryId(bytes(32)))


class Mint(NamedTuple):
    """Something that is minted, or taken back when what minted it is not accepted after all."""

    epoch: int
    player: PlayerId
    block: int
    amount: int


class Doom(NamedTuple):
    """What is taken from a player in an epoch."""

    epoch: int
    player: PlayerId
    fabricated: int
    is_cut: bool


Said = Mint | Doom | tuple[Source, Spend]


class Desk:
    """Books, and the facts that they rest on."""

    def __init__(self) -> None:
        self.spends = Spends()
        self.books = Books(PARAMS, self.spends)

    def apply(self, *said: Said) -> Desk:
        for one in said:
            if isinstance(one, Mint):
                self.books.mint(Epoch(one.epoch), one.player, block(one.block), one.amount)
            elif isinstance(one, Doom):
                self.books.fabricated(Epoch(one.epoch), one.player, one.fabricated)
                self.books.cut(Epoch(one.epoch), one.player, one.is_cut)
            else:
                self.spends.say(*one)
        return self

    def retract(self, one: Said) -> None:
        if isinstance(one, Mint):
            self.books.mint(Epoch(one.epoch), one.player, block(one.block), -one.amount)
        elif isinstance(one, Doom):
            self.books.fabricated(Epoch(one.epoch), one.player, 0)
            self.books.cut(Epoch(one.epoch), one.player, False)
        else:
            self.spends.unsay(*one)

    def settle(self) -> Desk:
        self.books.take_spends()
        while (epoch := self.books.next_epoch()) is not None:
            self.books.settle(epoch)
        return self


Purse = dict[tuple[int, int], int]  # (release epoch or 0, block) -> amount


def plain(coins: Coins, release: int = 0) -> Purse:
    return {(release, key[0]): amount for key, amount in coins.items()}


def pictures(books: Books) -> dict[tuple[int, PlayerId], tuple[Purse, Purse, Purse, Purse]]:
    """Every account at the end of every epoch: free, staked, leaving, coming in."""
    out = {}
    for epoch in range(FIRST, LAST + 4):
        for player in PLAYERS:
            account, coming = books.account_at(player, Epoch(epoch))
            leaving: Purse = {}
            for release, coins in account.leaving:
                leaving |= plain(coins, release)
            out[epoch, player] = (plain(account.free), plain(account.staked), leaving, plain(coming))
    return out


def move(out: Purse, to: Purse | None, op: Spend, release: int = 0) -> bool:
    """All the lots of an operation from one purse to another, or nothing."""
    if any(out.get((0, lot.block[0]), 0) < lot.amount_micro for lot in op.lots):
        return False
    for lot in op.lots:
        out[0, lot.block[0]] -= lot.amount_micro
        if to is not None:
            to[release, lot.block[0]] = to.get((release, lot.block[0]), 0) + lot.amount_micro
    return True


def burn(amount: int, *purses: Purse) -> None:
    for purse in purses:
        for key in sorted(purse):
            taken = min(amount, purse[key])
            purse[key], amount = purse[key] - taken, amount - taken


def opening(epoch: int, free: Purse, staked: Purse, leaving: Purse, coming: Purse) -> tuple[Purse, Purse, Purse, Purse]:
    for (release, number), amount in [*leaving.items(), *coming.items()]:
        if release <= epoch:
            free[0, number] = free.get((0, number), 0) + amount
    return free, staked, {key: amount for key, amount in leaving.items() if key[0] > epoch}, {}


def from_scratch(said: list[Said]) -> dict[tuple[int, PlayerId], tuple[Purse, Purse, Purse, Purse]]:
    """The same, written down as docs/rules.md has it: all epochs, all players, plain dictionaries."""
    out = {}
    state: dict[PlayerId, tuple[Purse, Purse, Purse, Purse]] = {player: ({}, {}, {}, {}) for player in PLAYERS}
    for epoch in range(FIRST, LAST + 4):
        for player, purses in state.items():
            state[player] = opening(epoch, *purses)
        for one in said:
            if isinstance(one, Mint) and one.epoch == epoch:
                coming = state[one.player][3]
                coming[0, one.block] = coming.get((0, one.block), 0) + one.amount
        for source, op in sorted(one for one in said if not isinstance(one, Mint | Doom) and one[0].epoch == epoch):
            free, staked, leaving, _ = state[source.author]
            if isinstance(op, Transfer):
                move(free, state[op.to][3], op)
            elif isinstance(op, Stake):
                move(free, staked, op)
            else:
                move(staked, leaving, op, epoch + PARAMS.unbond_epochs)
        for one in said:
            if isinstance(one, Doom) and one.epoch == epoch:
                _, staked, leaving, _ = state[one.player]
                burn(10**9 if one.is_cut else one.fabricated * PARAMS.base_micro, staked, leaving)
        for player, purses in state.items():
            free, staked, leaving, coming = ({k: v for k, v in purse.items() if v} for purse in purses)
            state[player] = (free, staked, leaving, coming)
            out[epoch, player] = (dict(free), dict(staked), dict(leaving), dict(coming))
    return out


epochs = st.integers(FIRST, LAST)
players = st.sampled_from(PLAYERS)
some_lots = st.dictionaries(st.integers(1, 3), st.integers(1, 6), min_size=1, max_size=2).map(
    lambda held: tuple(LotRef(block(n), MicroJam(held[n])) for n in sorted(held))
)
mints = st.builds(Mint, epochs, players, st.integers(1, 3), st.integers(1, 9))
dooms = st.builds(Doom, epochs, players, st.integers(0, 3), st.booleans())
spends = st.tuples(
    st.builds(at, epochs, players, st.integers(0, 5)),
    st.one_of(
        st.builds(Transfer, players, some_lots, st.just("")),
        st.builds(Transfer, players, some_lots, st.just("")),
        st.builds(Stake, some_lots),
        st.builds(Unstake, some_lots),
    ),
).filter(lambda one: not isinstance(one[1], Transfer) or one[1].to != one[0].author)
histories = st.tuples(
    st.lists(mints, min_size=1, max_size=10),
    st.lists(dooms, max_size=3, unique_by=lambda doom: doom[:2]),
    st.lists(spends, max_size=25, unique_by=lambda one: one[0]),
).map(lambda parts: [*parts[0], *parts[1], *parts[2]])


def check_conserved(books: Books) -> None:
    """All that is anywhere is what was minted less what was burned, and nothing is negative."""
    for epoch in (FIRST, FIRST + 3, LAST, LAST + 9):
        held = [books.account_at(player, Epoch(epoch)) for player in PLAYERS]
        for account, coming in held:
            coins = [account.free, account.staked, coming, *(c for _, c in account.leaving)]
            assert all(amount > 0 for one in coins for _, amount in one.items())
    there = sum(account.total_micro + coming.total_micro for account, coming in held)
    assert there == books.minted_micro - books.burned_micro


@given(histories, st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_with_questions_in_between_ends_as_from_scratch(said: list[Said], data: st.DataObject) -> None:
    desk = Desk()
    asked = data.draw(st.sets(st.integers(0, len(said)), max_size=8))
    for n, one in enumerate(data.draw(st.permutations(said))):
        desk.apply(one)
        if n in asked:
            check_conserved(desk.settle().books)
    desk.settle()
    check_conserved(desk.books)
    assert pictures(desk.books) == from_scratch(said)
    assert desk.books.digest() == Desk().apply(*said).settle().books.digest()


@given(histories, histories, st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_taken_back_leaves_no_trace(said: list[Said], gone: list[Said], data: st.DataObject) -> None:
    """Chain cuts and verdicts that come late: some of what was worked out is taken back, then other things come."""
    spoken = {one[0] for one in said if not isinstance(one, Mint | Doom)}
    doomed = {one[:2] for one in said if isinstance(one, Doom)}
    gone = [
        one
        for one in gone
        if isinstance(one, Mint) or (one[:2] not in doomed if isinstance(one, Doom) else one[0] not in spoken)
    ]
    part = data.draw(st.integers(0, len(said)))
    desk = Desk().apply(*said[:part], *gone).settle()
    for one in data.draw(st.permutations(gone)):
        desk.retract(one)
        if data.draw(st.booleans()):
            check_conserved(desk.settle().books)
    desk.apply(*said[part:]).settle()
    check_conserved(desk.books)
    fresh = Desk().apply(*said).settle()
    assert pictures(desk.books) == from_scratch(said)
    assert desk.books.digest() == fresh.books.digest() and list(desk.books.players()) == list(fresh.books.players())
    for player in PLAYERS:
        assert desk.books.spends_of(player) == fresh.books.spends_of(player)
        assert desk.books.received_by(player) == fresh.books.received_by(player)


@given(histories, st.data())
@settings(max_examples=100, deadline=None)
def test_every_change_of_a_stake_is_told(said: list[Said], data: st.DataObject) -> None:
    desk, known = Desk(), {(epoch, player): 0 for epoch in range(FIRST - 1, LAST + 4) for player in PLAYERS}
    for one in data.draw(st.permutations(said)):
        desk.apply(one).settle()
        told, desk.books.stake_changes = desk.books.stake_changes, []
        for (epoch, player), before in known.items():
            now = desk.books.stake_at(player, Epoch(epoch))
            assert now == desk.books.account_at(player, Epoch(epoch))[0].staked.total_micro
            assert now == before or any(covers(change, player, epoch) for change in told)
            known[epoch, player] = now


def covers(change: StakeChange, player: PlayerId, epoch: int) -> bool:
    return change.player == player and change.since <= epoch and (change.until is None or epoch < change.until)


def test_what_one_receives_can_be_spent_from_the_next_epoch_on() -> None:
    desk = Desk().apply(
        Mint(10, ANN, 1, 9),
        (at(10, ANN), Transfer(BEN, lots(b1=1), "too early")),
        (at(11, ANN), Transfer(BEN, lots(b1=5), "")),
        (at(11, BEN), Transfer(CAT, lots(b1=5), "too early")),
        (at(12, BEN), Transfer(CAT, lots(b1=5), "")),
    )
    books = desk.settle().books
    assert [one.funding for one in books.received_by(CAT)] == [Funding.UNFUNDED, Funding.FUNDED]
    assert [one.funding for one in books.spends_of(ANN)] == [Funding.UNFUNDED, Funding.FUNDED]
    account, coming = books.account_at(CAT, Epoch(12))
    assert not account.free and coming.total_micro == 5
    assert books.account_at(CAT, Epoch(13))[0].free.total_micro == 5


def test_who_was_paid_with_what_was_never_there_has_nothing_and_what_it_paid_on_is_unfunded() -> None:
    mint = Mint(10, ANN, 1, 9)
    desk = Desk().apply(
        mint,
        (at(11, ANN), Transfer(BEN, lots(b1=9), "")),
        (at(12, BEN), Transfer(CAT, lots(b1=9), "")),
        (at(13, CAT), Stake(lots(b1=9))),
    )
    assert desk.settle().books.stake_at(CAT, Epoch(13)) == 9
    desk.retract(mint)
    books = desk.settle().books
    assert books.stake_at(CAT, Epoch(13)) == 0 and books.minted_micro == 0
    for player in (ANN, BEN, CAT):
        assert [one.funding for one in books.spends_of(player)] == [Funding.UNFUNDED]


def test_what_left_the_stake_is_free_after_its_time_and_can_be_burned_until_then() -> None:
    said: list[Said] = [
        Mint(10, ANN, 1, 9),
        (at(11, ANN), Stake(lots(b1=9))),
        (at(12, ANN), Unstake(lots(b1=6))),
        (at(14, ANN), Transfer(BEN, lots(b1=5), "")),
    ]
    books = Desk().apply(*said).settle().books
    assert [books.stake_at(ANN, Epoch(e)) for e in (10, 11, 12, 13)] == [0, 9, 3, 3]
    assert books.account_at(ANN, Epoch(13))[0].leaving_micro == 6
    assert books.account_at(BEN, Epoch(14))[1].total_micro == 5
    cut = Desk().apply(*said, Doom(13, ANN, 0, is_cut=True)).settle().books
    assert cut.burned_micro == 9 and not cut.account_at(BEN, Epoch(14))[1]
    assert cut.account_at(ANN, Epoch(20))[0].total_micro == 0


def test_the_hash_of_all_accounts_changes_with_any_of_them_and_comes_back() -> None:
    said: list[Said] = [
        Mint(10, ANN, 1, 9),
        (at(11, ANN), Stake(lots(b1=4))),
        (at(12, ANN), Unstake(lots(b1=3))),
        (at(12, ANN, 1), Transfer(BEN, lots(b1=2), "")),
        Doom(13, ANN, 1, is_cut=False),
    ]
    desk = Desk()
    seen = [desk.books.digest(), *(desk.apply(one).settle().books.digest() for one in said)]
    assert len(set(seen)) == len(seen)
    for one, before in zip(reversed(said), reversed(seen[:-1]), strict=True):
        desk.retract(one)
        assert desk.settle().books.digest() == before
    assert not list(desk.books.players())


def test_movements_say_what_came_and_went_for_good() -> None:
    said: list[Said] = [
        Mint(10, ANN, 1, 9),
        Mint(10, ANN, 2, 3),
        (at(11, ANN), Stake(lots(b1=4))),
        (at(11, ANN, 1), Transfer(BEN, lots(b1=1, b2=2), "")),
        (at(11, ANN, 2), Transfer(BEN, lots(b1=99), "unfunded")),
        (at(12, ANN), Unstake(lots(b1=1))),
        Doom(13, ANN, 0, is_cut=True),
    ]
    books = Desk().apply(*said).settle().books
    moved = [(m.epoch, m.block[0], m.amount_micro, m.to) for m in books.movements_of(ANN)]
    assert moved == [(10, 1, 9, None), (10, 2, 3, None), (11, 1, -1, BEN), (11, 2, -2, BEN), (13, 1, -4, None)]
    assert [(m.epoch, m.block[0], m.amount_micro) for m in books.movements_of(BEN)] == [(11, 1, 1), (11, 2, 2)]
    assert books.movements_of(CAT) == []


def test_only_what_a_change_touches_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A year of epochs and hundreds of operations before it, and one more operation costs one."""
    desk, worked = Desk(), []
    step = consensus.books.spent
    monkeypatch.setattr(consensus.books, "spent", lambda *args: (worked.append(args[2].epoch), step(*args))[1])
    desk.apply(Mint(9, ANN, 1, 1_000))
    for epoch in range(FIRST, FIRST + 300):
        desk.apply((at(epoch, ANN), Transfer(BEN, lots(b1=1), "")), (at(epoch, CAT), Stake(lots(b2=1))))
    desk.settle()
    last = FIRST + 299
    worked.clear()
    desk.apply(*((at(last, ANN, seq), Transfer(DAN, lots(b1=1), "")) for seq in range(1, 50))).settle()
    assert worked == [last] * 49
    worked.clear()
    desk.apply((at(last, ANN, 99), Stake(lots(b1=1)))).settle()
    assert worked == [last]
    worked.clear()
    desk.apply(Mint(last - 3, BEN, 7, 5)).settle()
    assert worked == []
    desk.apply(Mint(last - 3, CAT, 7, 5)).settle()
    assert worked == [last - 2, last - 1, last]
    worked.clear()
    desk.apply((at(last - 3, CAT, 5), Transfer(ANN, lots(b7=9), "unfunded"))).settle()
    assert worked == [last - 3]
