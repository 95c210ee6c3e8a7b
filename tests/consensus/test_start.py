"""A ledger that starts from a checkpoint's content and takes in the later entries is the one that folded everything."""

from __future__ import annotations

import functools
import random

import msgspec
import pytest

from consensus.checkpoint import NO_VALUE
from consensus.content import Content, pack, total_of, unpack, value_of, voters_of
from consensus.ledger import Ledger
from consensus.ops import LotRef, Report, Stake, Transfer, Unstake, Vouch, Why, Witness
from consensus.params import ONE_Q16, SMALL, Params
from consensus.state import BlockState
from crdt.entry import Entry, next_body, sign
from crdt.errors import Misuse, Violation
from crdt.types import BlockId, Epoch, Window, ledger_epoch
from tests.consensus.world import FIRST, Person, World

N = SMALL.epoch_windows
EPOCH = SMALL.epoch_of(FIRST)


def founded(people: int, founders: int) -> Params:
    keys = sorted(Person(number).player for number in range(people))[:founders]
    return msgspec.structs.replace(SMALL, founders=tuple(keys))


@functools.cache
def lively() -> World:
    """Ten people, six of them founders, over twelve epochs: all but three, who report together, vouch for one another;
    they play, vote, pay, stake and witness, and one forks its log."""
    params = founded(10, 6)
    world = World(10, params)
    people = sorted(world.people, key=lambda person: person.player)
    world.people = people
    friends = people[:3] + people[6:]
    for one in friends:
        world.say(one, EPOCH, *(Vouch(other.player) for other in friends if other is not one))
    world.open_session(people[0])
    for n in range(12 * N):
        window = FIRST + n
        proposer = n % 5
        block = world.round(window, proposer)
        if n % N == 1:
            spend(world, window, n)
        if n % 7 == 3:
            other = world.people[(proposer + 1) % 9]
            world.say(other, world.epoch(window), Witness(world.session, world.people[proposer].player, (), n % 2 == 0))
        if n == 4 * N:
            for person in people[3:6]:
                world.say(person, world.epoch(window), Report(people[1].player, Why.REPLAY, block))
        if n == 5 * N:
            fork = people[9].last
            world.say(people[9], world.epoch(window), Vouch(people[0].player))
            assert fork is not None
            world.publish(sign(people[9].identity, world.network, next_body(fork, b"")))
            world.people = people[:9]
    return world


def spend(world: World, window: int, n: int) -> None:
    """The first player sends a little, stakes some, and takes some of it back."""
    me, epoch = world.people[n % 3], world.epoch(window)
    account, _ = world.ledger.account(me.player, Epoch(epoch - 1))
    lots = [LotRef(block, amount) for block, amount in account.free.items() if amount > 9][:2]
    if lots:
        world.say(me, epoch, Transfer(world.people[6].player, (LotRef(lots[0].block, 5),), ""))
        world.say(me, epoch, Stake((LotRef(lots[-1].block, 4),)))
    held = [LotRef(block, amount) for block, amount in account.staked.items()][:1]
    if held:
        world.say(me, epoch, Unstake(tuple(held)))


def later(world: World, epoch: int) -> list[Entry]:
    return [entry for entry in world.entries if epoch_of(entry) > epoch]


def epoch_of(entry: Entry) -> Epoch:
    epoch = ledger_epoch(entry.body.document)
    assert epoch is not None
    return epoch


def test_the_lively_world_is_lively() -> None:
    ledger = lively().ledger
    content = ledger.content_at(Epoch(EPOCH + 6))
    assert all(content.accounts) and content.acks and content.witnesses and content.vouches and content.accepted
    assert any(account.staked for account in content.accounts) and any(author.is_cut for author in content.authors)
    assert any(account.leaving for account in content.accounts) and content.reviews and content.burned_micro >= 0
    assert any(0 < p.weight < ONE_Q16 for p in content.present)


@pytest.mark.parametrize("after", [2, 4, 5, 6, 8])
def test_started_from_a_checkpoint_it_is_the_same_ledger(after: int) -> None:
    world = lively()
    content = world.ledger.content_at(Epoch(EPOCH + after))
    young = Ledger(world.params, world.network, unpack(pack(content)))
    entries = later(world, content.epoch)
    random.Random(after).shuffle(entries)
    for entry in entries:
        young.add(entry)
    old = world.ledger
    assert young.minted_micro == old.minted_micro and young.burned_micro == old.burned_micro
    assert young.balances() == old.balances()
    since = Window((content.epoch + 1) * N)
    assert young.blocks(since) == old.blocks(since) != []
    for epoch in range(content.epoch + 1, EPOCH + 12):
        assert young.content_at(Epoch(epoch)) == msgspec.structs.replace(
            old.content_at(Epoch(epoch)), base=young.base.digest, seeds=young.content_at(Epoch(epoch)).seeds
        )


def test_with_nothing_later_it_holds_what_the_checkpoint_holds() -> None:
    content = lively().ledger.content_at(Epoch(EPOCH + 6))
    young = Ledger(lively().params, lively().network, content)
    assert young.last_epoch == content.epoch
    totals = {part.player: total_of(part) for part in content.accounts}
    for player, total in totals.items():
        account, coming = young.account(player)
        assert account.total_micro + coming.total_micro == total > 0
    assert sum(totals.values()) == young.supply_micro


