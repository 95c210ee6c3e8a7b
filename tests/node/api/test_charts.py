"""Charts and recordings over the API: what goes in comes out, what is no music is refused in words."""

from __future__ import annotations

import io
import json

import mido
import pytest

from crdt.limits import CHART_FILE_MAX_BYTES
from node.api.backend import Played
from tests.jam.test_chart import band
from tests.node.api.conftest import Served


async def test_a_midi_file_becomes_the_jams_chart(served: Served) -> None:
    status, _, raw = await served.call("POST", "/api/chart?title=song&lanes=6&players=3&level=easy", body=band())
    shared = json.loads(raw)
    assert (status, shared["schema"], shared["chart"]["title"], shared["chart"]["lanes"]) == (
        200,
        "symjam.chart/1",
        "song",
        6,
    )
    assert [part["part"] for part in shared["chart"]["parts"]] == ["bass", "drums a", "drums b"]
    assert all(0 <= lane < 6 for part in shared["chart"]["parts"] for _, lane in part["notes"])
    assert json.loads((await served.call("GET", "/api/chart"))[2]) == shared
    assert served.node.session is not None and served.node.session["tempo_mbpm"] == 100_000
    assert (await served.call("POST", "/api/chart/start"))[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"no midi at all", 400, "Standard MIDI File"),
        (b"", 400, "Standard MIDI File"),
        (band()[:40], 400, "Standard MIDI File"),
        (b"MThd" + bytes(CHART_FILE_MAX_BYTES), 413, "at most"),
    ],
    ids=["other", "empty", "cut", "large"],
)
async def test_what_is_no_piece_is_refused_in_words(served: Served, body: bytes, status: int, words: str) -> None:
    found, error = await served.error("POST", "/api/chart", body=body)
    assert found == status and words in error["why"]
    assert served.node.session is None and json.loads((await served.call("GET", "/api/chart"))[2])["chart"] is None


@pytest.mark.parametrize(
    "query", ["lanes=3", "lanes=11", "lanes=x", "players=0", "players=9", "level=absurd", "title=" + "x" * 81]
)
async def test_absurd_wishes_are_refused(served: Served, query: str) -> None:
    assert (await served.error("POST", f"/api/chart?{query}", body=band()))[0] == 400


async def test_a_recording_comes_as_events_and_as_a_midi_file(served: Served) -> None:
    assert (await served.error("GET", "/api/session/midi"))[0] == 503
    now_us = served.node.now_us()
    await served.node.play([Played(now_us, 0, 0, 36, 100), Played(now_us + 50_000, 1, 0, 36, 0)])
    recording = json.loads((await served.call("GET", "/api/session/recording"))[2])
    assert recording["schema"] == "symjam.recording/1" and len(recording["takes"][0]["events"]) == 2
    status, headers, raw = await served.call("GET", "/api/session/midi")
    assert (status, headers["content-type"]) == (200, "audio/midi") and "jam.mid" in headers["content-disposition"]
    notes = [m for m in mido.MidiFile(file=io.BytesIO(raw)).tracks[0] if m.type == "note_on"]
    assert [(m.note, m.velocity) for m in notes] == [(36, 100)]


@pytest.mark.parametrize("session", ["x", "0" * 63, "G" * 64, "../" + "0" * 61])
async def test_a_session_that_is_no_id_is_refused(served: Served, session: str) -> None:
    assert (await served.error("GET", f"/api/session/recording?session={session}"))[0] == 400


@pytest.mark.parametrize("tempo", [0, -1, 19_999, 400_001, 10**12, "fast", 1.5, None])
async def test_an_absurd_tempo_is_refused_with_its_bounds(served: Served, tempo: object) -> None:
    status, error = await served.error("POST", "/api/session", body=json.dumps({"tempo_mbpm": tempo}).encode())
    assert status == 400 and "tempo_mbpm" in error["why"] and "20000 to 400000" in error["remedy"]
    assert served.node.session is None
