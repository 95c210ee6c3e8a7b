"""The node's log: bounded, closed to others, readable by programs and people, and no place for a token."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crdt.errors import Misuse, OperatingFailure
from node.commands import logs
from node.doctor.check import fail, ok, warning
from node.shapes.commands import LogLine
from node.shell import logbook
from node.shell.health import Watch
from tests.fitting import misfit

log = logging.getLogger("symjam.test")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logbook, "LINES_PER_S_MAX", 0)
    monkeypatch.setattr(logbook, "_BURST", 3)
    yield


def failing() -> None:
    try:
        raise ValueError("token=abcdefgh is wrong")
    except ValueError:
        log.exception("it broke at http://127.0.0.1:1/#token=abcdefgh, subprotocol token.abcdefgh")


def test_lines_are_typed_closed_to_others_and_without_tokens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logbook.kept(tmp_path):
        log.info("hello %s\x1b[2J", "there")
        log.debug("of no interest")
        failing()
    log.warning("after it")
    file = logbook.file_in(tmp_path)
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert "abcdefgh" not in file.read_text()
    assert logs.run(tmp_path, False, None, "info", 0, True) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 2 and not [misfit(line, LogLine) for line in shown if misfit(line, LogLine)]
    assert "Traceback" in json.loads(shown[1])["trace"]
    logs.run(tmp_path, False, None, "error", 0, False)
    (line, *trace) = capsys.readouterr().out.splitlines()
    assert "error    test: it broke" in line and "Traceback" in trace[0]
    logs.run(tmp_path, False, None, "info", 1, False)
    assert "hello" not in capsys.readouterr().out
    logs.run(tmp_path, False, None, "info", 0, False)
    assert "hello there?[2J" in capsys.readouterr().out


@pytest.mark.usefixtures("slow")
def test_a_flood_is_cut_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with logbook.kept(tmp_path):
        for number in range(50):
            log.info("line %d", number)
        monkeypatch.setattr(logbook, "LINES_PER_S_MAX", 10_000_000)
        log.info("later")
    found = list(logs.read(logbook.file_in(tmp_path)))
    assert [line["text"] for line in found] == ["line 0", "line 1", "line 2", "later"]
    assert found[-1]["left_out"] == 47


def test_it_is_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "FILE_MAX_BYTES", 2_000)
    monkeypatch.setattr(logbook, "_BURST", 1_000)
    with logbook.kept(tmp_path):
        for number in range(300):
            log.info("line %d %s", number, "x" * 100)
    files = logbook.files_in(tmp_path)
    assert len(files) == logbook.FILES_MAX == len(list(files[0].parent.iterdir()))
    assert all(file.stat().st_size <= 2_000 and file.stat().st_mode & 0o777 == 0o600 for file in files)
    numbers = [int(line["text"].split()[1]) for file in files for line in logs.read(file)]
    assert numbers == list(range(numbers[0], 300))


def test_following_takes_whole_lines_through_a_change_of_files(tmp_path: Path) -> None:
    file = tmp_path / "node.jsonl"
    steps = iter([b'{"at": "1", "level": "info", "from": "a", "te', b'xt": "one"}\n', None, b"rubbish\n"])

    def pause(_: float) -> None:
        step = next(steps, b"")
        if step is None:
            file.rename(tmp_path / "older")
            file.write_text(json.dumps({"at": "2", "level": "info", "from": "a", "text": "two"}) + "\n")
        elif step:
            with file.open("ab") as out:
                out.write(step)

    coming = logs.following(file, pause)
    assert [next(coming)["text"], next(coming)["text"]] == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("10m", "2026-01-31T11:50:00.000Z"),
        ("2h", "2026-01-31T10:00:00.000Z"),
        ("3d", "2026-01-28T12:00:00.000Z"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000Z"),
        ("soon", None),
        ("-5m", None),
        ("9999999d", None),
    ],
)
def test_since(text: str, at: str | None) -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    if at is None:
        with pytest.raises(Misuse, match="is no time"):
            logs.moment(text, now)
    else:
        assert logs.moment(text, now) == at


def test_without_a_log_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OperatingFailure, match="symjam up"):
        logs.run(tmp_path, False, None, "info", 0, False)


def test_what_begins_and_ceases_to_be_wrong_is_written_once() -> None:
    watch = Watch()
    bad, worse, good = warning("clock", "x", "y", "z"), fail("clock", "x", "y", "z"), ok("clock", "well")
    said = [watch.news([check]) for check in (good, bad, bad, worse, worse, good, good)]
    assert [len(one) for one in said] == [0, 1, 0, 1, 0, 1, 0]
    assert [one[0][0] for one in said if one] == [logging.INFO, logging.WARNING, logging.INFO]
