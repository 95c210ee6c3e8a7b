"""The engine against peers that do not play by the rules: typed refusals, nothing merged, and it goes on."""

from __future__ import annotations

import pytest

from consensus.events import Event, encode_events
from consensus.params import MAIN, SMALL, network_id
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Misuse, Reason
from crdt.keys import Identity
from crdt.limits import ENTRIES_PER_FRAME_MAX, WORK_BURST_MAX
from crdt.store.keys import entry_item
from crdt.types import NO_NONCE, DocumentName, Micros, Seq, SessionId, jam_document
from node.engine import frames
from node.engine.effects import Confirm, Effect, Heard, Hint, Persist, Refuse, Send
from node.engine.engine import Engine
from node.engine.frames import pack, unpack
from node.engine.inputs import (
    CloseSession,
    Confirmed,
    FrameReceived,
    HintReceived,
    OpenSession,
    PeerJoined,
    PeerLeft,
    PeerViolated,
    Play,
    Played,
    Tick,
)
from tests.sim.room import START_US, identity

ME, PEER, OTHER = identity(1), identity(2), identity(3)
NETWORK = network_id(SMALL)
DOCUMENT = jam_document(SessionId(bytes(32)))


def _engine(hello: bool = True) -> Engine:
    engine = Engine(ME, SMALL, START_US)
    engine.handle(START_US, PeerJoined(PEER.player))
    if hello:
        _say(engine, frames.Hello(frames.PROTOCOL, NETWORK, PEER.player, "test"))
    return engine


def _back(engine: Engine) -> None:
    """The peer comes again, as after a refusal."""
    engine.handle(START_US, PeerLeft(PEER.player))
    engine.handle(START_US, PeerJoined(PEER.player))
    _say(engine, frames.Hello(frames.PROTOCOL, NETWORK, PEER.player, "test"))


def _say(engine: Engine, frame: frames.Frame | bytes, at_us: int = START_US) -> list[Effect]:
    raw = frame if isinstance(frame, bytes) else pack(frame)
    return engine.handle(at_us, FrameReceived(PEER.player, raw))


def _entry(author: Identity = OTHER, seq_after: Entry | None = None, t_us: int = 1, **wrong: object) -> Entry:
    payload = encode_events((Event(Micros(t_us), 0, 1, 60, 100),))
    if seq_after is not None:
        return sign(author, NETWORK, next_body(seq_after, payload))
    log = LogKey(author.player, NO_NONCE)
    document = DocumentName(str(wrong.get("document", DOCUMENT)))
    network = wrong.get("network", NETWORK)
    return sign(author, network, first_body(network, document, log, payload))  # type: ignore[arg-type]


def _live(*raws: bytes, document: DocumentName = DOCUMENT) -> frames.Entries:
    return frames.Entries(document, raws, 0)


def _flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.GARBAGE),
        (b"\xff" * 20, Reason.GARBAGE),
        (bytes(60_000), Reason.OVERSIZE),
        (pack(frames.Hello(1, network_id(MAIN), PEER.player, "t")), Reason.WRONG_NETWORK),
        (pack(frames.Hello(frames.PROTOCOL, NETWORK, OTHER.player, "t")), Reason.BAD_KEY),
        (pack(_live(_flipped(_entry().raw, 3))), Reason.BAD_SIGNATURE),
        (pack(_live(_entry(network=network_id(MAIN)).raw)), Reason.WRONG_NETWORK),
        (pack(_live(_entry(document="ledger/1").raw)), Reason.WRONG_DOCUMENT),
        (pack(_live(_entry().raw, document=DocumentName("diary/1"))), Reason.WRONG_DOCUMENT),
        (pack(_live(_entry().raw[:-1])), Reason.GARBAGE),
        (pack(frames.Proof(_entry().raw, _entry().raw)), Reason.BAD_PROOF),
        (pack(frames.Documents((frames.DocumentDigest(DocumentName("x"), bytes(32)),))), Reason.WRONG_DOCUMENT),  # type: ignore[arg-type]
    ],
)
def test_what_breaks_the_rules_is_counted_by_its_reason_and_merges_nothing(raw: bytes, reason: Reason) -> None:
    engine = _engine()
    before = engine.documents.total()
    effects = _say(engine, raw)
    assert engine.refused == {reason: 1}
    assert engine.documents.total() == before
    assert not any(isinstance(effect, Persist | Heard) for effect in effects)
    _back(engine)
    _say(engine, _live(_entry().raw))  # and honest work goes on
    assert engine.documents.total() != before


