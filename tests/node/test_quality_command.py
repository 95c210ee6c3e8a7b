"""`symjam quality`: any recording, scored without a node."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consensus.ops import Measures
from jam import midi
from jam.midi import Performance
from jam.synthetic import make
from node.cli import main

SECOND = 1_000_000
MEASURES = Measures.__struct_fields__


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("midi") / "take.mid"
    midi.write(make(1, 45 * SECOND, 100_000), path)
    return path


def changed(path: Path, name: str, move: Any) -> Path:
    """The recording at other times, as a file beside it."""
    source = midi.load(path)
    events = tuple(sorted(note._replace(t_us=max(0, move(note.t_us))) for note in source.events))
    copy = path.with_name(f"{name}.mid")
    midi.write(source._replace(events=events), copy)
    return copy


def ask(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["quality", *map(str, words)])


def scored(*words: str | Path) -> dict[str, Any]:
    result = ask(*words, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_each_window_has_every_measure(played: Path) -> None:
    document = scored(played, "--preset", "small")
    assert (document["schema"], document["title"], document["preset"]) == ("symjam.quality/1", "take", "small")
    assert (document["tempo_mbpm"], document["subdivision"]) == (100_000, 4)
    assert [window["index"] for window in document["windows"]] == [0, 1, 2, 3, 4]
    for window in document["windows"][:4]:
        assert window["accepted"] is True and window["reason"] == "fine"
        assert all(0 < window[name] <= 65_536 for name in MEASURES)
        assert len(window["explain"]) == 1 + len(MEASURES) - 1


def test_what_is_known_is_told_as_a_replay(played: Path) -> None:
    chance = Random(1)
    moved = changed(played, "moved", lambda t: t + 3_700_123 + round(chance.gauss(0, 2_000)))
    reasons = [w["reason"] for w in scored(moved, "--known", played, "--preset", "small")["windows"]]
    assert reasons[1:4] == ["replay"] * 3
    assert not any(w["accepted"] for w in scored(played, "--known", played, "--preset", "small")["windows"])


def test_machines_are_told(played: Path) -> None:
    chance = Random(1)
    flat = changed(played, "flat", lambda t: round(t / 150_000) * 150_000)
    assert scored(flat)["windows"][0]["reason"] == "too_regular"
    whole = played.with_name("whole.mid")
    midi.write(make(2, 120 * SECOND, 100_000), whole)
    assert scored(whole)["windows"][0]["accepted"] is True
    noisy = changed(whole, "noisy", lambda t: round(t / 150_000) * 150_000 + round(chance.gauss(0, 20_000)))
    window = scored(noisy)["windows"][0]
    assert (window["accepted"], window["reason"]) == (False, "no_person")
    assert window["total"] < 65_536 // 32


@pytest.mark.parametrize("options", [(), ("--explain",)])
def test_people_read_it_in_eighty_columns(played: Path, options: tuple[str, ...]) -> None:
    result = ask(played, "--preset", "small", *options)
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert all(len(line) <= 80 for line in lines)
    assert lines[-1].endswith("of 5 windows accepted")
    assert sum(line[:7].strip().isdigit() for line in lines) == 5
    assert ("nearer to the steps" in result.stdout.replace("\n", " ")) == bool(options)


def few(count: int) -> Performance:
    source = make(1, 10 * SECOND, 100_000)
    return source._replace(events=source.events[:count])


@pytest.mark.parametrize("notes", [2, 3, 10])
def test_hardly_anything_is_scored_too(tmp_path: Path, notes: int) -> None:
    path = tmp_path / "few.mid"
    midi.write(few(notes), path)
    window = scored(path)["windows"][0]
    assert (window["accepted"], window["reason"]) == (False, "too_few_events")


@pytest.mark.parametrize(
    "raw",
    [b"", b"no MIDI", b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x00\x60", b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\xe7\x28"],
)
def test_what_is_no_recording_is_said_in_three_parts(tmp_path: Path, played: Path, raw: bytes) -> None:
    path = tmp_path / "broken.mid"
    path.write_bytes(raw)
    for words in ((path,), (played, "--known", path)):
        result = ask(*words)
        assert result.exit_code == 1
        assert result.stderr.startswith("symjam: cannot ")
        assert len(result.stderr.splitlines()) == 2
        error = json.loads(ask(*words, "--json").stdout)
        assert error["schema"] == "symjam.error/1" and error["why"] and error["remedy"]


def test_what_is_not_there(tmp_path: Path) -> None:
    assert ask(tmp_path / "none.mid").exit_code == 1
    assert ask().exit_code == 2
    assert ask(tmp_path / "none.mid", "--preset", "other").exit_code == 2
