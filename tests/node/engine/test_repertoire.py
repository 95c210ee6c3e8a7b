"""What has been played before: bounded, newest kept, taken in a little at a time."""

from __future__ import annotations

from consensus.ops import Block, Measures
from consensus.params import SMALL
from consensus.verdict import Standing
from crdt.entry import LogKey
from crdt.types import NO_NONCE, Digest, EntryId, Seq, SessionId, Window, jam_document
from jam.synthetic import make
from node.engine.documents import Documents, Stored
from node.engine.repertoire import TAKEN_PER_LOOK, WAITING_MAX, Repertoire
from tests.sim.room import SECOND, identity, perform, room, settle

PLAYER = identity(1).player
SESSION = SessionId(bytes(32))


def _block(window: int) -> Block:
    nothing = Measures(0, 0, 0, 0, 0, 0, 0)
    place = (jam_document(SESSION), NO_NONCE, Seq(0), Seq(1))
    return Block(Window(window), SESSION, *place, EntryId(bytes(32)), Digest(bytes(32)), nothing, False, ())


def test_of_too_many_the_newest_are_waited_for() -> None:
    repertoire = Repertoire(SMALL, Documents(SMALL, Stored()))
    for window in range(2 * WAITING_MAX):
        repertoire.add(PLAYER, _block(window))
    for window in range(100):  # older ones, again
        repertoire.add(PLAYER, _block(window))
    kept = [block.window for _, block in repertoire._waiting.values()]
    assert sorted(kept) == list(range(WAITING_MAX, 2 * WAITING_MAX))


def test_what_cannot_be_had_is_waited_for_until_its_own_deadline_only() -> None:
    repertoire = Repertoire(SMALL, Documents(SMALL, Stored()))
    repertoire.add(PLAYER, _block(100))
    end_us = 101 * SMALL.window_us
    assert repertoire.is_complete_before(Window(100), end_us)  # it is not earlier than itself
    assert not repertoire.is_complete_before(Window(101), end_us)
    assert repertoire.is_complete_before(Window(101), end_us + SMALL.vote_deadline_ms * 1_000)


def test_what_was_accepted_stays_known_when_its_author_forks_the_log_of_it() -> None:
    """Or one would be paid for playing it, fork, and be paid for playing it again."""
    world, hosts = room(2)
    world.run_until(world.now_us + 2 * SECOND)
    world.run_until(perform(world, hosts[0], make(3, 25 * SECOND, 100_000)))
    settle(world)
    repertoire = hosts[1].engine.duties.repertoire
    accepted = [block for block in hosts[1].engine.ledger.blocks() if block.standing is Standing.LOCAL]
    assert repertoire.is_complete_before(Window(accepted[-1].window + 1), world.now_us)
    known = len(repertoire.index)
    for block in accepted:
        repertoire.forked(LogKey(block.proposer, block.op.nonce), block.op.document, Seq(0))
    assert repertoire.is_complete_before(Window(accepted[-1].window + 1), world.now_us)
    assert len(repertoire.index) == known > 100 and repertoire._doubtful == {block.id for block in accepted}


def test_after_a_restart_recordings_are_taken_in_a_little_at_a_time() -> None:
    world, hosts = room(2)
    world.run_until(world.now_us + 2 * SECOND)
    world.run_until(perform(world, hosts[0], make(3, 45 * SECOND, 100_000)))
    settle(world)
    blocks = [(state.proposer, state.op) for state in hosts[1].engine.ledger.blocks()]
    documents = hosts[1].engine.documents
    repertoire = Repertoire(SMALL, documents)
    for number in range(10):
        for proposer, block in blocks:
            moved = Block(**{name: getattr(block, name) for name in block.__struct_fields__} | {"pulses": ()})
            repertoire.add(proposer, moved if number == 0 else _with_last(moved, number))
    later = Window(max(block.window for _, block in blocks) + 1)
    waiting = len(repertoire._waiting)
    repertoire.is_complete_before(later, world.now_us)
    assert waiting - len(repertoire._waiting) == TAKEN_PER_LOOK
    for _ in range(waiting):
        repertoire.is_complete_before(later, world.now_us)
    assert not repertoire._waiting
    assert len(repertoire.index) > 100


def _with_last(block: Block, back: int) -> Block:
    """Another block of the same log: its id differs."""
    fields = {name: getattr(block, name) for name in block.__struct_fields__}
    return Block(**fields | {"last": Seq(max(block.first, block.last - back))})
