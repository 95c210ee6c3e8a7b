"""Coins through the whole ledger: earned, paid, staked, burned; and what stakes weigh two epochs later."""

from __future__ import annotations

import msgspec
import pytest

from consensus.accounts import Funding
from consensus.facts import Slot
from consensus.ledger import Ledger
from consensus.lots import Place, Role
from consensus.ops import FABRICATED, LotRef, Pulse, Stake, Transfer, Unstake, Vote, Why, Witness, encode_ops
from consensus.params import ONE_Q16, SMALL
from consensus.tally import Tallied, Tally
from crdt.entry import next_body, sign
from crdt.types import BlockId, Epoch, MicroJam, Seq, Window, ledger_document
from tests.consensus.world import FIRST, Person, World

EPOCH = SMALL.epoch_windows
E = FIRST // EPOCH
PARAMS = msgspec.structs.replace(SMALL, stake_full_micro=400_000)


def part(block: BlockId, amount_micro: int) -> tuple[LotRef, ...]:
    return (LotRef(block, MicroJam(amount_micro)),)


def earned(people: int = 5) -> tuple[World, BlockId]:
    """The first of some people has played a block in epoch E; the last was not there."""
    world = World(people, PARAMS)
    world.pulse(FIRST, *world.people[:-1])
    block = world.propose(world.people[0], FIRST)
    world.vote(world.people[0], block, FIRST, Vote.YES, *world.people[1:-1])
    return world, block


def held(world: World, person: Person) -> dict[Place, int]:
    sums: dict[Place, int] = {}
    for lot in world.ledger.lots(person.player):
        sums[lot.place] = sums.get(lot.place, 0) + lot.amount_micro
    return sums


def check_conserved(ledger: Ledger) -> None:
    for player in ledger.players():
        account, coming = ledger.account(player)
        total = account.total_micro + coming.total_micro
        assert sum(moved.amount_micro for moved in ledger.movements(player)) == total
        assert sum(lot.amount_micro for lot in ledger.lots(player)) == total
    lots = [lot.amount_micro for player in ledger.players() for lot in ledger.lots(player)]
    assert sum(lots) == ledger.supply_micro == ledger.minted_micro - ledger.burned_micro


def test_what_is_earned_comes_in_then_is_free_and_can_be_passed_on() -> None:
    world, block = earned()
    ann, ben, *_, eve = world.people
    whole = held(world, ann)[Place.COMING]
    assert held(world, ann) == {Place.COMING: whole} and world.ledger.balance(ann.player) == whole > 700_000
    world.say(ann, E, Transfer(eve.player, part(block, 1), "too early"))
    world.say(ann, E + 1, Transfer(eve.player, part(block, 1_000), "thanks"))
    world.say(eve, E + 1, Transfer(ben.player, part(block, 1), "too early too"))
    world.say(eve, E + 2, Transfer(ben.player, part(block, 400), ""))
    assert held(world, eve) == {Place.FREE: 600} and held(world, ann) == {Place.FREE: whole - 1_000}
    assert [lot.role for lot in world.ledger.lots(eve.player)] == [Role.RECEIVED]
    assert [lot.role for lot in world.ledger.lots(ann.player)] == [Role.PLAYED]
    assert {lot.role for lot in world.ledger.lots(ben.player)} == {Role.ATTESTED}  # it is one lot with what it earned
    early, funded = world.ledger.spends(ann.player)
    assert (early.funding, early.missing, early.held_micro) == (Funding.UNFUNDED, part(block, 1)[0], 0)
    assert funded.funding is Funding.FUNDED and world.ledger.received(eve.player) == [early, funded]
    check_conserved(world.ledger)


def test_a_verdict_that_changes_late_takes_everything_back_that_was_bought_with_it() -> None:
    world, block = earned()
    ann, *_, eve = world.people
    world.say(ann, E + 1, Transfer(eve.player, part(block, 1_000), ""))
    world.say(eve, E + 2, Stake(part(block, 1_000)))
    assert world.ledger.stake_at(eve.player, Epoch(E + 2)) == 1_000
    before = world.ledger.root()
    late = sign(ann.identity, world.network, next_body(world.entries[0], encode_ops(())))
    world.ledger.add(late)  # who played forked its log: at its second entry, which was the block
    assert world.ledger.block(block) is None and world.ledger.minted_micro == 0
    assert world.ledger.stake_at(eve.player, Epoch(E + 2)) == 0 and world.ledger.balances() == {}
    assert [spent.funding for spent in world.ledger.spends(eve.player)] == [Funding.UNFUNDED]
    assert [spent.funding for spent in world.ledger.spends(ann.player)] == [Funding.CUT]
    assert world.ledger.root() != before
    check_conserved(world.ledger)


