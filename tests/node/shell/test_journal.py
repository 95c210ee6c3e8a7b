"""The journal's file: whatever is wrong with it, what is left is a whole beginning, and the node goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdt.types import Epoch
from node.shell import journal
from node.shell.journal import Journal, Row


def rows(first: int, last: int) -> list[Row]:
    return [{"number": n, "epoch": n // 2, "balance_micro": 10 * n, "why": "é" * n} for n in range(first, last + 1)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    kept = Journal(tmp_path / "history", None)
    kept.keep(rows(1, 4))
    kept.keep([])
    kept.keep(rows(5, 9))
    return tmp_path / "history"


def numbers(kept: Journal, before: int = 10**9, limit: int = 100) -> list[int]:
    return [row["number"] for row in kept.page(before, limit)]


def test_rows_come_back_by_page(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    kept = Journal(path, Epoch(4))
    assert kept.page(10**9, 100) == rows(1, 9)[::-1] and kept.last == rows(9, 9)[0]
    assert (numbers(kept, 5, 2), numbers(kept, 1), numbers(kept, 3, 9), numbers(kept, 10, 1)) == (
        [4, 3],
        [],
        [2, 1],
        [9],
    )


@pytest.mark.parametrize(
    "tail",
    [
        b'{"number": 10, "epo',
        b'{"number":10,"epoch":5,"balance_micro":1}',
        b"\n",
        b"\xff\xfe\n",
        b"[]\n",
        b'{"number":"10"}\n',
        b"x" * 9_000,
    ],
)
def test_what_is_no_row_ends_it(path: Path, tail: bytes) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    assert numbers(Journal(path, Epoch(9))) == list(range(9, 0, -1))
    assert path.read_bytes() == whole
    kept = Journal(path, Epoch(9))
    kept.keep(rows(10, 11))
    assert numbers(Journal(path, Epoch(9)), limit=3) == [11, 10, 9]


def test_rows_that_the_store_does_not_hold_to_be_settled_are_told_again(path: Path) -> None:
    assert numbers(Journal(path, Epoch(2))) == [5, 4, 3, 2, 1]
    assert numbers(Journal(path, None)) == [] and path.with_suffix(".old").exists()


def test_of_too_many_the_newer_half_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "ROWS_MAX", 6)
    assert numbers(Journal(path, Epoch(9))) == [9, 8, 7]
    kept = Journal(path, Epoch(9))
    kept.keep(rows(10, 10))
    assert numbers(kept, 11, 2) == [10, 9] and numbers(kept, 9, 9) == [8, 7]


def test_a_file_that_cannot_be_used_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    kept = Journal(tmp_path / "history", Epoch(3))
    kept.keep(rows(1, 2))
    assert kept.last is None and numbers(kept) == []
