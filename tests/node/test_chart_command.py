"""`symjam jam --chart`: files that are none are refused before a node is asked, and without a node it says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from crdt.limits import CHART_FILE_MAX_BYTES
from node.cli import main
from tests.jam.test_chart import band


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [(None, 1, "No such file"), (bytes(CHART_FILE_MAX_BYTES + 1), 1, "larger than"), (band(), 3, "symjam up")],
    ids=["missing", "large", "no node"],
)
def test_what_cannot_be_shared_is_told_with_its_exit_code(
    tmp_path: Path, raw: bytes | None, code: int, words: str
) -> None:
    song = tmp_path / "song.mid"
    if raw is not None:
        song.write_bytes(raw)
    done = CliRunner().invoke(main, ["jam", "--data", str(tmp_path / "data"), "--chart", str(song)])
    assert done.exit_code == code
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("wrong", [["--lanes", "3"], ["--players", "0"], ["--level", "absurd"]])
def test_absurd_wishes_are_a_matter_of_usage(tmp_path: Path, wrong: list[str]) -> None:
    done = CliRunner().invoke(main, ["jam", "--chart", str(tmp_path / "song.mid"), *wrong])
    assert done.exit_code == 2 and wrong[0] in done.stderr


def test_watch_without_a_node_says_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["watch", "--data", str(tmp_path)])
    assert done.exit_code == 3 and "symjam up" in done.stderr
