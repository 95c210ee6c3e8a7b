"""What the rules make of votes, blocks and authors that break them."""

from __future__ import annotations

import msgspec

from consensus.ops import Vote, encode_ops
from consensus.params import SMALL
from consensus.tally import Ignored
from consensus.verdict import Standing
from crdt.entry import LogKey, first_body, next_body, sign
from crdt.types import NO_NONCE, BlockId, Epoch, Seq, Window, ledger_document
from tests.consensus.world import FIRST, World, ignored, standing

Y, N, L = Vote.YES, Vote.NO, Vote.TOO_LATE
EPOCH = SMALL.epoch_windows


# votes that do not count


def test_two_of_two(three: tuple[World, BlockId]) -> None:
    world, block = three
    proposer, one, other, _ = world.people
    assert standing(world, block) is Standing.PENDING
    world.vote(proposer, block, FIRST, Y, one)
    assert standing(world, block) is Standing.PENDING and world.ledger.supply_micro == 0
    world.vote(proposer, block, FIRST, Y, other)
    assert standing(world, block) is Standing.LOCAL


def test_one_verifier_is_enough_where_there_is_but_one_and_none_is_not() -> None:
    world = World(2)
    alone = world.propose(world.people[0], FIRST + 1)
    assert standing(world, alone) is Standing.PENDING
    world.pulse(FIRST)
    block = world.propose(world.people[0], FIRST)
    world.vote(world.people[0], block, FIRST, Y, world.people[1])
    assert standing(world, block) is Standing.LOCAL and standing(world, alone) is Standing.PENDING


def test_votes_of_strangers_and_of_the_proposer(three: tuple[World, BlockId]) -> None:
    world, block = three
    proposer, one, _, stranger = world.people
    world.vote(proposer, block, FIRST, Y, one, stranger, proposer)
    assert ignored(world, block) == {stranger.player: Ignored.NOT_ELIGIBLE}
    assert standing(world, block) is Standing.PENDING and world.ledger.counts().misplaced == 1


def test_a_proof_of_another_key_another_input_or_another_tranche(three: tuple[World, BlockId]) -> None:
    world, block = three
    proposer, one, other, _ = world.people
    mine = world.attest(one, proposer, block, FIRST)
    elsewhere = world.attest(one, other, block, FIRST)
    for bad in (
        world.attest(other, proposer, block, FIRST).proof,
        elsewhere.proof,
        mine.proof[:-1] + bytes([mine.proof[-1] ^ 1]),
        bytes(80),
    ):
        trial = world.replay(world.entries)
        op = msgspec.structs.replace(mine, proof=bad)
        person = type(one)(1)
        person.last = one.last
        trial.add(person.write(world.network, world.epoch(FIRST), encode_ops((op,))))
        found = trial.block(block)
        assert found is not None and dict(found.ignored) == {one.player: Ignored.NOT_DRAWN}
    world.say(one, world.epoch(FIRST), msgspec.structs.replace(mine, tranche=1))
    assert ignored(world, block) == {one.player: Ignored.NOT_DRAWN}


def test_two_different_votes_cancel_each_other_and_one_vote_twice_is_one(three: tuple[World, BlockId]) -> None:
    world, block = three
    proposer, one, other, _ = world.people
    world.vote(proposer, block, FIRST, Y, one, one, other)
    assert standing(world, block) is Standing.LOCAL
    world.vote(proposer, block, FIRST, N, one)
    assert ignored(world, block) == {one.player: Ignored.TWO_VOTES}
    assert standing(world, block) is Standing.PENDING and world.ledger.supply_micro == 0


def test_a_vote_on_another_block_of_the_same_window(three: tuple[World, BlockId]) -> None:
    world, block = three
    proposer, one, other, _ = world.people
    world.vote(proposer, BlockId(bytes(32)), FIRST, Y, one)
    world.vote(proposer, block, FIRST, Y, other)
    assert ignored(world, block) == {one.player: Ignored.OTHER_BLOCK}


def test_votes_written_too_late_or_before_their_window(three: tuple[World, BlockId]) -> None:
    world, block = three
    proposer, one, other, _ = world.people
    last = world.params.epoch_of(Window(FIRST + world.params.close_windows))
    world.say(other, last, world.attest(other, proposer, block, FIRST))
    world.say(one, last + 1, world.attest(one, proposer, block, FIRST))
    future = world.attest(other, proposer, block, FIRST + 40 * EPOCH)
    world.say(other, last, future)
    found = world.ledger.block(block)
    assert found is not None and [v.verifier for v in found.votes] == [other.player]
    assert world.ledger.counts().misplaced == 2


def test_a_vote_before_its_block_waits_for_it() -> None:
    world = World(3)
    proposer, one, other = world.people
    world.pulse(FIRST)
    block = world.propose(proposer, FIRST)
    world.vote(proposer, block, FIRST, Y, one, other)
    backwards = world.replay(reversed(world.entries))
    found = backwards.block(block)
    assert found is not None and found.standing is Standing.LOCAL