def slashed_by(votes: list[Why]) -> tuple[World, Person]:
    """One who staked proposes a block on which three vote no, each for its reason."""
    world, block = earned()
    ann, *others, _ = world.people
    world.say(ann, E + 1, Stake(part(block, 300_000)), Unstake(part(block, 100_000)))
    window = FIRST + EPOCH + 1
    world.pulse(window, ann, *others)
    bad = world.propose(ann, window)
    for person, why in zip(others, votes, strict=True):
        vote = world.attest(person, ann, bad, window, Vote.NO)
        world.say(person, world.epoch(window), msgspec.structs.replace(vote, why=why))
    return world, ann


@pytest.mark.parametrize("why", sorted(FABRICATED))
def test_a_fabricated_block_costs_stake_and_what_is_leaving_it_but_nothing_that_is_free(why: Why) -> None:
    world, ann = slashed_by([why] * 3)
    assert world.ledger.burned_micro == 300_000
    assert set(held(world, ann)) == {Place.FREE}
    assert [moved.amount_micro for moved in world.ledger.movements(ann.player)][-1] == -300_000
    check_conserved(world.ledger)


@pytest.mark.parametrize("votes", [[Why.REPLAY] * 3, [Why.MISSING] * 3, [Why.ROOT_MISMATCH, Why.MISSING, Why.TIES]])
def test_a_block_rejected_for_anything_else_costs_nothing(votes: list[Why]) -> None:
    world, ann = slashed_by(votes)
    assert world.ledger.counts().rejected == 1 and world.ledger.burned_micro == 0
    assert held(world, ann)[Place.STAKED] == 200_000 and held(world, ann)[Place.LEAVING] == 100_000


def test_one_fabricated_block_costs_at_most_the_reward_of_one() -> None:
    params = msgspec.structs.replace(PARAMS, base_micro=900_000)
    world = World(4, params)
    ann, *others = world.people
    blocks = [world.round(FIRST + n) for n in range(2)]
    for block in blocks:
        lots = [lot for lot in world.ledger.lots(ann.player) if lot.block == block]
        world.say(ann, E + 1, Stake(part(block, lots[0].amount_micro)))
    staked = world.ledger.stake_at(ann.player, Epoch(E + 1))
    window = FIRST + 2 * EPOCH
    bad = world.propose(ann, window)
    for person in others:
        vote = world.attest(person, ann, bad, window, Vote.NO)
        world.say(person, world.epoch(window), msgspec.structs.replace(vote, why=Why.ROOT_MISMATCH))
    assert staked > 900_000 and world.ledger.burned_micro == 900_000
    assert world.ledger.stake_at(ann.player, Epoch(E + 2)) == staked - 900_000


def test_a_fork_costs_the_whole_stake_and_the_rest_stays_where_it_was_for_good() -> None:
    world, block = earned()
    ann, *_, eve = world.people
    world.say(ann, E + 1, Stake(part(block, 5_000)), Unstake(part(block, 2_000)))
    fork = world.say(ann, E + 1, Transfer(eve.player, part(block, 7), ""))
    free = held(world, ann)[Place.FREE]
    world.ledger.freeze(ann.player, ledger_document(Epoch(E + 1)), Seq(fork.body.seq))
    assert held(world, ann) == {Place.FREE: free + 7} and world.ledger.burned_micro == 5_000
    assert held(world, eve) == {}
    assert [spent.funding for spent in world.ledger.spends(ann.player)] == [Funding.FUNDED, Funding.FUNDED, Funding.CUT]
    world.say(ann, E + 4, Transfer(eve.player, part(block, 7), ""))
    assert held(world, eve) == {} and len(world.ledger.spends(ann.player)) == 4
    check_conserved(world.ledger)


