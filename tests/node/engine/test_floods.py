"""What a flood may cost and what it may not: honest peers' share, other peers' patience, catching up at full speed."""

from __future__ import annotations

from collections.abc import Iterator

from consensus.events import Event, encode_events
from consensus.ops import SessionOpen, encode_ops
from consensus.params import SMALL, network_id
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Reason
from crdt.keys import Identity
from crdt.limits import ASKS_PENDING_MAX, EMPTY_ANSWERS_MAX, ENTRIES_PER_FRAME_MAX, SERVED_BYTES_PER_S_MAX
from crdt.types import NO_NONCE, DocumentName, EntryId, Micros, PlayerId, Seq, SessionId, jam_document
from node.engine import frames
from node.engine.effects import Effect, Persist, Send
from node.engine.engine import Engine
from node.engine.frames import pack, unpack
from node.engine.inputs import FrameReceived, PeerJoined, Tick
from node.engine.peers import ASTRAY_US
from tests.sim.room import START_US, identity

ME, PEER, OTHER = identity(1), identity(2), identity(3)
NETWORK = network_id(SMALL)
JAM = jam_document(SessionId(bytes(32)))
SECOND_US = 1_000_000


def _engine(me: Identity = ME, *peers: Identity) -> Engine:
    engine = Engine(me, SMALL, START_US)
    for peer in peers or (PEER,):
        engine.handle(START_US, PeerJoined(peer.player))
        _say(engine, frames.Hello(frames.PROTOCOL, NETWORK, peer.player, "test"), peer=peer)
    return engine


def _say(engine: Engine, frame: frames.Frame, at_us: int = START_US, peer: Identity = PEER) -> list[Effect]:
    return engine.handle(at_us, FrameReceived(peer.player, pack(frame)))


def _chain(author: Identity, count: int, document: DocumentName = JAM) -> list[Entry]:
    payload = encode_events((Event(Micros(1), 0, 1, 60, 100),))
    out = [sign(author, NETWORK, first_body(NETWORK, document, LogKey(author.player, NO_NONCE), payload))]
    while len(out) < count:
        out.append(sign(author, NETWORK, next_body(out[-1], payload)))
    return out


def _sent(effects: list[Effect], to: PlayerId) -> Iterator[frames.Frame]:
    for effect in effects:
        if isinstance(effect, Send) and effect.player == to:
            yield unpack(effect.frame)
        elif isinstance(effect, Persist):
            yield from _sent(list(effect.then), to)


def _asked(effects: list[Effect]) -> list[frames.Ask]:
    return [frame for frame in _sent(effects, PEER.player) if isinstance(frame, frames.Ask)]


def _claim(author: PlayerId, length: int, document: DocumentName = JAM) -> frames.Heads:
    return frames.Heads(document, (frames.LogHead(author, NO_NONCE, length, EntryId(b"h" * 32), False),), True)


def test_an_answer_to_no_question_is_not_looked_into() -> None:
    engine = _engine()
    _say(engine, frames.Entries(JAM, (_chain(OTHER, 1)[0].raw,), 7), START_US + ASTRAY_US)
    assert engine.refused == {Reason.UNEXPECTED: 1}
    assert not engine.documents.replicas


def test_an_answer_holds_what_was_asked_for_and_nothing_else() -> None:
    engine = _engine()
    (ask,) = _asked(_say(engine, _claim(OTHER.player, 5)))
    _say(engine, frames.Entries(JAM, (_chain(identity(9), 1)[0].raw,), ask.request))
    assert engine.refused == {Reason.UNEXPECTED: 1}
    assert not engine.documents.replicas


def test_promises_that_come_to_nothing_run_out() -> None:
    engine = _engine()
    for number in range(EMPTY_ANSWERS_MAX + 1):
        document = jam_document(SessionId(number.to_bytes(32, "big")))
        (ask,) = _asked(_say(engine, _claim(OTHER.player, 5, document)))
        assert not engine.refused
        _say(engine, frames.Entries(document, (), ask.request))
    assert engine.refused == {Reason.EMPTY: 1}


