"""The music stand of a real node: a chart through the board, and its recording as a file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import mido
import pytest
import trio

from crdt.errors import OperatingFailure, Refused
from jam.board import SetTitle
from node.api.backend import ChartWish, Played
from node.api.errors import refusal_of
from tests.jam.test_chart import band
from tests.node.shell.test_backend import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.node.close()


async def test_a_chart_is_on_the_board_with_its_parts_and_a_start(scene: Scene, nursery: trio.Nursery) -> None:
    scene.run(nursery)
    backend = scene.backend
    assert backend.chart() == {"schema": "symjam.chart/1", "id": None, "chart": None}
    shared = await backend.share_chart(ChartWish("song", players=3), band())
    jam = backend.jam()
    assert (jam["session"]["title"], jam["session"]["tempo_mbpm"], jam["session"]["beats_per_bar"]) == (
        "song",
        100_000,
        3,
    )
    assert jam["board"]["chart"] == shared["id"] and 1 <= jam["board"]["start_bar"] <= 4
    assert jam["board"]["parts"] == [{"part": part, "player": None} for part in ("bass", "drums a", "drums b")]
    assert [part["part"] for part in shared["chart"]["parts"]] == ["bass", "drums a", "drums b"]
    await backend.edit(SetTitle("another"))
    assert backend.chart() == shared
    again = await backend.share_chart(ChartWish("song", lanes=4, level="easy"), band())
    assert again["id"] != shared["id"] and again["chart"]["lanes"] == 4
    assert [part["part"] for part in backend.jam()["board"]["parts"]] == ["bass", "drums"]
    nursery.cancel_scope.cancel()


async def test_a_broken_file_leaves_everything_as_it_was(scene: Scene, nursery: trio.Nursery) -> None:
    scene.run(nursery)
    with pytest.raises(OperatingFailure) as caught:
        await scene.backend.share_chart(ChartWish("song"), band()[:50])
    assert "Standard MIDI File" in caught.value.why
    assert scene.backend.jam()["session"] is None
    with pytest.raises(OperatingFailure):
        await scene.backend.begin_chart()
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("session", [None, "ab" * 32])
def test_where_nothing_is_played_it_is_refused_as_things_are(scene: Scene, session: str | None) -> None:
    """Found by schemathesis: it was answered as if the node were ill."""
    for ask in (scene.backend.recording, scene.backend.midi):
        with pytest.raises(Refused) as caught:
            ask(session)
        assert refusal_of(caught.value).status == 404


async def test_the_recording_is_what_was_played_to_a_millisecond(scene: Scene, nursery: trio.Nursery) -> None:
    """Through the log, out as a MIDI file and read by mido: times differ by less than the file's own steps allow."""
    scene.run(nursery)
    for missing in (lambda: scene.backend.recording(None), lambda: scene.backend.midi(None)):
        with pytest.raises(OperatingFailure):
            missing()
    now_us = scene.node.clock.now_us()
    times = [now_us - 4_000_000 + n * 137_431 for n in range(24)]
    await scene.backend.play([Played(t, 0, 2 * (n % 4), 60 + n % 4, 90) for n, t in enumerate(times)])
    await scene.backend.play([Played(t + 60_000, 1, 2 * (n % 4), 60 + n % 4, 0) for n, t in enumerate(times)])
    recording = scene.backend.recording(None)
    events = recording["takes"][0]["events"]
    assert len(events) == 48 and recording["takes"][0]["player"] == scene.engine.player.hex()
    played = [t_us for t_us, kind, *_ in events if kind == 0]
    now_s, found = 0.0, []
    for message in mido.MidiFile(file=io.BytesIO(scene.backend.midi(recording["session"]))):
        now_s += message.time
        if message.type == "note_on" and message.velocity:
            found.append(now_s * 1_000_000)
    assert len(found) == len(played)
    assert max(abs(a - b) for a, b in zip(found, played, strict=True)) <= 1_000
    with pytest.raises(OperatingFailure):
        scene.backend.recording("0" * 64)
    nursery.cancel_scope.cancel()