def test_a_late_pulse_two_epochs_back_changes_who_had_to_agree() -> None:
    world = World(4)
    proposer, one, other, newcomer = world.people
    world.pulse(FIRST, proposer, one, other)
    at = FIRST + 2 * EPOCH
    block = world.propose(proposer, at)
    world.vote(proposer, block, at, Y, one)
    assert standing(world, block) is Standing.PENDING
    world.vote(proposer, block, at, Y, other)
    assert standing(world, block) is Standing.LOCAL
    world.pulse(FIRST + 1, newcomer)
    after = world.ledger.block(block)
    assert after is not None and (after.eligible, after.quorum, after.standing) == (3, 2, Standing.LOCAL)
    assert world.replay(reversed(world.entries)).root() == world.ledger.root()


def test_votes_of_a_tranche_that_did_not_open_are_not_counted() -> None:
    world = World(13)
    proposer, *others = world.people
    world.pulse(FIRST)
    block = world.propose(proposer, FIRST)
    drawn = {p.player: world.attest(p, proposer, block, FIRST).tranche for p in others}
    zero = [p for p in others if drawn[p.player] == 0]
    later = [p for p in others if drawn[p.player] > 0]
    assert len(zero) >= 5 and later  # a draw of fixed keys
    world.vote(proposer, block, FIRST, N, *later)
    world.vote(proposer, block, FIRST, Y, *zero)
    found = world.ledger.block(block)
    assert found is not None and found.standing is Standing.LOCAL and found.open_tranches == 1
    assert set(dict(found.ignored).values()) == {Ignored.NOT_OPEN} and len(found.votes) == len(zero)


# blocks that do not count


def test_two_blocks_for_one_window_and_neither_is_accepted(three: tuple[World, BlockId]) -> None:
    world, block = three
    proposer, one, other, _ = world.people
    world.vote(proposer, block, FIRST, Y, one, other)
    assert standing(world, block) is Standing.LOCAL
    rival = world.propose(proposer, FIRST, salt=1)
    assert standing(world, block) is standing(world, rival) is Standing.REJECTED
    assert world.ledger.supply_micro == 0 and world.ledger.lots(one.player) == []


def test_the_same_block_twice_is_one_block(three: tuple[World, BlockId]) -> None:
    world, block = three
    first = world.ledger.block(block)
    assert world.propose(world.people[0], FIRST) == block and len(world.ledger.blocks()) == 1
    assert world.ledger.block(block) == first


def test_a_block_stands_in_the_document_of_its_epoch_or_the_next() -> None:
    world = World(2)
    person, epoch = world.people[0], world.epoch(FIRST)
    for place, counts in ((epoch - 1, 0), (epoch, 1), (epoch + 1, 2), (epoch + 2, 2)):
        window = {epoch: FIRST, epoch + 1: FIRST + 1}.get(Epoch(place), FIRST + 2)
        world.say(person, place, world.block_op(window))
        assert len(world.ledger.blocks()) == counts
    assert world.ledger.counts().misplaced == 2


# authors that fork


def test_a_fork_takes_back_what_came_after_it(three: tuple[World, BlockId]) -> None:
    world, block = three
    proposer, one, other, _ = world.people
    at = one.last
    assert at is not None
    world.vote(proposer, block, FIRST, Y, one, other)
    assert standing(world, block) is Standing.LOCAL
    twin = sign(one.identity, world.network, next_body(at, encode_ops(())))
    assert not world.ledger.add(twin)
    assert standing(world, block) is Standing.PENDING and world.ledger.balances() == {}
    proven = world.replay(world.entries)
    proven.freeze(one.player, at.body.document, Seq(at.body.seq + 1))
    assert proven.root() == world.ledger.root()  # a proof from elsewhere, and the entries themselves: the same
    assert proven.counts().cut == 1 and not proven.add(twin)


def test_freezing_later_or_again_changes_nothing() -> None:
    world = World(3)
    world.round(FIRST)
    person = world.people[1]
    document = ledger_document(world.epoch(FIRST))
    world.ledger.freeze(person.player, document, Seq(1))
    root = world.ledger.root()
    for seq in (1, 2, 90):
        world.ledger.freeze(person.player, document, Seq(seq))
    assert world.ledger.root() == root
    world.ledger.freeze(person.player, document, Seq(0))
    assert world.ledger.root() != root and world.ledger.pulses(Window(FIRST)).keys() == {
        p.player for p in world.people if p is not person
    }


def test_a_branch_across_epochs_is_found_without_help() -> None:
    world = World(3)
    world.round(FIRST)
    person = world.people[1]
    root, before = world.ledger.root(), person.last
    assert before is not None
    world.pulse(FIRST + EPOCH, person)
    epoch = Epoch(world.epoch(FIRST) + 2)
    log = LogKey(person.player, NO_NONCE)
    body = first_body(world.network, ledger_document(epoch), log, encode_ops(()), before.id)
    world.publish(sign(person.identity, world.network, body))
    assert world.ledger.cuts()[person.player][0] == world.epoch(FIRST) + 1
    assert world.ledger.pulses(Window(FIRST + EPOCH)) == {}
    assert [b.standing for b in world.ledger.blocks()] == [Standing.LOCAL] and world.ledger.root() != root