def test_catching_up_costs_the_giver_nothing() -> None:
    """However much it is, and all in one moment: it was asked for."""
    engine, entries, at = _engine(), _chain(OTHER, 3_000), 0
    asks = _asked(_say(engine, _claim(OTHER.player, len(entries))))
    while asks:
        ask = asks.pop(0)
        raws = tuple(entry.raw for entry in entries[ask.start : min(ask.stop, ask.start + ENTRIES_PER_FRAME_MAX)])
        asks += _asked(_say(engine, frames.Entries(JAM, raws, ask.request)))
        at += len(raws)
    assert at == len(entries) == engine.documents.replicas[JAM].entry_count
    assert not engine.refused and not engine.counters["frames_beyond_budget"]


def test_questions_are_served_by_bytes_and_the_rest_waits_its_turn() -> None:
    engine = _engine()
    for entry in _chain(ME, 200):
        engine.documents.author(entry)
    ask = frames.Ask(JAM, ME.player, NO_NONCE, Seq(0), Seq(200), 1)
    answered = 0
    while not engine.peers[PEER.player].pending:
        answered += len(list(_sent(_say(engine, ask), PEER.player)))
    for _ in range(ASKS_PENDING_MAX - 1):
        assert not _say(engine, ask)
    later = list(_sent(engine.handle(START_US + SECOND_US, Tick()), PEER.player))
    late = [frame for frame in later if isinstance(frame, frames.Entries) and frame.request == ask.request]
    assert len(late) == ASKS_PENDING_MAX
    assert answered * len(pack(late[0])) < 2 * SERVED_BYTES_PER_S_MAX
    assert not engine.refused


def test_more_questions_than_can_wait_are_a_flood() -> None:
    engine = _engine()
    for entry in _chain(ME, 200):
        engine.documents.author(entry)
    ask = frames.Ask(JAM, ME.player, NO_NONCE, Seq(0), Seq(200), 1)
    while not engine.refused:
        _say(engine, ask)
    assert engine.refused == {Reason.FLOOD: 1}
    assert engine.peers[PEER.player].is_refused


def test_who_passes_a_flood_on_is_not_taken_for_its_source() -> None:
    """A thousand small logs flood one node; what it hands on keeps it within its own budget at the next one."""
    relay, end = _engine(ME, PEER, OTHER), _engine(OTHER, ME)
    handed = 0
    for number in range(3_000):
        author = Identity(number.to_bytes(32, "big"))
        peer = identity(10 + number // 20)  # each flooder stays within what it may do
        if peer.player not in relay.peers:
            relay.handle(START_US, PeerJoined(peer.player))
            _say(relay, frames.Hello(frames.PROTOCOL, NETWORK, peer.player, "flood"), peer=peer)
        document = jam_document(SessionId(number.to_bytes(32, "little")))
        effects = _say(relay, frames.Entries(document, (_chain(author, 1, document)[0].raw,), 0), peer=peer)
        for frame in _sent(effects, OTHER.player):
            handed += 1
            _say(end, frame, peer=ME)
    assert relay.counters["entries_admitted"] > 100 > handed > 0
    assert not end.refused and not end.counters["frames_beyond_budget"]


def test_a_thousand_jams_of_one_are_one_to_choose_from() -> None:
    engine = _engine()
    document = DocumentName(f"ledger/{SMALL.epoch_of(SMALL.window_at(START_US))}")
    last: Entry | None = None
    for start in range(0, 1_000, 100):
        ops = tuple(SessionOpen("x", 120_000, 4, 4, Micros(start + n), ()) for n in range(100))
        log = LogKey(PEER.player, NO_NONCE)
        payload = encode_ops(ops)
        body = next_body(last, payload) if last else first_body(NETWORK, document, log, payload)
        last = sign(PEER, NETWORK, body)
        _say(engine, frames.Entries(document, (last.raw,), 0), START_US + start * SECOND_US)
    now_us = START_US + 2_000 * SECOND_US
    assert len(engine.ledger.sessions()) == 1_000
    placed = engine.current_session(now_us)
    assert placed is not None and placed.facts.op.t0_us == 999
