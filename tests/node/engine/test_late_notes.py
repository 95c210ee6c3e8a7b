"""Notes that reach their node late, as after a freeze, when no jam is on any more."""

from __future__ import annotations

from consensus.params import SMALL
from crdt.types import ledger_document
from node.engine.engine import Engine
from node.engine.inputs import Play, Played, Tick
from tests.chaos.tags import note
from tests.sim.room import SECOND, START_US, identity

EPOCH_US = SMALL.window_us * SMALL.epoch_windows


def test_a_note_of_the_last_epoch_opens_its_jam_in_this_one() -> None:
    """Seen in the soak: the jam was to be opened in the ledger of the note's epoch, where nothing may be signed any
    more, and the note was refused as if the node lacked its own log."""
    now_us = (START_US // EPOCH_US + 1) * EPOCH_US + SECOND
    engine = Engine(identity(1), SMALL, START_US)
    engine.handle(now_us, Tick())  # the pulse of this epoch is signed
    engine.handle(now_us, Play((Played(now_us - 3 * SECOND, *note(0)),)))
    placed = engine.current_session(now_us)
    assert placed is not None and placed.facts.op.t0_us == now_us - 3 * SECOND
    epoch = SMALL.epoch_of(SMALL.window_at(now_us))
    assert [name for name in engine.documents.replicas if name.startswith("ledger/")] == [ledger_document(epoch)]