def test_nothing_is_heard_before_the_hello() -> None:
    engine = _engine(hello=False)
    _say(engine, _live(_entry().raw))
    assert engine.refused == {Reason.UNEXPECTED: 1}
    assert not engine.documents.replicas


def test_frames_of_a_peer_that_is_not_linked_are_ignored() -> None:
    engine = Engine(ME, SMALL, START_US)
    assert _say(engine, _live(_entry().raw)) == []
    assert not engine.documents.replicas


def test_patience_runs_out() -> None:
    engine = _engine()
    effects: list[Effect] = []
    for _ in range(20):
        effects += _say(engine, b"garbage")
    assert any(isinstance(effect, Refuse) and effect.player == PEER.player for effect in effects)


def test_a_frame_full_of_forgeries_is_not_verified_to_its_end() -> None:
    engine = _engine()
    effects = _say(engine, _live(*(_flipped(_entry().raw, 3) for _ in range(ENTRIES_PER_FRAME_MAX))))
    assert [type(effect) for effect in effects] == [Refuse]
    assert engine.refused[Reason.BAD_SIGNATURE] < 20


def test_another_network_is_refused_at_once() -> None:
    effects = _say(_engine(hello=False), frames.Hello(1, network_id(MAIN), PEER.player, "t"))
    assert [type(effect) for effect in effects] == [Refuse]


def test_a_flood_is_refused_and_the_rate_recovers() -> None:
    engine = _engine()
    probe = pack(frames.Probe(Micros(1)))
    said = [_say(engine, probe) for _ in range(WORK_BURST_MAX)]
    assert [type(effects[0]) for effects in said if effects][-1] is Refuse
    assert engine.refused[Reason.FLOOD] == 1
    assert engine.counters["frames_beyond_budget"] > 0
    _back(engine)
    assert any(isinstance(effect, Send) for effect in _say(engine, probe, START_US + 1_000_000))


def test_entries_are_saved_before_anything_is_said_of_them() -> None:
    engine = _engine()
    engine.handle(START_US, PeerJoined(OTHER.player))
    author = identity(7)
    effects = _say(engine, _live(_entry(author).raw))
    persists = [effect for effect in effects if isinstance(effect, Persist)]
    assert len(persists) == 1
    onward = [effect for effect in persists[0].then if isinstance(effect, Send)]
    assert {effect.player for effect in onward} == {OTHER.player}
    assert not any(isinstance(effect, Send) for effect in effects)


def test_a_fork_is_proven_spread_and_survives_a_restart() -> None:
    engine = _engine()
    engine.handle(START_US, PeerJoined(OTHER.player))
    author = identity(7)
    one, other = _entry(author, t_us=1), _entry(author, t_us=2)
    _say(engine, _live(one.raw))
    effects = _say(engine, _live(other.raw))
    (persist,) = [effect for effect in effects if isinstance(effect, Persist)]
    assert persist.sync
    assert (entry_item(one)[0], None) in persist.batch  # what was cut leaves the store with the same write
    (spread,) = [effect for effect in persist.then if isinstance(effect, Send)]
    proof = unpack(spread.frame)
    assert isinstance(proof, frames.Proof)
    assert {proof.first, proof.second} == {one.raw, other.raw}
    assert len(engine.documents.equivocations()) == 1
    third = Engine(OTHER, SMALL, START_US)
    third.handle(START_US, PeerJoined(PEER.player))
    _say(third, frames.Hello(frames.PROTOCOL, NETWORK, PEER.player, "t"))
    _say(third, proof)
    assert third.documents.total() == engine.documents.total()


