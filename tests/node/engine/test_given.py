"""Elements from Yjs clients: taken in like entries of peers, or declined and counted."""

from __future__ import annotations

import pytest

from consensus.params import SMALL, network_id
from crdt.entry import LogKey, client_id, first_body, next_body, root_name, sign
from crdt.errors import Reason
from crdt.gate import elements_of
from crdt.keys import Identity
from crdt.store.keys import entry_item
from crdt.types import NO_NONCE, SessionId, jam_document
from crdt.yupdate import Item, encode_append
from node.engine.effects import Declined, Effect, Persist, Send
from node.engine.engine import Engine
from node.engine.inputs import ElementGiven, PeerJoined

NOW_US = 1_750_000_000_000_000
NETWORK = network_id(SMALL)
JAM = jam_document(SessionId(b"\x22" * 32))
ALICE, PEER = Identity(b"\1" * 32), Identity(b"\2" * 32)
KEY = LogKey(ALICE.player, NO_NONCE)
FIRST = sign(ALICE, NETWORK, first_body(NETWORK, JAM, KEY, b"one"))
SECOND = sign(ALICE, NETWORK, next_body(FIRST, b"two"))
OTHER = sign(ALICE, NETWORK, next_body(FIRST, b"another two"))


def element(clock: int, value: bytes) -> Item:
    return next(elements_of(encode_append(root_name(KEY), client_id(JAM, KEY), clock, [value])))


def give(engine: Engine, clock: int, value: bytes) -> list[Effect]:
    return engine.handle(NOW_US, ElementGiven(JAM, element(clock, value)))


@pytest.fixture
def engine() -> Engine:
    engine = Engine(Identity(b"\3" * 32), SMALL, NOW_US)
    engine.handle(NOW_US, PeerJoined(PEER.player))
    return engine


def test_an_entry_is_saved_and_then_passed_on(engine: Engine) -> None:
    saved = [effect for effect in give(engine, 0, FIRST.raw) if isinstance(effect, Persist)]
    assert [effect.batch for effect in saved] == [(entry_item(FIRST),)]
    (sent,) = saved[0].then
    assert isinstance(sent, Send) and sent.player == PEER.player and FIRST.raw in sent.frame
    assert engine.counters["entries_admitted"] == 1
    assert give(engine, 0, FIRST.raw) == []
    assert engine.documents.replicas[JAM].entry_count == 1


def test_a_forgery_is_declined_counted_and_kept_apart(engine: Engine) -> None:
    forged = FIRST.raw[:-1] + bytes([FIRST.raw[-1] ^ 1])
    assert [type(effect) for effect in give(engine, 0, forged)] == [Declined]
    assert engine.refused[Reason.BAD_SIGNATURE] == 1
    assert [suspect.raw for suspect in engine.quarantine.newest(9)] == [forged]
    assert JAM not in engine.documents.replicas


def test_nothing_is_held_for_a_yjs_client(engine: Engine) -> None:
    (declined,) = give(engine, 1, SECOND.raw)
    assert declined == Declined(Reason.GAP, "entries before it are missing")
    give(engine, 0, FIRST.raw)
    assert len(engine.documents.replicas[JAM].logs[KEY]) == 1
    assert engine.documents.replicas[JAM].held_count() == 0


def test_a_fork_given_by_a_client_is_proven_to_everyone(engine: Engine) -> None:
    give(engine, 0, FIRST.raw)
    give(engine, 1, SECOND.raw)
    (proof,) = (effect for effect in give(engine, 1, OTHER.raw) if isinstance(effect, Persist))
    assert proof.sync
    assert [effect.player for effect in proof.then if isinstance(effect, Send)] == [PEER.player]
    assert engine.documents.replicas[JAM].logs[KEY].frozen_at == 1
    third = sign(ALICE, NETWORK, next_body(SECOND, b"three"))
    (declined,) = give(engine, 2, third.raw)
    assert isinstance(declined, Declined) and declined.reason in (Reason.FROZEN, Reason.GAP)


def test_an_entry_of_another_document_is_declined(engine: Engine) -> None:
    elsewhere = jam_document(SessionId(b"\x33" * 32))
    (declined,) = engine.handle(NOW_US, ElementGiven(elsewhere, element(0, FIRST.raw)))
    assert isinstance(declined, Declined) and declined.reason is Reason.WRONG_DOCUMENT
    assert elsewhere not in engine.documents.replicas


def test_a_document_that_is_past_is_not_brought_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.documents, "is_past", lambda document: document == JAM)
    (declined,) = give(engine, 0, FIRST.raw)
    assert isinstance(declined, Declined) and declined.reason is Reason.PAST
    assert JAM not in engine.documents.replicas
