"""Jams that are long over leave memory and store; nodes that have pruned and nodes that have not agree all the same."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

import node.engine.pruning
from consensus.merkle import root_of
from consensus.params import SMALL, network_id
from consensus.parts import ends_us
from consensus.state import BlockState
from crdt.entry import LogKey, next_body, sign
from crdt.errors import BLAMELESS, Reason
from crdt.store.keys import ENTRY
from crdt.store.stubs import stubs
from crdt.store.walk import walk
from crdt.types import NO_NONCE, DocumentName, Epoch, Micros, jam_session
from jam.board import Say
from jam.synthetic import make
from node.engine import frames
from node.engine.frames import pack, unpack
from node.engine.inputs import Edit, FrameReceived
from sim.world import Host, World
from tests.sim.room import SECOND, identity, perform, room, roots, settle, totals

PARAMS = msgspec.structs.replace(SMALL, close_windows=4, keep_windows=9)
KEEP_US = PARAMS.keep_windows * PARAMS.window_us
NETWORK = network_id(PARAMS)


def _played() -> tuple[World, list[Host], list[BlockState]]:
    """Three nodes, a jam with blocks, and what the blocks are."""
    world, hosts = room(3, params=PARAMS)
    world.run_until(world.now_us + 11 * SECOND)
    world.run_until(perform(world, hosts[0], make(3, 25 * SECOND, 100_000)))
    settle(world)
    blocks = hosts[0].engine.ledger.blocks()
    assert blocks and len(totals(hosts)) == 1
    return world, hosts, list(blocks)


def _jams(host: Host) -> set[DocumentName]:
    return {name for name in host.engine.documents.replicas if jam_session(name)}


def _stored(host: Host, document: DocumentName) -> int:
    return sum(1 for key, _ in host.store.scan(ENTRY) if document.encode() in key)


def _past(world: World, host: Host, documents: set[DocumentName]) -> int:
    """When all of these are past."""
    sessions = [(host.engine.ledger.session(jam[0]), jam[1]) for name in documents if (jam := jam_session(name))]
    return max(ends_us(PARAMS, session, part) for session, part in sessions if session) + KEEP_US


def _watch(world: World, until_us: int) -> Iterator[int]:
    while world.now_us < until_us:
        world.run_until(world.now_us + SECOND)
        yield world.now_us


def test_what_is_past_leaves_memory_and_store_and_the_ids_stay() -> None:
    world, hosts, blocks = _played()
    documents = _jams(hosts[0])
    state = roots(hosts)
    until_us = _past(world, hosts[0], documents)
    world.run_until(until_us - SECOND)
    assert _jams(hosts[0]) and len(totals(hosts)) == 1
    for _ in _watch(world, until_us + 40 * SECOND):
        walked = walk(NETWORK, hosts[0].store.scan(ENTRY))
        assert walked.whole  # whenever the process dies, what it leaves can be opened
    for host in hosts:
        assert not _jams(host) and not host.engine.documents.past
        assert all(_stored(host, name) == 0 for name in documents)
    assert len(totals(hosts)) == len(roots(hosts)) == 1
    assert state != roots(hosts)  # pulses went on; blocks stand as they did
    for block in blocks:
        op = block.op
        first, ids = stubs(hosts[1].store, op.document, LogKey(block.proposer, op.nonce))
        cut = ids[op.first - first : op.last - first + 1]
        assert (root_of(cut), cut[-1]) == (op.root, op.head)
        still = hosts[2].engine.ledger.block(block.id)
        assert still is not None and still.standing is block.standing


def test_pruned_and_unpruned_nodes_agree_and_stop_talking_about_it() -> None:
    world, hosts, _ = _played()
    documents = _jams(hosts[0])
    alone = hosts[2]
    for other in hosts[:2]:
        world.unlink(alone.player, other.player)
    world.run_until(_past(world, hosts[0], documents) + 40 * SECOND)
    assert not _jams(hosts[0])
    assert _jams(alone) == documents  # nobody confirmed its clock
    newcomer = world.add(identity(9))
    for host in (hosts[1], alone):
        world.link(newcomer.player, host.player)
    world.link(alone.player, hosts[0].player)
    world.run_until(world.now_us + 3 * SECOND)
    everyone = [*hosts, newcomer]
    assert len(totals(everyone)) == len(roots(everyone)) == 1
    assert all(peer.in_sync and not peer.behind for host in everyone for peer in host.engine.peers.values())
    assert not _jams(newcomer)
    asked = [host.engine.counters["entries_admitted"] for host in everyone]
    world.run_until(world.now_us + 30 * SECOND)
    assert not _jams(alone)
    assert len(totals(everyone)) == 1
    grown = [host.engine.counters["entries_admitted"] - before for host, before in zip(everyone, asked, strict=True)]
    assert max(grown) < 60  # the ledger's alone
    assert not any(set(host.engine.refused) - BLAMELESS for host in everyone)


def test_a_node_killed_while_it_prunes_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node.engine.pruning, "PRUNED_AT_ONCE_MAX", 7)
    world, hosts, blocks = _played()
    documents = _jams(hosts[0])
    start_us = _past(world, hosts[0], documents)
    name = blocks[0].op.document
    whole = _stored(hosts[0], name)
    killed = 0
    while world.now_us < start_us + 60 * SECOND and _jams(hosts[0]):
        world.run_until(world.now_us + SECOND // 4)
        if 0 < _stored(hosts[0], name) < whole and killed < 5:
            killed += 1
            hosts[0].kill()
            hosts[0].start()
            world.link_all()
    world.run_until(world.now_us + 20 * SECOND)
    assert killed
    first, ids = stubs(hosts[0].store, name, LogKey(blocks[0].proposer, NO_NONCE))
    assert (first, len(ids)) == (0, whole)
    assert stubs(hosts[1].store, name, LogKey(blocks[0].proposer, NO_NONCE)) == (first, ids)


def test_nothing_of_a_past_document_is_taken_in_again() -> None:
    world, hosts, blocks = _played()
    name = blocks[0].op.document
    log = hosts[0].engine.documents.replicas[name].logs[LogKey(blocks[0].proposer, NO_NONCE)]
    entries, head = list(log.entries), log.head
    late = sign(hosts[0].identity, NETWORK, next_body(entries[-1], b"late"))
    rival = sign(hosts[0].identity, NETWORK, next_body(entries[-2], b"rival"))
    world.run_until(_past(world, hosts[0], _jams(hosts[0])) + 40 * SECOND)
    engine, giver = hosts[1].engine, hosts[0].player
    before = engine.documents.total()

    def say(frame: frames.Frame) -> list[frames.Frame]:
        out = engine.handle(world.now_us, FrameReceived(giver, pack(frame)))
        return [unpack(effect.frame) for effect in out if hasattr(effect, "frame")]

    say(frames.Entries(name, tuple(entry.raw for entry in (entries[0], late)), 0))
    assert set(engine.refused) <= BLAMELESS and engine.refused[Reason.PAST] == 2
    say(frames.Proof(*sorted((entries[-1].raw, rival.raw))))
    assert engine.refused[Reason.PAST] == 3
    heads = (frames.LogHead(giver, NO_NONCE, len(entries), head, False),)
    assert say(frames.Heads(name, heads, False)) == []
    assert say(frames.Documents((frames.DocumentDigest(name, before),))) != []
    assert not [f for f in say(frames.Documents((frames.DocumentDigest(name, before),))) if f.document == name]  # type: ignore[union-attr]
    (answer,) = say(frames.Ask(name, giver, NO_NONCE, entries[0].body.seq, entries[-1].body.seq, 1))
    assert answer == frames.Entries(name, (), 1)
    assert engine.documents.total() == before and not _jams(hosts[1])


def test_a_clock_that_nobody_confirms_deletes_nothing() -> None:
    world, hosts, _ = _played()
    documents = _jams(hosts[0])
    for host in hosts[1:]:
        host.kill()
    world.run_until(_past(world, hosts[0], documents) + 60 * SECOND)
    assert hosts[0].engine.documents.past == documents == _jams(hosts[0])
    assert all(_stored(hosts[0], name) for name in documents)


def test_a_document_of_an_unknown_jam_and_the_ledger_are_never_past() -> None:
    world, hosts, _ = _played()
    documents = hosts[0].engine.documents
    documents.look(Micros(world.now_us + 1_000 * KEEP_US))
    assert documents.past == _jams(hosts[0])
    assert not documents.is_past(DocumentName("jam/" + "ab" * 32 + "/0"))
    assert not documents.is_past(DocumentName(f"ledger/{Epoch(1)}"))
    documents.look(world.now_us)
    assert not documents.past


def test_a_jam_that_goes_on_keeps_its_latest_parts() -> None:
    world, hosts, _ = _played()
    old = _jams(hosts[0])
    until_us = _past(world, hosts[0], old) + 40 * SECOND
    hosts[1].give(Edit(Say("old")))
    world.run_until(until_us - 25 * SECOND)
    hosts[1].give(Edit(Say("new")))
    world.run_until(until_us)
    placed = hosts[0].engine.current_session(world.now_us)
    assert placed is not None
    for host in hosts:
        (kept,) = _jams(host)
        assert kept not in old
        board = host.engine.boards.board(placed.facts.id)
        assert [line.text for line in board.lines] == ["new"]