@pytest.mark.parametrize("after", [3, 6])
def test_an_old_ledger_that_begins_again_has_the_root_of_a_new_one(after: int) -> None:
    world = lively()
    old = world.replay(world.entries)
    content = old.content_at(Epoch(EPOCH + after))
    young = Ledger(world.params, world.network, content)
    entries = later(world, content.epoch)
    for entry in entries:
        young.add(entry)
    before = old.root()
    old.restart(content, world.entries)
    assert old.root() == young.root() != before
    assert (old.balances(), old.counts()) == (young.balances(), young.counts())
    assert old.base == young.base == value_of(world.network, content) != NO_VALUE
    assert old.voters == voters_of(world.params, content) != voters_of(world.params, None)


def test_its_blocks_are_final_and_still_shown() -> None:
    world = lively()
    ledger = world.replay(world.entries)
    shown = ledger.blocks()
    content = ledger.content_at(Epoch(EPOCH + 6))
    ledger.take_changed()
    ledger.restart(content, world.entries)
    told = ledger.take_changed()
    assert {block.id for block in shown if ledger.is_final(block.window)} < {
        b.id for b in told if isinstance(b, BlockState)
    }
    assert ledger.blocks() == shown
    assert [ledger.is_final(block.window) for block in shown] == [
        SMALL.epoch_of(block.window) <= content.epoch for block in shown
    ]
    first = shown[0]
    assert ledger.block(first.id) == first


def test_what_is_said_late_of_what_is_final_does_not_count() -> None:
    world = lively()
    content = world.ledger.content_at(Epoch(EPOCH + 6))
    young = Ledger(world.params, world.network, content)
    for entry in later(world, content.epoch):
        young.add(entry)
    root = young.root()
    for entry in world.entries:
        if epoch_of(entry) <= content.epoch:
            assert not young.add(entry)
    stranger = Person(99)
    vouch = stranger.write(world.network, Epoch(content.epoch), b"")
    assert not young.add(vouch) and young.root() == root
    young.freeze(world.people[0].player, vouch.body.document, vouch.body.seq)
    assert young.root() == root and world.people[0].player not in young.cuts()


def test_nothing_is_said_of_windows_below_it_in_later_documents() -> None:
    world = lively()
    content = world.ledger.content_at(Epoch(EPOCH + 10))
    young = Ledger(world.params, world.network, content)
    window = (content.epoch + 1) * N - 1
    block = world.block_op(window, salt=7)
    me = world.people[1]
    last = me.last
    entry = me.write(world.network, Epoch(content.epoch + 1), msgspec.msgpack.encode([msgspec.msgpack.encode(block)]))
    me.last = last
    young.add(entry)
    assert young.counts().misplaced == 1 and young.blocks() == []


def test_what_is_final_is_not_worked_out_again() -> None:
    world = lively()
    content = world.ledger.content_at(Epoch(EPOCH + 6))
    young = Ledger(world.params, world.network, content)
    for epoch in (0, EPOCH, content.epoch):
        with pytest.raises(Misuse):
            young.content_at(Epoch(epoch))


@pytest.mark.parametrize("damage", ["truncated", "unsorted", "twice", "garbage", "negative", "empty"])
def test_contents_that_nobody_writes(damage: str) -> None:
    content = lively().ledger.content_at(Epoch(EPOCH + 6))
    raw = pack(content)
    match damage:
        case "truncated":
            raw = raw[:-1]
        case "unsorted":
            raw = pack(msgspec.structs.replace(content, accounts=content.accounts[::-1]))
        case "twice":
            raw = pack(msgspec.structs.replace(content, vouches=(content.vouches[0], *content.vouches)))
        case "garbage":
            raw = b"\xc1" * 40
        case "negative":
            raw = pack(msgspec.structs.replace(content, minted_micro=-1))
        case "empty":
            raw = b""
    with pytest.raises(Violation):
        unpack(raw)


def test_order_of_delivery_does_not_change_a_content() -> None:
    world = lively()
    expected = world.ledger.content_at(Epoch(EPOCH + 7))
    for seed in range(3):
        entries = list(world.entries)
        random.Random(seed).shuffle(entries)
        assert world.replay(entries).content_at(Epoch(EPOCH + 7)) == expected


def test_a_content_is_a_content() -> None:
    content = lively().ledger.content_at(Epoch(EPOCH + 6))
    assert isinstance(unpack(pack(content)), Content) and unpack(pack(content)) == content
    assert content.minted_micro - content.burned_micro == sum(
        lot.amount_micro
        for account in content.accounts
        for lots in (account.free, account.staked, account.coming, *(lots for _, lots in account.leaving))
        for lot in lots
    )
    assert BlockId(bytes(32)) not in {part.block for part in content.accepted}


def test_blocks_below_a_checkpoint_are_shown_as_far_as_they_are_what_became_final() -> None:
    """Whoever lacked votes when the checkpoint was made keeps none of its own verdicts from there on."""
    world, last = lively(), Epoch(EPOCH + 7)
    content = world.ledger.content_at(last)
    whole, lacking = (Ledger(world.params, world.network) for _ in range(2))
    away = world.people[4].player
    for entry in world.entries:
        whole.add(entry)
        epoch = ledger_epoch(entry.body.document)
        if entry.body.author != away or epoch is None or epoch < EPOCH + 5:
            lacking.add(entry)
    shown = {block.id: block for block in whole.blocks() if block.window < (last + 1) * N}
    assert any(block.window >= (EPOCH + 5) * N for block in shown.values())
    for ledger in (whole, lacking):
        ledger.restart(content, ())
    assert whole.finals == shown
    kept = {block: state for block, state in shown.items() if state.window < (EPOCH + 5) * N}
    assert lacking.finals == kept != {}
