"""Between the API and the engine: commands, refusals in words, views that follow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from pycrdt import Array, Doc

from consensus.events import Event, Kind
from crdt.errors import OperatingFailure
from crdt.types import PlayerId, SessionId
from jam.board import Say, SetTitle
from node.api.backend import Played, SessionWish
from node.engine.effects import BoardChanged, Heard, SessionChanged
from node.shell.backend import EARLY_MAX, DaemonBackend
from node.shell.config import Config
from node.shell.node import Node, Told


class Scene:
    """A backend around a real node that listens nowhere but on loopback, and has no peers."""

    def __init__(self, path: Path) -> None:
        config = Config(path / "data", preset="small", interfaces=("127.0.0.1",), mdns=False)
        self.node = Node(config, self._tell, pytest.fail)  # type: ignore[arg-type]
        self.engine = self.node.engine
        self.stopped = False
        self.backend = DaemonBackend(self.node, self._stop)

    def _tell(self, effect: Told) -> None:
        self.backend.tell(effect)

    def _stop(self) -> None:
        self.stopped = True

    def run(self, nursery: trio.Nursery) -> None:
        nursery.start_soon(self.node.hands.sync_forever)
        nursery.start_soon(self.node.pump.run_forever)

    def note(self, lane: int = 1, offset_us: int = 0) -> Played:
        return Played(self.node.clock.now_us() + offset_us, 0, lane, 60, 100)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.node.close()


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


async def test_the_board_is_edited_once_saved(scene: Scene, nursery: trio.Nursery) -> None:
    scene.run(nursery)
    with pytest.raises(OperatingFailure) as caught:
        await scene.backend.edit(Say("anyone?"))
    assert caught.value.what == "cannot edit the board"
    assert scene.backend.jam() == {"schema": "symjam.session/1", "session": None, "board": None}
    await scene.backend.open_session(SessionWish("tune", 90_000, 3, 4, ()))
    shown = await scene.backend.edit(Say("hello"))
    assert [line["text"] for line in shown["lines"]] == ["hello"]
    assert scene.backend.jam()["board"] == shown
    with pytest.raises(OperatingFailure):
        await scene.backend.edit(Say(""))
    with scene.backend.subscribe() as feed:
        await scene.backend.edit(SetTitle("other"))
        scene.backend.tell(BoardChanged(SessionId(bytes.fromhex(scene.backend.jam()["session"]["id"]))))
        notices = [json.loads(text) for text in (await feed.take()).texts]
    assert [n["board"]["title"] for n in notices if n["type"] == "board"] == ["other"]
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
    assert scene.backend.history(10, None)["items"] == []
    metrics = scene.backend.metrics().decode()
    assert "symjam_peers 0.0" in metrics
    assert scene.engine.player.hex() not in metrics
    scene.backend.stop()
    assert scene.stopped


async def test_the_score_is_told_while_one_plays(scene: Scene, nursery: trio.Nursery) -> None:
    scene.run(nursery)
    nursery.start_soon(scene.backend.scorer.run_forever)
    assert scene.backend.status()["score"] is None
    with scene.backend.subscribe() as feed:
        await scene.backend.play([scene.note(lane) for lane in range(3)])
        with trio.fail_after(20):
            told: list[dict[str, object]] = []
            while not told:
                notices = [json.loads(text) for text in (await feed.take()).texts]
                told = [n["score"] for n in notices if n["type"] == "score"]
    assert (told[-1]["events"], told[-1]["lanes"], told[-1]["why"]) == (3, 3, "too_few_events")
    assert told[-1]["words"] == "too few events" and told[-1]["riff"] is None
    assert scene.backend.status()["score"] == told[-1]
    nursery.cancel_scope.cancel()


async def test_ten_thousand_notes_at_once_are_saved_or_refused_in_words_and_playing_goes_on(
    scene: Scene, nursery: trio.Nursery
) -> None:
    scene.run(nursery)
    saved: list[int] = []
    refused: list[OperatingFailure] = []

    async def play(lane: int) -> None:
        try:
            saved.append((await scene.backend.play([scene.note(lane) for _ in range(250)]))["count"])
        except OperatingFailure as failure:
            refused.append(failure)

    async with trio.open_nursery() as players:
        for number in range(40):
            players.start_soon(play, number % 10)
    assert sum(saved) + 250 * len(refused) == 10_000 and sum(saved) >= 4_000
    assert {(one.what, one.remedy) for one in refused} == {("too much at once", "Play slower.")}
    await scene.backend.play([scene.note()])
    takes = scene.backend.recording(None)["takes"]
    assert sum(len(take["events"]) for take in takes) == sum(saved) + 1  # what was acknowledged, no more and no less


async def test_a_note_of_another_hour_is_refused_with_what_to_look_at(scene: Scene, nursery: trio.Nursery) -> None:
    scene.run(nursery)
    for offset_us in (3_600_000_000, -3_600_000_000):
        with pytest.raises(OperatingFailure, match="clock"):
            await scene.backend.play([scene.note(offset_us=offset_us)])
    assert scene.engine.counters["events_played"] == 0


def test_notes_of_a_jam_that_nobody_ever_opens_are_not_piled_up(scene: Scene) -> None:
    note = Event(0, Kind.NOTE_ON, 1, 60, 100)
    for number in range(2 * EARLY_MAX):
        scene.backend.tell(Heard(PlayerId(bytes(32)), SessionId(number.to_bytes(32, "big")), (note,), 1))
    assert len(scene.backend._early) == EARLY_MAX
    scene.backend.tell(SessionChanged(None))
    assert len(scene.backend._early) == EARLY_MAX
