"""State as a pure function of the set of entries: order, rewards, sessions, questions."""

from __future__ import annotations

import functools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.ledger import Ledger
from consensus.logistic import TABLE_Q16
from consensus.lots import Role
from consensus.ops import Attest, Pulse, SessionClose, Vote, block_id, encode_ops
from consensus.params import MAIN, SMALL, network_id
from crdt.canonical import encode
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Misuse
from crdt.types import NO_NONCE, BlockId, Epoch, Micros, Seq, SessionId, Window, jam_document, ledger_document
from tests.consensus.world import FIRST, World

Y, N, L = Vote.YES, Vote.NO, Vote.TOO_LATE
EPOCH = SMALL.epoch_windows


@functools.cache
def busy_world() -> World:
    """Five people over eight windows: several proposers, disagreement, rivals, two votes, a late vote by one who
    then goes back to the epoch before (a branch), and a fork."""
    world = World(5)
    p = world.people
    world.open_session(p[0])
    for window in range(FIRST, FIRST + 5):
        world.round(window, proposer=window % 2)
    world.pulse(FIRST + 5)
    refused = world.propose(p[2], FIRST + 5)
    world.vote(p[2], refused, FIRST + 5, N, p[0], p[1], p[3])
    rival, _ = world.propose(p[3], FIRST + 5), world.propose(p[3], FIRST + 5, salt=1)
    world.vote(p[3], rival, FIRST + 5, Y, p[0], p[1], p[2])
    world.pulse(FIRST + 6)
    split = world.propose(p[0], FIRST + 6, total=30_000)
    world.vote(p[0], split, FIRST + 6, Y, p[1], p[2], p[3])
    world.vote(p[0], split, FIRST + 6, N, p[3], p[4])
    late = world.propose(p[1], FIRST + 6)
    world.say(p[4], world.epoch(FIRST + 6) + 1, world.attest(p[4], p[1], late, FIRST + 6))
    fork = p[2].last
    assert fork is not None
    world.round(FIRST + 7)
    world.publish(sign(p[2].identity, world.network, next_body(fork, encode_ops(()))))
    return world


