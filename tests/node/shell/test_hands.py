"""Save first, then speak: against a store that forgets, fails, and is slow."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest
import trio

from crdt.errors import OperatingFailure, Reason
from crdt.limits import SYNC_QUEUE_MAX
from crdt.store.faulty import FaultyStore
from crdt.store.last_signed import LastSigned
from crdt.types import DocumentName, EntryId, PlayerId, Seq, SessionId
from node.engine.effects import Confirm, Effect, Hint, Persist, Refuse, Send, SessionChanged, Signed, Work
from node.engine.inputs import Confirmed, Input, Worked
from node.shell.hands import Hands

PEER = PlayerId(bytes(32))
SAY = Send(PEER, b"frame")


class Wire:
    """Keeps what would go to the mesh, and what the store held durably at that moment."""

    def __init__(self, store: FaultyStore) -> None:
        self.store = store
        self.sent: list[tuple[bytes, int]] = []
        self.hints: list[bytes] = []
        self.refused: list[PlayerId] = []
        self.full = False

    def send(self, player: PlayerId, frame: bytes) -> bool:
        self.sent.append((frame, self.store.unsynced()))
        return not self.full

    def flush(self) -> None:
        self.flushed = len(self.sent)

    def publish(self, data: bytes) -> None:
        self.hints.append(data)

    def refuse(self, player: PlayerId, seconds_s: float) -> None:
        self.refused.append(player)


class Scene:
    """Hands, and everything they touch."""

    def __init__(self, path: Path) -> None:
        self.store = FaultyStore()
        self.wire = Wire(self.store)
        self.signed = LastSigned.load(path / "signed")
        self.told: list[Effect] = []
        self.given: list[Input] = []
        self.failures: list[OperatingFailure] = []
        self.counters: Counter[str] = Counter()
        self.hands = Hands(
            self.store,
            {PEER: self.signed},
            self.wire,
            self.told.append,
            self.given.append,
            self.failures.append,
            self.counters,  # type: ignore[arg-type]
        )


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_note_is_written_and_then_sent_at_once(scene: Scene) -> None:
    scene.hands.execute([Persist(((b"k", b"v"),), then=(SAY,))])
    assert scene.store.get(b"k") == b"v"
    assert scene.wire.sent == [(b"frame", 1)]  # written, not synced: it survives the process


async def test_a_ledger_entry_is_synced_and_recorded_before_it_is_said(scene: Scene, nursery: trio.Nursery) -> None:
    record = Signed(DocumentName("ledger/1"), Seq(4), EntryId(bytes(32)), PEER)
    scene.hands.execute([Persist(((b"k", b"v"),), sync=True, signed=record, then=(Confirm(record), SAY))])
    assert scene.wire.sent == [] and scene.given == []
    nursery.start_soon(scene.hands.sync_forever)
    await scene.hands.settled()
    assert scene.wire.sent == [(b"frame", 0)]
    assert scene.given == [Confirmed(record)]
    assert scene.signed.latest is not None and scene.signed.latest.seq == 4
    nursery.cancel_scope.cancel()


async def test_what_waits_together_is_written_together_and_said_in_order(scene: Scene, nursery: trio.Nursery) -> None:
    for number in range(5):
        then = (Send(PEER, bytes([number])),)
        scene.hands.execute([Persist(((bytes([number]), b"v"),), sync=True, then=then)])
    nursery.start_soon(scene.hands.sync_forever)
    await scene.hands.settled()
    assert [frame for frame, _ in scene.wire.sent] == [bytes([number]) for number in range(5)]
    nursery.cancel_scope.cancel()


def test_a_write_that_fails_says_nothing_and_ends_the_node(scene: Scene) -> None:
    scene.store.fail_write(1)
    scene.hands.execute([Persist(((b"k", b"v"),), then=(SAY,))])
    assert scene.wire.sent == []
    assert len(scene.failures) == 1


def test_after_a_write_that_fails_nothing_more_is_said(scene: Scene) -> None:
    """The engine may be asked for what it could not save, and would give it."""
    scene.store.fail_write(1)
    scene.hands.execute([Persist(((b"k", b"v"),), then=(SAY,)), SAY])
    scene.hands.execute([SAY, Hint(b"h"), SessionChanged(None), Persist(((b"k", b"w"),), then=(SAY,))])
    assert (scene.wire.sent, scene.wire.hints, scene.told) == ([], [], [])
    assert scene.hands.failure is scene.failures[0]
    assert len(scene.failures) == 1


async def test_a_sync_that_fails_says_nothing_and_ends_the_node(scene: Scene, nursery: trio.Nursery) -> None:
    scene.store.fail_write(1)
    scene.hands.execute([Persist(((b"k", b"v"),), sync=True, then=(SAY,))])
    await scene.hands.sync_forever()
    assert scene.wire.sent == []
    assert len(scene.failures) == 1


def test_what_waits_for_the_disk_is_bounded(scene: Scene) -> None:
    for number in range(SYNC_QUEUE_MAX + 1):
        scene.hands.execute([Persist(((b"k%d" % number, b""),), sync=True)])
    assert [failure.what for failure in scene.failures] == ["the disk is too slow"]


def test_at_the_end_what_waits_is_saved_but_not_said(scene: Scene) -> None:
    scene.hands.execute([Persist(((b"k", b"v"),), sync=True, then=(SAY,))])
    scene.hands.flush()
    assert scene.store.crash().get(b"k") == b"v"
    assert scene.wire.sent == []


def test_everything_else_goes_where_it_belongs(scene: Scene) -> None:
    news = SessionChanged(SessionId(bytes(32)))
    scene.wire.full = True
    scene.hands.execute([Hint(b"h"), Refuse(PEER, Reason.FLOOD, 60), news, SAY])
    assert scene.wire.hints == [b"h"]
    assert scene.wire.refused == [PEER]
    assert scene.told == [news]
    assert scene.counters == {"peers_refused_flood": 1, "frames_dropped": 1}


async def test_work_is_done_in_a_thread_and_comes_back(scene: Scene, nursery: trio.Nursery) -> None:
    threads: list[int] = []

    def task() -> str:
        threads.append(threading.get_ident())
        return "done"

    nursery.start_soon(scene.hands.work_forever)
    scene.hands.execute([Work(7, task)])
    with trio.fail_after(10):
        while not scene.given:
            await trio.sleep(0.01)
    assert scene.given == [Worked(7, "done")]
    assert threads != [threading.get_ident()]
    nursery.cancel_scope.cancel()
