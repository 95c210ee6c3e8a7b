"""Between the API and the engine: coalescing, refusals in words, views that follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from pycrdt import Array, Doc

from consensus.params import SMALL
from crdt.errors import OperatingFailure
from crdt.limits import EVENTS_PER_ENTRY_MAX, PLAY_QUEUE_MAX
from crdt.store.last_signed import LastSigned
from crdt.store.memory import MemoryStore
from node.api.backend import Played, SessionWish
from node.engine.engine import Engine
from node.mesh.port import Link
from node.shell.backend import DaemonBackend
from node.shell.clock import NodeClock
from node.shell.hands import Hands
from node.shell.status import Facts
from tests.sim.room import identity


class Quiet:
    """A mesh with nobody in it, but with links that may be busy."""

    def __init__(self) -> None:
        self.busy = 0
        self.peer_id = "nobody"
        self.addresses: list[str] = []
        self.counters: dict[str, int] = {}
        self.guarded: dict[str, int] = {}

    def links(self) -> dict[bytes, Link]:
        return {b"x": Link("x", "", None, 0.0, self.busy)}

    def send(self, player: bytes, frame: bytes) -> bool:
        return True

    def publish(self, data: bytes) -> None:
        pass


class Scene:
    """A backend around a real engine and a store in memory."""

    def __init__(self, path: Path) -> None:
        self.clock = NodeClock()
        self.mesh = Quiet()
        self.engine = Engine(identity(1), SMALL, self.clock.now_us())
        facts = Facts("small", "data", self.clock.now_us(), "memory", False, "", SMALL)
        self.stopped = False
        mesh: Any = self.mesh
        self.backend = DaemonBackend(self.engine, self.clock, mesh, facts, self._stop)
        signed = LastSigned.load(path / "signed")
        fail = pytest.fail
        self.backend.hands = Hands(
            MemoryStore(), signed, mesh, self.backend.tell, self._give, fail, self.engine.counters
        )  # type: ignore[arg-type]

    def _give(self, event: Any) -> None:
        assert self.backend.hands is not None
        self.backend.hands.execute(self.engine.handle(self.clock.now_us(), event))

    def _stop(self) -> None:
        self.stopped = True

    def run(self, nursery: trio.Nursery) -> None:
        assert self.backend.hands is not None
        nursery.start_soon(self.backend.hands.sync_forever)
        nursery.start_soon(self.backend.pump_forever)

    def note(self, lane: int = 1, offset_us: int = 0) -> Played:
        return Played(self.clock.now_us() + offset_us, 0, lane, 60, 100)

    def jam(self) -> tuple[int, int]:
        """Entries and events of the jam."""
        counters = self.engine.counters
        entries = sum(r.entry_count for n, r in self.engine.documents.replicas.items() if n.startswith("jam/"))
        return entries, counters["events_played"]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


async def test_an_event_goes_out_at_once_when_the_links_are_idle(scene: Scene, nursery: trio.Nursery) -> None:
    scene.run(nursery)
    for _ in range(3):
        assert await scene.backend.play([scene.note()]) == {"count": 1, "entries": 1}
    assert scene.jam() == (3, 3)
    nursery.cancel_scope.cancel()


async def test_events_that_wait_share_one_entry(scene: Scene, nursery: trio.Nursery) -> None:
    scene.mesh.busy = 1
    async with trio.open_nursery() as players:
        for lane in range(10):
            players.start_soon(scene.backend.play, [scene.note(lane)])
        await trio.testing.wait_all_tasks_blocked()
        scene.run(nursery)
    assert scene.jam() == (1, 10)
    nursery.cancel_scope.cancel()


async def test_a_busy_link_delays_a_note_only_for_a_moment(scene: Scene, nursery: trio.Nursery) -> None:
    scene.mesh.busy = 1  # for ever
    scene.run(nursery)
    with trio.fail_after(10):
        await scene.backend.play([scene.note()])
    nursery.cancel_scope.cancel()


async def test_one_bad_time_stamp_refuses_its_own_sender_only(scene: Scene, nursery: trio.Nursery) -> None:
    scene.mesh.busy = 1
    refused: list[OperatingFailure] = []

    async def bad() -> None:
        try:
            await scene.backend.play([scene.note(offset_us=60_000_000)])
        except OperatingFailure as failure:
            refused.append(failure)

    async with trio.open_nursery() as players:
        players.start_soon(scene.backend.play, [scene.note(1)])
        players.start_soon(bad)
        players.start_soon(scene.backend.play, [scene.note(2)])
        await trio.testing.wait_all_tasks_blocked()
        scene.run(nursery)
    assert len(refused) == 1
    assert scene.jam()[1] == 2
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("count", [0, EVENTS_PER_ENTRY_MAX + 1])
async def test_too_few_or_too_many_at_once_are_refused(scene: Scene, count: int) -> None:
    with pytest.raises(OperatingFailure):
        await scene.backend.play([scene.note()] * count)


async def test_what_waits_to_be_signed_is_bounded(scene: Scene, nursery: trio.Nursery) -> None:
    full = PLAY_QUEUE_MAX // EVENTS_PER_ENTRY_MAX
    for _ in range(full):
        nursery.start_soon(scene.backend.play, [scene.note()] * EVENTS_PER_ENTRY_MAX)
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(OperatingFailure) as caught:
        await scene.backend.play([scene.note()])
    assert caught.value.what == "too much at once"
    nursery.cancel_scope.cancel()


async def test_sessions_open_and_close_once_saved(scene: Scene, nursery: trio.Nursery) -> None:
    scene.run(nursery)
    opened = await scene.backend.open_session(SessionWish("tune", 90_000, 3, 4, ("blues",)))
    assert (opened["title"], opened["mine"], opened["open"]) == ("tune", True, True)
    assert scene.backend.status()["session"]["id"] == opened["id"]
    await scene.backend.close_session()
    assert scene.backend.status()["session"] is None
    with pytest.raises(OperatingFailure) as caught:
        await scene.backend.close_session()
    assert caught.value.what == "cannot close a jam"
    nursery.cancel_scope.cancel()


async def test_a_document_is_a_yjs_update_that_follows_the_log(scene: Scene, nursery: trio.Nursery) -> None:
    scene.run(nursery)
    assert scene.backend.document("jam/nothing") is None
    await scene.backend.play([scene.note()])
    session = scene.backend.status()["session"]["id"]
    for expected in (1, 2):
        update = scene.backend.document(f"jam/{session}/0")
        assert update is not None
        doc: Doc[Array[bytes]] = Doc()
        doc.apply_update(update)
        assert len(doc.get(f"log:{scene.engine.player.hex()}", type=Array)) == expected
        await scene.backend.play([scene.note()])
    nursery.cancel_scope.cancel()


def test_status_metrics_wallet_and_history_of_a_new_node(scene: Scene) -> None:
    status = scene.backend.status()
    assert status["schema"] == "symjam.status/1"
    assert status["ledger"]["ready"] and status["peers"] == [] and status["refused"] == {}
    assert scene.backend.wallet()["balance_micro"] == 0
    assert scene.backend.history(10)["items"] == []
    metrics = scene.backend.metrics().decode()
    assert "symjam_peers 0.0" in metrics
    assert scene.engine.player.hex() not in metrics
    scene.backend.stop()
    assert scene.stopped