def test_two_forks_seen_in_opposite_order_end_alike() -> None:
    author = identity(7)
    one, other = _entry(author, t_us=1), _entry(author, t_us=2)
    after_one, after_other = _entry(author, one, t_us=3), _entry(author, other, t_us=4)
    first, second = _engine(), _engine()
    for entry in (one, after_one, other, after_other):
        _say(first, _live(entry.raw))
    for entry in (after_other, other, after_one, one):
        _say(second, _live(entry.raw))
    assert first.documents.total() == second.documents.total()


def test_hints_that_are_no_hints_are_garbage() -> None:
    engine = _engine()
    engine.handle(START_US, HintReceived(b"x" * 31))
    assert engine.refused == {Reason.GARBAGE: 1}
    assert engine.handle(START_US, HintReceived(bytes(32))) == []


def _hints(engine: Engine, at_us: int) -> list[Effect]:
    """What is told to the mesh soon after this node has played."""
    out = engine.handle(at_us, Play((Played(at_us - 1_000, 0, 1, 60, 100),)))
    for late_us in range(0, 2_000_000, 50_000):
        out += engine.handle(at_us + late_us, Tick())
    return [effect for effect in out if isinstance(effect, Hint)]


def test_who_hears_something_new_all_the_time_gives_no_hints() -> None:
    engine = _engine()
    _say(engine, frames.Links((ME.player, OTHER.player)))
    at_us, entry = START_US, _entry()
    for _ in range(4):
        _say(engine, _live(entry.raw))
        at_us += 1_500_000
        assert [e for e in engine.handle(at_us, Tick()) if isinstance(e, Hint)] == []
        entry = sign(OTHER, NETWORK, next_body(entry, entry.body.payload))
    at_us += 1_500_000
    assert [e for e in engine.handle(at_us, Tick()) if isinstance(e, Hint)] == [Hint(engine.documents.total())]


def test_hints_are_for_those_beyond_the_direct_links() -> None:
    engine = _engine()
    at_us = START_US + 5_000_000
    assert _hints(engine, at_us) == []
    _say(engine, frames.Links((ME.player,)), at_us)
    assert _hints(engine, at_us + 2_000_000) == []
    _say(engine, frames.Links((ME.player, OTHER.player)), at_us + 4_000_000)
    told = _hints(engine, at_us + 6_000_000)
    assert told[-1] == Hint(engine.documents.total())


def test_the_transports_own_violations_are_counted() -> None:
    engine = _engine()
    engine.handle(START_US, PeerViolated(PEER.player, Reason.TRUNCATED, ""))
    engine.handle(START_US, PeerViolated(None, Reason.GARBAGE, ""))
    assert engine.refused == {Reason.TRUNCATED: 1, Reason.GARBAGE: 1}


def test_playing_without_a_jam_opens_one_and_the_entry_is_saved_first() -> None:
    engine = _engine()
    effects = engine.handle(START_US + 5_000_000, Play((Played(START_US + 4_999_000, 0, 1, 60, 100),)))
    placed = engine.current_session(START_US + 5_000_000)
    assert placed is not None and placed.facts.op.title == "Open jam"
    persists = [effect for effect in effects if isinstance(effect, Persist)]
    assert [persist.sync for persist in persists] == [True, False]  # the session in the ledger, the note in the jam
    assert all(any(isinstance(e, Send) for e in persist.then) for persist in persists)


