"""Coins, and one account through one epoch: what is funded, what it leaves, what is taken."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.accounts import EMPTY, NO_FATE, Account, Fate, Funding, digest_of, opened, slashed, spent
from consensus.chains import Source
from consensus.coins import NO_COINS, Coins
from consensus.ops import LotRef, Spend, Stake, Transfer, Unstake
from consensus.params import SMALL
from crdt.errors import Misuse
from crdt.types import BlockId, EntryId, Epoch, MicroJam, PlayerId, Seq

R0 = SMALL.base_micro
ME, YOU = PlayerId(b"\x01" * 32), PlayerId(b"\x02" * 32)


def block(number: int) -> BlockId:
    return BlockId(bytes([number]) * 32)


def lot(number: int, amount_micro: int) -> LotRef:
    return LotRef(block(number), MicroJam(amount_micro))


def coins(**amounts: int) -> Coins:
    """b1=5 is 5 of block 1."""
    return NO_COINS.with_lots(lot(int(name[1:]), amount) for name, amount in amounts.items())


def at(epoch: int) -> Source:
    return Source(Epoch(epoch), Seq(0), 0, ME, EntryId(bytes(32)))


def plain(held: Coins) -> dict[int, int]:
    return {key[0]: amount for key, amount in held.items()}


def test_coins_of_different_blocks_never_merge_and_nothing_is_no_lot() -> None:
    held = coins(b1=5, b2=3).plus(block(1), 2)
    assert plain(held) == {1: 7, 2: 3} and held.total_micro == 10 and held.of(block(3)) == 0
    assert plain(held.without((lot(2, 3),))) == {1: 7}
    assert held.without((lot(1, 7), lot(2, 3))) == NO_COINS and not NO_COINS
    assert coins(b1=5) != coins(b2=5) and coins(b1=5) != 5 and hash(coins(b1=5)) == hash(coins(b1=5))
    with pytest.raises(Misuse):
        held.without((lot(3, 1),))
    with pytest.raises(Misuse):
        held.plus(block(2), -4)
    assert plain(held) == {1: 7, 2: 3}


def test_the_first_missing_lot_is_named() -> None:
    held = coins(b1=5, b2=3)
    assert held.missing((lot(1, 5), lot(2, 3))) is None
    assert held.missing((lot(1, 5), lot(2, 4), lot(3, 1))) == lot(2, 4)
    assert held.missing((lot(3, 1),)) == lot(3, 1)


@pytest.mark.parametrize(
    ("amount", "left"),
    [
        (0, {1: 5, 2: 3, 3: 1}),
        (1, {1: 4, 2: 3, 3: 1}),
        (5, {2: 3, 3: 1}),
        (6, {2: 2, 3: 1}),
        (8, {3: 1}),
        (9, {}),
        (99, {}),
    ],
)
def test_burning_goes_up_from_the_lowest_block(amount: int, left: dict[int, int]) -> None:
    assert plain(coins(b1=5, b2=3, b3=1).burned(amount)) == left


def test_what_comes_in_and_what_has_left_the_stake_is_free_at_the_opening() -> None:
    account = Account(
        coins(b1=1), coins(b2=2), ((Epoch(10), coins(b1=3)), (Epoch(11), coins(b3=4)), (Epoch(12), coins(b1=9)))
    )
    assert opened(account, Epoch(9), NO_COINS) is account
    after = opened(account, Epoch(11), coins(b4=7))
    assert plain(after.free) == {1: 4, 3: 4, 4: 7} and after.leaving == ((12, coins(b1=9)),)
    assert after.staked == account.staked and after.total_micro == account.total_micro + 7
    assert opened(EMPTY, Epoch(9), coins(b1=1)) == Account(coins(b1=1))


def test_transfer_stake_and_unstake_move_coins() -> None:
    start = Account(coins(b1=10))
    given = spent(SMALL, start, at(5), Transfer(YOU, (lot(1, 4),), ""))
    assert given.funding is Funding.FUNDED and given.after == Account(coins(b1=6)) and given.missing is None
    staked = spent(SMALL, given.after, at(5), Stake((lot(1, 5),)))
    assert staked.after == Account(coins(b1=1), coins(b1=5))
    out = spent(SMALL, staked.after, at(5), Unstake((lot(1, 2),)))
    more = spent(SMALL, out.after, at(5), Unstake((lot(1, 1),)))
    release = 5 + SMALL.unbond_epochs
    assert more.after == Account(coins(b1=1), coins(b1=2), ((Epoch(release), coins(b1=3)),))
    later = spent(SMALL, more.after, at(6), Unstake((lot(1, 1),)))
    assert [epoch for epoch, _ in later.after.leaving] == [release, release + 1]
    assert later.after.total_micro == 6 and later.after.leaving_micro == 4


@pytest.mark.parametrize(
    ("op", "missing", "held"),
    [
        (Transfer(YOU, (lot(1, 6),), ""), lot(1, 6), 5),
        (Transfer(YOU, (lot(1, 5), lot(2, 1)), ""), lot(2, 1), 0),
        (Transfer(YOU, (lot(3, 1),), ""), lot(3, 1), 0),  # staked, not free
        (Transfer(YOU, (lot(4, 1),), ""), lot(4, 1), 0),  # leaving, not free
        (Stake((lot(1, 2), lot(3, 2))), lot(3, 2), 0),
        (Unstake((lot(1, 1),)), lot(1, 1), 0),  # free, not staked
        (Unstake((lot(3, 8),)), lot(3, 8), 7),
        (Unstake((lot(4, 1),)), lot(4, 1), 0),  # already leaving
    ],
)
def test_what_is_not_there_in_full_does_nothing_at_all(op: Spend, missing: LotRef, held: int) -> None:
    account = Account(coins(b1=5), coins(b3=7), ((Epoch(99), coins(b4=2)),))
    tried = spent(SMALL, account, at(5), op)
    assert (tried.funding, tried.missing, tried.held_micro) == (Funding.UNFUNDED, missing, held)
    assert tried.after is account


def test_fabrication_takes_from_the_stake_then_from_what_leaves_it_and_never_from_what_is_free() -> None:
    account = Account(
        coins(b9=5), coins(b1=R0, b2=R0 // 2), ((Epoch(8), coins(b5=R0, b3=R0)), (Epoch(9), coins(b0=R0)))
    )
    assert slashed(SMALL, account, NO_FATE) is account
    once = slashed(SMALL, account, Fate(fabricated=1))
    assert plain(once.staked) == {2: R0 // 2} and once.leaving == account.leaving
    twice = slashed(SMALL, account, Fate(fabricated=2))
    assert not twice.staked and [(e, plain(c)) for e, c in twice.leaving] == [(8, {3: R0 // 2, 5: R0}), (9, {0: R0})]
    four = slashed(SMALL, account, Fate(fabricated=4))
    assert [(e, plain(c)) for e, c in four.leaving] == [(9, {0: R0 // 2})]
    assert slashed(SMALL, account, Fate(fabricated=9)) == Account(account.free)
    assert slashed(SMALL, EMPTY, Fate(fabricated=1)) == EMPTY


def test_a_fork_takes_all_that_is_staked_or_leaving() -> None:
    account = Account(coins(b9=5), coins(b1=1), ((Epoch(8), coins(b5=1)),))
    for fate in (Fate(is_cut=True), Fate(fabricated=1, is_cut=True)):
        assert slashed(SMALL, account, fate) == Account(account.free)


amounts = st.dictionaries(st.integers(0, 5), st.integers(1, 9), max_size=4)
purses = amounts.map(lambda held: NO_COINS.with_lots(lot(n, amount) for n, amount in held.items()))
some_lots = amounts.filter(bool).map(lambda held: tuple(lot(n, held[n]) for n in sorted(held)))
operations = st.one_of(
    st.builds(Transfer, st.just(YOU), some_lots, st.just("")),
    st.builds(Stake, some_lots),
    st.builds(Unstake, some_lots),
)


@given(purses, st.lists(st.tuples(st.integers(0, 2), operations), max_size=12), st.integers(0, 3), st.booleans())
@settings(max_examples=300, deadline=None)
def test_nothing_comes_from_nothing(start: Coins, said: list[tuple[int, Spend]], fabricated: int, is_cut: bool) -> None:
    """Through operations and epochs, what was there is there, was given away, or was burned."""
    params = msgspec.structs.replace(SMALL, base_micro=3, unbond_epochs=1)
    account, epoch, given_away = Account(start), 5, 0
    for later, op in said:
        epoch += later
        account = opened(account, Epoch(epoch), NO_COINS)
        one = spent(params, account, at(epoch), op)
        account = one.after
        if isinstance(op, Transfer) and one.funding is Funding.FUNDED:
            given_away += sum(asked.amount_micro for asked in op.lots)
    assert account.total_micro + given_away == start.total_micro
    after = slashed(params, account, Fate(fabricated, is_cut))
    at_stake = account.staked.total_micro + account.leaving_micro
    assert account.total_micro - after.total_micro == (at_stake if is_cut else min(3 * fabricated, at_stake))
    for held in (after.free, after.staked, *(c for _, c in after.leaving)):
        assert all(amount > 0 for _, amount in held.items())
        assert held.total_micro == sum(amount for _, amount in held.items())
    assert all(coins for _, coins in after.leaving)


def test_the_digest_tells_places_epochs_and_amounts_apart() -> None:
    one = coins(b1=1)
    accounts = [
        (5, Account(one), NO_COINS),
        (6, Account(one), NO_COINS),
        (5, Account(NO_COINS, one), NO_COINS),
        (5, Account(NO_COINS, NO_COINS, ((Epoch(8), one),)), NO_COINS),
        (5, Account(NO_COINS, NO_COINS, ((Epoch(9), one),)), NO_COINS),
        (5, EMPTY, one),
        (5, Account(coins(b1=2)), NO_COINS),
        (5, EMPTY, NO_COINS),
    ]
    assert len({digest_of(Epoch(epoch), account, coming) for epoch, account, coming in accounts}) == len(accounts)
