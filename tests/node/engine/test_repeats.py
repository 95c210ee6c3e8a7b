"""What comes again from the next neighbour, byte for byte, is known at one look; nothing else is."""

from __future__ import annotations

from unittest.mock import patch

from crdt.entry import Entry
from crdt.errors import Reason
from crdt.limits import REPEATS_KNOWN_MAX
from node.engine import frames
from node.engine.engine import Engine
from node.engine.frames import pack
from node.engine.inputs import FrameReceived, PeerJoined
from node.engine.repeats import FRAME_MAX_BYTES, Repeats
from tests.node.engine.test_floods import JAM, OTHER, PEER, _chain, _engine, _say
from tests.sim.room import START_US

_CHAIN = _chain(PEER, 3)


def _live(*entries: Entry) -> frames.Entries:
    return frames.Entries(JAM, tuple(entry.raw for entry in entries), 0)


def _held(engine: Engine) -> int:
    return sum(replica.entry_count for replica in engine.documents.replicas.values())


def test_an_entry_that_comes_again_is_not_even_decoded() -> None:
    engine = _engine()
    _say(engine, _live(_CHAIN[0]))
    with patch("node.engine.intake.unpack", side_effect=AssertionError("decoded")):
        assert _say(engine, _live(_CHAIN[0])) == []
    assert _held(engine) == 1 and not engine.refused


def test_what_waits_for_its_predecessors_is_looked_at_again_when_it_comes_again() -> None:
    engine = _engine()
    late = _say(engine, _live(_CHAIN[0], _CHAIN[2]))
    assert late and _held(engine) == 1
    engine.peers[PEER.player].next_total_us = START_US + 10**9
    _say(engine, _live(_CHAIN[0], _CHAIN[2]))
    assert engine.peers[PEER.player].next_total_us < START_US + 10**9  # it is still missed


def test_a_frame_that_was_refused_is_refused_again() -> None:
    engine = _engine()
    forged = bytes(64) + _CHAIN[0].raw[64:]
    for times in (1, 2):
        _say(engine, frames.Entries(JAM, (_CHAIN[1].raw, forged), 0))
        assert engine.refused[Reason.BAD_SIGNATURE] == times


def test_a_known_frame_is_no_excuse_for_the_missing_hello() -> None:
    engine = _engine()
    _say(engine, _live(_CHAIN[0]))
    engine.handle(START_US, PeerJoined(OTHER.player))
    engine.handle(START_US, FrameReceived(OTHER.player, pack(_live(_CHAIN[0]))))
    assert engine.refused[Reason.UNEXPECTED] == 1


def test_repeating_is_paid_for_like_everything_else() -> None:
    engine = _engine()
    for _ in range(20_000):
        _say(engine, _live(_CHAIN[0]))
    assert engine.counters["frames_beyond_budget"] > 0 or engine.refused[Reason.FLOOD] > 0


def test_they_are_bounded_in_number_and_size() -> None:
    repeats = Repeats()
    for number in range(REPEATS_KNOWN_MAX + 1):
        repeats.add(number.to_bytes(4, "big"))
    assert bytes(4) not in repeats and REPEATS_KNOWN_MAX.to_bytes(4, "big") in repeats
    long = bytes(FRAME_MAX_BYTES + 1)
    repeats.add(long)
    assert long not in repeats