@pytest.mark.parametrize(
    "events",
    [
        (Played(START_US - 60_000_000, 0, 1, 60, 100),),
        (Played(START_US + 10_000_000, 0, 1, 60, 100),),
        (Played(START_US, 0, 1, 60, 100), Played(START_US + 10_000_000, 0, 1, 60, 100)),
        (Played(START_US, 64, 1, 60, 100),),
        (Played(START_US, 0, 10, 60, 100),),
        (Played(START_US, 0, 1, 128, 100),),
        (Played(START_US, 0, 1, 60, -1),),
        (),
        (Played(START_US, 0, 1, 60, 100),) * 257,
    ],
)
@pytest.mark.parametrize("opened", [True, False])
def test_events_that_cannot_be_are_misuse_and_leave_no_trace(events: tuple[Played, ...], opened: bool) -> None:
    """Found by reading: a first event with a bad time stamp left a jam in the ledger that was never saved."""
    engine = _engine()
    if opened:
        engine.handle(START_US, OpenSession("t", 120_000, 4, 4))
    before = engine.documents.total()
    with pytest.raises(Misuse):
        engine.handle(START_US, Play(events))
    assert engine.documents.total() == before


@pytest.mark.parametrize(
    "wish",
    [
        OpenSession("t", 10, 4, 4),
        OpenSession("t", 120_000, 0, 4),
        OpenSession("t", 120_000, 4, 99),
        OpenSession("t" * 81, 120_000, 4, 4),
        OpenSession("t", 120_000, 4, 4, ("x" * 25,)),
        OpenSession("t", 120_000, 4, 4, ("x",) * 9),
    ],
)
def test_a_jam_out_of_bounds_is_misuse(wish: OpenSession) -> None:
    with pytest.raises(Misuse):
        _engine().handle(START_US, wish)


def test_closing_a_jam_that_was_never_opened_is_misuse() -> None:
    with pytest.raises(Misuse):
        _engine().handle(START_US, CloseSession())


def test_a_closed_jam_is_not_current_any_more() -> None:
    engine = _engine()
    engine.handle(START_US, OpenSession("t", 120_000, 4, 4))
    assert engine.current_session(START_US) is not None
    engine.handle(START_US + 1_000_000, CloseSession())
    assert engine.current_session(START_US + 1_000_000) is None


def test_a_peer_that_left_is_forgotten() -> None:
    engine = _engine()
    engine.handle(START_US, PeerLeft(PEER.player))
    assert engine.peers == {}
    assert not any(isinstance(e, Send) for e in engine.handle(START_US + 1_000_000, Tick()))


def test_unknown_document_names_cost_a_peer_nothing_and_us_nothing() -> None:
    engine = _engine()
    for number in range(200):
        listing = (frames.DocumentDigest(DocumentName(f"ledger/{number}"), bytes(32)),)  # type: ignore[arg-type]
        _say(engine, frames.Documents(listing))
    assert not engine.documents.replicas


def test_a_clock_is_answered_with_ours() -> None:
    (effect,) = _say(_engine(), frames.Probe(Micros(77)), START_US + 5)
    assert isinstance(effect, Send)
    assert unpack(effect.frame) == frames.Echo(Micros(77), Micros(START_US + 5), Micros(START_US + 5))


def test_a_ledger_entry_leaves_in_no_way_before_it_is_synced() -> None:
    engine = _engine()
    (persist,) = [e for e in engine.handle(START_US, OpenSession("t", 120_000, 4, 4)) if isinstance(e, Persist)]
    (document,) = [name for name in engine.documents.replicas if name.startswith("ledger/")]
    ask = frames.Ask(document, ME.player, NO_NONCE, Seq(0), Seq(9), 1)

    def served() -> tuple[bytes, ...]:
        (answer,) = [e for e in _say(engine, ask) if isinstance(e, Send)]
        frame = unpack(answer.frame)
        assert isinstance(frame, frames.Entries)
        return frame.entries

    assert served() == ()
    (confirm,) = [e for e in persist.then if isinstance(e, Confirm)]
    engine.handle(START_US, Confirmed(confirm.signed))
    assert len(served()) == 1
