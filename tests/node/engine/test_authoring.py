"""No two entries of one author ever differ at one number: across crashes, lost logs and forks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from consensus.events import Event, encode_events
from consensus.ops import Pulse
from consensus.params import SMALL, network_id
from crdt.entry import LogKey, sign
from crdt.errors import Misuse
from crdt.limits import LOGS_PER_AUTHOR_MAX
from crdt.types import NO_NONCE, EntryId, Micros, Nonce, Seq, SessionId, jam_document, ledger_document
from node.engine.authoring import Authoring
from node.engine.documents import Documents, Stored
from node.engine.effects import Persist, Signed
from node.engine.engine import Engine
from node.engine.inputs import Play, Played, Tick
from tests.sim.room import SECOND, START_US, identity, room

ME = identity(1)
EPOCH = SMALL.epoch_of(SMALL.window_at(START_US))
DOCUMENT = ledger_document(EPOCH)
JAM = jam_document(SessionId(bytes(32)))


def _pulse(number: int) -> Pulse:
    return Pulse(SMALL.window_at(START_US), bytes([number]) * 16, bytes(32))


def _pen(signed: Signed | None = None, stored: Stored | None = None) -> Authoring:
    return Authoring(ME, Documents(SMALL, stored or Stored()), NO_NONCE, signed)


def test_entries_follow_each_other_within_and_across_epochs() -> None:
    pen = _pen()
    first, _ = pen.record(DOCUMENT, (_pulse(1),))
    second, _ = pen.record(DOCUMENT, (_pulse(2),))
    third, signed = pen.record(ledger_document(type(EPOCH)(EPOCH + 1)), (_pulse(3),))
    assert (first.body.seq, second.body.seq, third.body.seq) == (0, 1, 0)
    assert second.body.prev == first.id
    assert third.body.prev == second.id
    assert signed == Signed(third.body.document, Seq(0), third.id, ME.player)


def test_a_record_ahead_of_the_log_forbids_signing_until_the_log_is_back() -> None:
    pen = _pen()
    first, _ = pen.record(DOCUMENT, (_pulse(1),))
    second, signed = pen.record(DOCUMENT, (_pulse(2),))
    lost = _pen(signed, Stored([first]))
    assert not lost.may_sign_ledger(EPOCH)
    lost.documents.admit(DOCUMENT, second.raw, ME.player)
    assert lost.may_sign_ledger(EPOCH)


def test_a_log_that_came_back_different_forbids_signing() -> None:
    pen = _pen()
    entry, _ = pen.record(DOCUMENT, (_pulse(1),))
    elsewhere = Signed(DOCUMENT, Seq(0), EntryId(bytes(32)), ME.player)
    assert not _pen(elsewhere, Stored([entry])).may_sign_ledger(EPOCH)


def test_a_log_ahead_of_the_record_is_believed() -> None:
    pen = _pen()
    first, before = pen.record(DOCUMENT, (_pulse(1),))
    second, after = pen.record(DOCUMENT, (_pulse(2),))
    again = _pen(before, Stored([first, second]))
    assert again.may_sign_ledger(EPOCH)
    assert again.signed == after


def test_an_engine_that_lost_its_ledger_is_silent_there_but_still_plays() -> None:
    signed = Signed(DOCUMENT, Seq(5), EntryId(bytes(32)), ME.player)
    engine = Engine(ME, SMALL, START_US, signed=signed)
    for tick in range(20):
        effects = engine.handle(START_US + tick * SECOND, Tick())
        assert not any(isinstance(effect, Persist) for effect in effects)
    assert not engine.ledger.counts().entries


def test_after_a_machine_crash_a_jam_log_goes_on_under_another_nonce() -> None:
    world, hosts = room(1)
    host = hosts[0]
    host.give(Play((Played(world.now_us, 0, 1, 60, 100),)))
    before = {key for r in host.engine.documents.replicas.values() for key in r.logs}
    engine = Engine(host.identity, SMALL, world.now_us, stored=Stored(), nonce=Nonce(b"12345678"))
    engine.handle(world.now_us, Play((Played(world.now_us, 0, 1, 60, 100),)))
    jam = {key for name, r in engine.documents.replicas.items() if name.startswith("jam/") for key in r.logs}
    assert {key.nonce for key in jam} == {b"12345678"}
    assert not jam & before


def test_who_was_proven_to_fork_in_a_jam_is_told_so_when_it_plays_on() -> None:
    """Found by the simulator's equivocator: what was played raised a Violation, which nobody expects of one's own."""
    world, hosts = room(1)
    engine = hosts[0].engine
    hosts[0].give(Play((Played(world.now_us, 0, 1, 60, 100),)))
    jam = next(name for name in engine.documents.replicas if name.startswith("jam/"))
    mine = engine.documents.replicas[jam].logs[LogKey(hosts[0].player, NO_NONCE)].entries[0]
    payload = encode_events((Event(Micros(1), 0, 2, 0, 9),))
    twin = sign(hosts[0].identity, engine.documents.network, replace(mine.body, payload=payload))
    engine.documents.prove(mine.raw, twin.raw)
    with pytest.raises(Misuse, match="one key"):
        hosts[0].give(Play((Played(world.now_us, 0, 1, 60, 100),)))


def test_others_heads_are_named_once() -> None:
    world, hosts = room(3)
    world.run_until(world.now_us + 25 * SECOND)
    me = hosts[0].player
    refs = [
        ref.id
        for name, replica in hosts[0].engine.documents.replicas.items()
        for key, log in replica.logs.items()
        if key.author == me and name.startswith("ledger/")
        for entry in log.entries
        for ref in entry.body.refs
    ]
    assert refs and len(refs) == len(set(refs))


def test_a_clock_set_back_across_an_epoch_forbids_signing() -> None:
    pen = _pen()
    pen.record(ledger_document(type(EPOCH)(EPOCH + 1)), (_pulse(1),))
    assert not pen.may_sign_ledger(EPOCH)
    assert pen.may_sign_ledger(type(EPOCH)(EPOCH + 1))


def _nonce(number: int) -> Nonce:
    return Nonce(number.to_bytes(8, "big"))


def test_a_log_for_which_there_is_no_room_is_not_begun() -> None:
    documents = Documents(SMALL, Stored())
    events = (Event(Micros(1), 0, 1, 60, 100),)
    written = [
        Authoring(ME, documents, _nonce(number), None).play(JAM, events) for number in range(LOGS_PER_AUTHOR_MAX)
    ]
    pen = Authoring(ME, documents, _nonce(LOGS_PER_AUTHOR_MAX), None)
    with pytest.raises(Misuse):
        pen.play(JAM, events)
    assert documents.replicas[JAM].entry_count == LOGS_PER_AUTHOR_MAX
    assert Authoring(ME, documents, _nonce(3), None).play(JAM, events).body.prev == written[3].id


def test_a_store_with_logs_that_had_to_make_room_is_opened_without_them() -> None:
    events = (Event(Micros(1), 0, 1, 60, 100),)
    written = [
        Authoring(ME, Documents(SMALL, Stored()), _nonce(number), None).play(JAM, events)
        for number in range(LOGS_PER_AUTHOR_MAX + 3)
    ]
    other = replace(written[-1].body, payload=b"\x90")
    proof = (written[-1].raw, sign(ME, network_id(SMALL), other).raw)
    documents = Documents(SMALL, Stored(written, [proof]))
    assert set(documents.replicas[JAM].logs) == {entry.log for entry in written[:LOGS_PER_AUTHOR_MAX]}