def test_the_busy_world_is_busy() -> None:
    counts = busy_world().ledger.counts()
    assert min(counts.local, counts.pending, counts.rejected) > 0 and counts.cut == 2  # one fork, one branch


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_any_order_any_repetition_any_question_in_between(data: st.DataObject) -> None:
    world = busy_world()
    entries = world.entries
    order = data.draw(st.permutations(range(len(entries))))
    again = data.draw(st.lists(st.integers(0, len(entries) - 1), max_size=20))
    ask_at = data.draw(st.sets(st.integers(0, len(entries) - 1), max_size=6))
    ledger = Ledger(world.params, world.network)
    for n, i in enumerate(order):
        ledger.add(entries[i])
        if n in ask_at:
            ledger.root()
    for i in again:
        assert not ledger.add(entries[i])
    assert ledger.root() == world.ledger.root()
    assert (ledger.blocks(), ledger.balances(), ledger.supply_micro, ledger.counts()) == (
        world.ledger.blocks(),
        world.ledger.balances(),
        world.ledger.supply_micro,
        world.ledger.counts(),
    )


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=15, deadline=None)
def test_a_mesh_that_split_and_merged(seed: int, every: int) -> None:
    """Each side hears what the other said only at the end, and both have been asked for their state before."""
    world = busy_world()
    one, other = Ledger(world.params, world.network), Ledger(world.params, world.network)
    sides: tuple[list[Entry], list[Entry]] = ([], [])
    for n, entry in enumerate(world.entries):
        side = (seed + n // every) % 2
        sides[side].append(entry)
        (one, other)[side].add(entry)
    if sides[0] and sides[1]:
        assert one.root() != other.root()
    for entry in sides[1]:
        one.add(entry)
    for entry in reversed(sides[0]):
        other.add(entry)
    assert one.root() == other.root() == world.ledger.root()


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_what_is_derived_bit_by_bit_is_what_a_fresh_ledger_derives(data: st.DataObject) -> None:
    """After every prefix of an arbitrary order, asked each time."""
    world = busy_world()
    order = data.draw(st.permutations(range(len(world.entries))))
    stops = sorted(data.draw(st.sets(st.integers(1, len(order)), min_size=1, max_size=4)))
    ledger, done = Ledger(world.params, world.network), 0
    for stop in stops:
        for i in order[done:stop]:
            ledger.add(world.entries[i])
        done = stop
        fresh = world.replay(world.entries[i] for i in sorted(order[:stop]))
        assert ledger.root() == fresh.root() and ledger.balances() == fresh.balances()
        minted = sum(b.reward.minted_micro for b in ledger.blocks() if b.reward is not None)
        assert sum(ledger.balances().values()) == ledger.supply_micro == minted


def test_every_balance_is_the_sum_of_its_lots_and_every_lot_has_its_block() -> None:
    ledger = busy_world().ledger
    total = 0
    for player, balance in ledger.balances().items():
        lots = ledger.lots(player)
        assert sum(lot.amount_micro for lot in lots) == balance
        for lot in lots:
            block = ledger.block(lot.block)
            assert block is not None and block.reward is not None and lot.owner == player
            assert (lot.role is Role.PLAYED) == (block.proposer == player)
        total += balance
    assert total == ledger.supply_micro > 0


# rewards


def test_the_same_verifiers_again_pay_exactly_by_the_table() -> None:
    world = World(4, msgspec.structs.replace(SMALL, cluster_max_q16=0))
    for n in range(18):
        block = world.ledger.block(world.round(FIRST + n))
        assert block is not None and block.reward is not None
        w = TABLE_Q16[n] if n < len(TABLE_Q16) else 0
        assert [(v.m, v.w_q16) for v in block.votes] == [(n, w)] * 3
        assert block.reward.paid_micro == 1_000_000 * w // 65_536
    assert world.ledger.balance(world.people[3].player) > 0


def test_in_a_small_band_the_variant_forgives_what_chance_brings() -> None:
    """With four people everybody meets everybody: nothing beyond chance, so nothing is lost, however long they play."""
    world = World(4, msgspec.structs.replace(SMALL, decay_excess=True, cluster_max_q16=0))
    for n in range(6):
        block = world.ledger.block(world.round(FIRST + n))
        assert block is not None and block.reward is not None
        assert [(v.m, v.w_q16) for v in block.votes] == [(n, TABLE_Q16[0])] * 3
        assert block.reward.paid_micro == 952_575


def test_among_many_the_variant_still_lets_a_circle_decay() -> None:
    """Of forty present the same seven vote each time: chance would bring each of them to one block in six or so."""
    world = World(40, msgspec.structs.replace(SMALL, decay_excess=True))
    window = FIRST + 2 * SMALL.epoch_windows
    world.pulse(FIRST, *world.people)
    weights, m = [], []
    for n in range(3):
        block = world.propose(world.people[0], window + n)
        world.vote(world.people[0], block, window + n, Y, *world.people[1:])
        state = world.ledger.block(block)
        assert state is not None and state.reward is not None
        weights += [vote.w_q16 for vote in state.votes]
        m += [vote.m for vote in state.votes]
        expected = -(-n * 7 // 39)
        assert all(vote.w_q16 == TABLE_Q16[max(0, vote.m - expected)] for vote in state.votes)
    assert max(m) > 1 and min(weights) < TABLE_Q16[0]


def test_a_window_without_its_riff_is_worth_half() -> None:
    world = World(4)
    proposer, *others = world.people
    world.pulse(FIRST)
    op = msgspec.structs.replace(world.block_op(FIRST), riff=False)
    world.say(proposer, world.epoch(FIRST), op)
    block = block_id(proposer.player, op)
    world.vote(proposer, block, FIRST, Y, *others)
    state = world.ledger.block(block)
    assert state is not None and state.reward is not None
    assert (state.reward.riff_q16, state.reward.points_micro) == (32_768, 1_000_000 * TABLE_Q16[0] // 2**17)


def test_somebody_new_brings_the_reward_up_again() -> None:
    world = World(4)
    veterans = world.people[:3]
    for n in range(5):
        world.pulse(FIRST + n)
        block = world.propose(world.people[0], FIRST + n)
        world.vote(world.people[0], block, FIRST + n, Y, *veterans[1:])
    before = world.ledger.block(block)
    after = world.ledger.block(world.round(FIRST + 5))
    assert before is not None and after is not None and before.reward is not None and after.reward is not None
    assert [v.m for v in after.votes].count(0) == 1 and after.reward.paid_micro > before.reward.paid_micro


def test_a_late_vote_on_an_old_block_lowers_what_came_after_it() -> None:
    world = World(4)
    proposer, *others = world.people
    blocks = []
    for n in range(2):
        world.pulse(FIRST + n)
        blocks.append(world.propose(proposer, FIRST + n))
        world.vote(proposer, blocks[n], FIRST + n, Y, *others[1 - n : 3 - n])
    before = world.ledger.block(blocks[1])
    world.vote(proposer, blocks[0], FIRST, Y, others[0])
    after = world.ledger.block(blocks[1])
    assert before is not None and after is not None and before.reward is not None and after.reward is not None
    assert sorted(v.m for v in before.votes) == [0, 1] and sorted(v.m for v in after.votes) == [1, 1]
    assert after.reward.paid_micro < before.reward.paid_micro


def test_a_no_is_paid_like_a_yes_but_does_not_weigh() -> None:
    world = World(5)
    world.pulse(FIRST)
    proposer, *others = world.people
    block = world.propose(proposer, FIRST)
    world.vote(proposer, block, FIRST, Y, *others[:3])
    world.vote(proposer, block, FIRST, N, others[3])
    found = world.ledger.block(block)
    assert found is not None and found.reward is not None and len(found.reward.verifiers) == 4
    assert found.reward.mean_w_q16 == TABLE_Q16[0]
    assert world.ledger.balance(others[3].player) > 0


def test_an_epoch_pays_pro_rata_beyond_its_budget() -> None:
    params = msgspec.structs.replace(SMALL, epoch_budget_micro=1_000_000, concert_share_q16=0)
    world = World(4, params)
    for n in range(3):
        world.round(FIRST + n, proposer=n)
    assert 999_990 <= world.ledger.supply_micro <= 1_000_000
    rewards = [b.reward for b in world.ledger.blocks() if b.reward is not None]
    assert world.ledger.epoch_points_micro(rewards[0].epoch) == 3 * rewards[0].points_micro
    assert [r.paid_micro for r in rewards] == [333_333] * 3
    world.round(FIRST + 3)
    assert world.ledger.supply_micro > 1_600_000  # the next epoch has a budget of its own


def test_dropping_back_under_the_budget_pays_everyone_in_full_again() -> None:
    params = msgspec.structs.replace(SMALL, epoch_budget_micro=2_000_000, concert_share_q16=0)
    world = World(4, params)
    blocks = [world.round(FIRST + n, proposer=n) for n in range(3)]
    rewards = [b.reward for b in world.ledger.blocks() if b.reward is not None]
    assert [r.paid_micro for r in rewards] == [666_666] * 3
    assert world.propose(world.people[2], FIRST + 2, salt=1) not in blocks  # two blocks: neither counts
    rewards = [b.reward for b in world.ledger.blocks() if b.reward is not None]
    assert [r.paid_micro for r in rewards] == [952_575] * 2 and world.ledger.supply_micro == 2 * 952_575


def test_several_blocks_gone_between_two_questions() -> None:
    params = msgspec.structs.replace(SMALL, epoch_budget_micro=2_000_000, concert_share_q16=0)
    world = World(4, params)
    world.pulse(FIRST)
    for person in world.people:
        block = world.propose(person, FIRST)
        world.vote(person, block, FIRST, Y, *(p for p in world.people if p is not person))
    assert world.ledger.supply_micro == 2_000_000
    for person in world.people[1:]:
        world.propose(person, FIRST, salt=1)
    assert world.ledger.supply_micro == 952_575


def test_within_its_budget_a_block_does_not_change_with_others() -> None:
    world = World(4)
    first = world.round(FIRST, proposer=0)
    before = world.ledger.block(first)
    world.ledger.take_changed()
    second = world.round(FIRST + 1, proposer=1)
    assert world.ledger.block(first) == before
    assert [b.id for b in world.ledger.take_changed() if not isinstance(b, bytes)] == [second]


# sessions, unknown operations, questions


def test_sessions_are_closed_by_their_creator_only_and_at_the_earliest_time() -> None:
    world = World(2)
    creator, other = world.people
    session = world.open_session(creator)
    epoch = world.epoch(FIRST)
    world.say(other, epoch, SessionClose(session, Micros(1)))
    found = world.ledger.session(session)
    assert found is not None and found.closed_t_us is None and found.creator == creator.player
    world.say(creator, epoch, SessionClose(session, Micros(9)))
    world.say(creator, epoch, SessionClose(session, Micros(5)))
    found = world.ledger.session(session)
    assert found is not None and found.closed_t_us == 5 and world.ledger.sessions() == [found]
    assert world.ledger.session(SessionId(bytes(32))) is None


def test_operations_of_later_versions_and_garbage_are_skipped_and_the_rest_counts() -> None:
    world = World(2)
    person = world.people[0]
    pulse = encode(Pulse(Window(FIRST), bytes(16), person.vrf_key))
    payload = encode((encode((99, "from the future")), pulse, b"\xc1", b"", pulse + b"\x00"))
    world.publish(person.write(world.network, world.epoch(FIRST), payload))
    world.publish(person.write(world.network, world.epoch(FIRST), b"garbage"))
    assert world.ledger.skipped_ops == 5 and list(world.ledger.pulses(Window(FIRST))) == [person.player]
    world.ledger.freeze(person.player, ledger_document(world.epoch(FIRST)), Seq(0))
    assert world.ledger.skipped_ops == 0


def test_entries_of_other_documents_and_networks_are_misuse() -> None:
    world = World(1)
    person = world.people[0]
    body = first_body(world.network, jam_document(SessionId(bytes(32))), LogKey(person.player, NO_NONCE), b"")
    with pytest.raises(Misuse):
        world.ledger.add(sign(person.identity, world.network, body))
    with pytest.raises(Misuse):
        world.ledger.freeze(person.player, jam_document(SessionId(bytes(32))), Seq(0))
    entry = person.write(world.network, Epoch(1), b"")
    with pytest.raises(Misuse):
        Ledger(MAIN, network_id(MAIN)).add(entry)
    assert world.ledger.root() == Ledger(world.params, world.network).root()


def test_vote_of_is_the_first_vote_whether_it_counts_or_not(three: tuple[World, BlockId]) -> None:
    world, block = three
    proposer, _, _, stranger = world.people
    assert world.ledger.vote_of(stranger.player, proposer.player, Window(FIRST)) is None
    world.vote(proposer, block, FIRST, N, stranger)
    world.vote(proposer, block, FIRST, Y, stranger)
    found = world.ledger.vote_of(stranger.player, proposer.player, Window(FIRST))
    assert isinstance(found, Attest) and found.vote is N
    backwards = world.replay(reversed(world.entries))
    assert backwards.vote_of(stranger.player, proposer.player, Window(FIRST)) == found


def test_changes_are_told_once(three: tuple[World, BlockId]) -> None:
    world, block = three
    assert [b for b in world.ledger.take_changed() if not isinstance(b, bytes)] == world.ledger.blocks()
    assert world.ledger.take_changed() == []
    world.vote(world.people[0], block, FIRST, Y, world.people[1])
    assert world.ledger.take_changed() == world.ledger.blocks()
    world.ledger.freeze(world.people[0].player, ledger_document(world.epoch(FIRST)), Seq(0))
    assert world.ledger.take_changed() == [block] and world.ledger.blocks() == []


def test_blocks_from_a_window_on() -> None:
    world = World(2)
    for n in range(5):
        world.round(FIRST + n)
    assert [b.window for b in world.ledger.blocks(Window(FIRST + 2))] == [FIRST + 2, FIRST + 3, FIRST + 4]
    assert len(world.ledger.blocks()) == 5


def test_before_anything_was_said_the_last_epoch_is_the_first() -> None:
    world = World(1)
    assert world.ledger.last_epoch == 0 and not world.ledger.is_settled(Epoch(0))
    world.pulse(FIRST, world.people[0])
    assert world.ledger.last_epoch == world.epoch(FIRST)


def test_the_last_entry_is_what_the_next_must_name() -> None:
    world = World(1)
    assert world.ledger.last_entry(world.people[0].player) is None
    world.pulse(FIRST)
    entry = world.people[0].last
    assert entry is not None
    assert world.ledger.last_entry(world.people[0].player) == ((world.epoch(FIRST), 0), entry.id)
