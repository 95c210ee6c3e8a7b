"""What peers sent and what failed is kept to look at, costs bounded memory, and goes nowhere."""

from __future__ import annotations

from consensus.params import SMALL, network_id
from crdt.errors import Reason
from crdt.limits import QUARANTINE_BYTES_MAX, QUARANTINE_MAX, QUARANTINE_SHOWN_BYTES, QUARANTINE_SHOWN_MAX
from crdt.types import NO_NONCE, PlayerId, Seq
from node.engine import frames
from node.engine.effects import Effect, Persist, Send
from node.engine.engine import Engine
from node.engine.frames import pack, unpack
from node.engine.inputs import FrameReceived, HintReceived, PeerJoined, PeerLeft
from node.shell import views
from tests.node.engine.test_engine import DOCUMENT, ME, OTHER, PEER, _engine, _entry, _flipped, _live, _say
from tests.sim.room import START_US


def test_a_forged_entry_is_kept_as_it_came() -> None:
    engine = _engine()
    forged = _flipped(_entry().raw, 3)
    _say(engine, _live(forged))
    _say(engine, b"garbage")
    engine.handle(START_US, HintReceived(b"short"))
    kept = {(s.reason, s.giver, s.raw) for s in engine.quarantine.newest(9)}
    assert kept == {
        (Reason.BAD_SIGNATURE, PEER.player, forged),
        (Reason.GARBAGE, PEER.player, b"garbage"),
        (Reason.GARBAGE, None, b"short"),
    }


def test_it_is_served_to_nobody() -> None:
    engine = _engine()
    forged = _flipped(_entry().raw, 3)
    effects: list[Effect] = _say(engine, _live(forged))
    assert not any(isinstance(effect, Persist) for effect in effects)
    asked = frames.Ask(DOCUMENT, OTHER.player, NO_NONCE, Seq(0), Seq(9), 1)
    answers = [unpack(e.frame) for e in _say(engine, asked) if isinstance(e, Send)]
    assert answers == [frames.Entries(DOCUMENT, (), 1)]
    assert DOCUMENT not in engine.documents.names()


def test_a_flood_of_forgeries_by_many_peers_costs_bounded_memory() -> None:
    engine = Engine(ME, SMALL, START_US)
    good = _entry().raw
    for number in range(2_000):
        player = PlayerId(number.to_bytes(32, "big"))
        engine.handle(START_US, PeerJoined(player))
        hello = frames.Hello(frames.PROTOCOL, network_id(SMALL), player, "test")
        engine.handle(START_US, FrameReceived(player, pack(hello)))
        forged = (_flipped(good, at) for at in range(5))
        engine.handle(START_US, FrameReceived(player, pack(_live(*forged))))
        engine.handle(START_US, PeerLeft(player))
    assert engine.refused[Reason.BAD_SIGNATURE] == 10_000
    assert len(engine.quarantine) <= QUARANTINE_MAX
    assert engine.quarantine.size_bytes <= QUARANTINE_BYTES_MAX
    shown = views.quarantine(engine)
    assert len(shown["suspects"]) == len(shown["givers"]) == QUARANTINE_SHOWN_MAX
    assert len(shown["suspects"][0]["begins"]) == 2 * QUARANTINE_SHOWN_BYTES
    assert shown["givers"][0] == {"giver": (1_999).to_bytes(32, "big").hex(), "refused": {"bad-signature": 5}}