def test_what_leaves_the_stake_is_free_after_its_epochs() -> None:
    world, block = earned()
    ann = world.people[0]
    world.say(ann, E + 1, Stake(part(block, 500)))
    world.say(ann, E + 2, Unstake(part(block, 300)))
    lots = {lot.place: lot for lot in world.ledger.lots(ann.player)}
    assert lots[Place.LEAVING].release == E + 2 + PARAMS.unbond_epochs and lots[Place.STAKED].amount_micro == 200
    account, _ = world.ledger.account(ann.player, Epoch(E + 1 + PARAMS.unbond_epochs))
    assert account.leaving_micro == 300
    account, _ = world.ledger.account(ann.player, Epoch(E + 2 + PARAMS.unbond_epochs))
    assert account.leaving_micro == 0 and account.staked.total_micro == 200


def test_a_stake_weighs_two_epochs_later_and_more_of_it_than_full_weighs_no_more() -> None:
    world, block = earned()
    ann, ben, *_ = world.people
    world.pulse(FIRST + EPOCH)
    world.say(ann, E + 1, Stake(part(block, 100_000)))
    world.pulse(FIRST + 2 * EPOCH)
    world.say(ann, E + 2, Stake(part(block, 500_000)))

    def weight(epoch: int) -> int:
        elector = world.ledger.eligible(Window(epoch * EPOCH), ben.player).get(ann.player)
        assert elector is not None
        return elector.weight

    assert [weight(epoch) - ONE_Q16 for epoch in (E + 2, E + 3, E + 4)] == [0, PARAMS.stake_bonus_q16 // 4, 32_768]


def test_votes_are_counted_again_when_the_snapshot_two_epochs_back_becomes_another_and_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, block = earned()
    ann, ben, cat, *_ = world.people
    world.pulse(FIRST + EPOCH)
    stake = world.say(ann, E + 1, Stake(part(block, 100_000)))
    pulse = Pulse(Window(FIRST + EPOCH + 1), bytes(16), cat.vrf_key)
    kept_back = [  # written in time, and heard of late
        person.write(world.network, Epoch(E + 1), encode_ops((op,)))
        for person, op in (
            (cat, pulse),
            (ben, Transfer(cat.player, part(block, 3), "")),
            (ben, Stake(part(block, 3_000))),
        )
    ]
    world.round(FIRST + 3 * EPOCH, proposer=1)
    counted: list[Slot] = []
    count = Tally.count

    def spy(self: Tally, slot: Slot) -> tuple[Tallied, ...]:
        counted.append(slot)
        return count(self, slot)

    monkeypatch.setattr(Tally, "count", spy)
    settled = world.ledger.root()
    assert counted == [Slot(Window(FIRST + 3 * EPOCH), ben.player)]
    counted.clear()
    for entry in kept_back[:2]:  # nobody more is there, nobody's key is another, and transfers weigh nothing
        world.publish(entry)
    world.say(cat, E + 3, Stake(part(block, 5)))
    assert world.ledger.root() != settled and counted == []
    world.publish(kept_back[2])
    world.ledger.root()
    assert counted == [Slot(Window(FIRST + 3 * EPOCH), ben.player)]
    counted.clear()
    world.ledger.freeze(ann.player, ledger_document(Epoch(E + 1)), Seq(stake.body.seq))
    world.ledger.root()
    assert counted == [Slot(Window(FIRST + 3 * EPOCH), ben.player)]


def test_a_concert_pays_a_performer_whose_coins_say_so() -> None:
    world, _ = earned()
    ann, *others, eve = world.people
    session = world.open_session(ann)
    for person in (*others, ann):
        world.say(person, E + 2, Witness(session, eve.player, (), False))
    (lot,) = world.ledger.lots(eve.player)
    concert = world.ledger.concert(lot.block)
    assert concert is not None and concert.performer == eve.player and concert.epoch == E + 2
    assert lot.role is Role.PERFORMED and lot.amount_micro == concert.paid_micro == 4 * PARAMS.witness_micro
    world.say(eve, E + 3, Stake((LotRef(lot.block, lot.amount_micro),)))
    assert world.ledger.stake_at(eve.player, Epoch(E + 3)) == lot.amount_micro
    check_conserved(world.ledger)
