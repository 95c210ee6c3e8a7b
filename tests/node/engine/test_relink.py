"""A link that takes the place of another: what belongs to the old one still comes, and is nobody's fault."""

from __future__ import annotations

import pytest

from consensus.events import Event, encode_events
from consensus.params import SMALL, network_id
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Reason
from crdt.limits import PEERS_MAX, WORK_PER_S_MAX
from crdt.types import NO_NONCE, Micros, SessionId, jam_document
from node.engine import frames
from node.engine.effects import Effect, Send
from node.engine.engine import Engine
from node.engine.frames import Frame, pack, unpack
from node.engine.inputs import FrameReceived, Input, PeerJoined, PeerLeft
from node.engine.peers import ASTRAY_US
from tests.sim.room import START_US, identity

ME, PEER, OTHER = identity(1), identity(2), identity(3)
NETWORK = network_id(SMALL)
DOCUMENT = jam_document(SessionId(bytes(32)))
HELLO = frames.Hello(frames.PROTOCOL, NETWORK, PEER.player, "test")


def _engine() -> Engine:
    engine = Engine(ME, SMALL, START_US)
    engine.handle(START_US, PeerJoined(PEER.player))
    return engine


def _say(engine: Engine, frame: Frame, at_us: int = START_US) -> list[Effect]:
    return engine.handle(at_us, FrameReceived(PEER.player, pack(frame)))


def _entries(count: int) -> list[Entry]:
    payload = encode_events((Event(Micros(1), 0, 1, 60, 100),))
    log = [sign(OTHER, NETWORK, first_body(NETWORK, DOCUMENT, LogKey(OTHER.player, NO_NONCE), payload))]
    while len(log) < count:
        log.append(sign(OTHER, NETWORK, next_body(log[-1], payload)))
    return log


def _ask(effects: list[Effect]) -> frames.Ask:
    sent = [unpack(effect.frame) for effect in effects if isinstance(effect, Send)]
    return next(frame for frame in sent if isinstance(frame, frames.Ask))


def _heads(log: list[Entry]) -> frames.Heads:
    head = frames.LogHead(OTHER.player, NO_NONCE, len(log), log[-1].id, False)
    return frames.Heads(DOCUMENT, (head,), True)


REPLACED: list[tuple[Input, ...]] = [(PeerLeft(PEER.player), PeerJoined(PEER.player)), (PeerJoined(PEER.player),)]


@pytest.mark.parametrize("replaced", REPLACED, ids=["left and joined", "joined again"])
def test_frames_come_before_the_hello_of_a_link_that_replaced_another(replaced: tuple[Input, ...]) -> None:
    """Seen in the soak: the hello had come over the new connection before the old link was given up here."""
    engine, (entry, *_) = _engine(), _entries(1)
    _say(engine, HELLO)
    for event in replaced:
        engine.handle(START_US, event)
    _say(engine, frames.Entries(DOCUMENT, (entry.raw,), 0))
    assert not engine.refused
    assert engine.documents.replicas[DOCUMENT].entry_count == 1


def test_who_never_said_hello_may_not_speak_the_second_time_either() -> None:
    engine = _engine()
    for event in REPLACED[0]:
        engine.handle(START_US, event)
    _say(engine, frames.Total(bytes(32)))
    assert engine.refused == {Reason.UNEXPECTED: 1}


def test_an_answer_to_a_question_of_an_earlier_link_is_nobodys_fault_and_is_used() -> None:
    engine, log = _engine(), _entries(3)
    _say(engine, HELLO)
    asked = _ask(_say(engine, _heads(log)))
    for event in REPLACED[0]:
        engine.handle(START_US, event)
    _say(engine, frames.Entries(DOCUMENT, tuple(entry.raw for entry in log), asked.request))
    assert not engine.refused
    assert engine.documents.replicas[DOCUMENT].entry_count == 3


def test_questions_of_two_links_are_never_confused() -> None:
    engine, log = _engine(), _entries(3)
    _say(engine, HELLO)
    numbers = [_ask(_say(engine, _heads(log))).request]
    for event in REPLACED[0]:
        engine.handle(START_US, event)
    numbers.append(_ask(_say(engine, _heads(log))).request)
    assert len(set(numbers)) == 2


def test_an_answer_to_a_question_that_no_link_asked_is_a_violation() -> None:
    engine, log = _engine(), _entries(1)
    _say(engine, HELLO)
    for event in REPLACED[0]:
        engine.handle(START_US, event)
    _say(engine, frames.Entries(DOCUMENT, (log[0].raw,), 9), START_US + ASTRAY_US)
    assert engine.refused == {Reason.UNEXPECTED: 1}


def test_an_answer_to_a_question_of_the_process_before_is_nobodys_fault_and_is_paid_for() -> None:
    """Seen in the soak: a frozen peer thawed and answered, over its new link, who had been killed and started again."""
    engine, log = _engine(), _entries(1)
    _say(engine, HELLO)
    _say(engine, frames.Entries(DOCUMENT, (log[0].raw,), 9))
    assert not engine.refused
    assert engine.documents.replicas[DOCUMENT].entry_count == 1
    for _ in range(WORK_PER_S_MAX):
        _say(engine, frames.Entries(DOCUMENT, (log[0].raw,), 9))
    assert engine.refused == {Reason.FLOOD: 1}


def test_of_those_who_left_a_bounded_number_is_remembered() -> None:
    engine = Engine(ME, SMALL, START_US)
    for number in range(2, PEERS_MAX + 12):
        player = identity(number).player
        engine.handle(START_US, PeerJoined(player))
        engine.handle(START_US, PeerLeft(player))
    assert len(engine._pasts) == PEERS_MAX
