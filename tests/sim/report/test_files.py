"""What is written beside the page, and what is read back."""

from __future__ import annotations

import csv
import io
import json
from math import nan
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse, OperatingFailure
from sim.joined import Sweep, point
from sim.report.files import csv_of, read, write
from sim.result import Series
from tests.sim.report.made import result, series

CELLS = st.none() | st.integers(-(10**30), 10**30) | st.floats(-1e100, 1e100) | st.text(min_size=1)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=10))
def test_a_csv_is_the_series(rows: list[tuple[object, ...]]) -> None:
    one = Series("a", "A", "", ("x", 'y,"z"'), tuple(rows), "")  # type: ignore[arg-type]
    head, *found = csv.reader(io.StringIO(csv_of(one), newline=""))
    assert head == list(one.columns)
    assert found == [["" if cell is None else str(cell) for cell in row] for row in rows]


def test_numbers_in_a_csv_are_exact() -> None:
    cells = csv_of(series((1, 0.1 + 0.2), (2, 10**17 + 1))).splitlines()[1:]
    assert [cell.split(",")[1] for cell in cells] == ["0.30000000000000004", "100000000000000001"]


def test_a_report_is_a_page_its_result_and_a_file_for_each_series(tmp_path: Path) -> None:
    one = result(series((0, 1)), series((0, 2), name="other"))
    assert write(one, tmp_path / "new" / "report") == tmp_path / "new" / "report" / "index.html"
    names = sorted(path.name for path in (tmp_path / "new" / "report").iterdir())
    assert names == ["income.csv", "index.html", "other.csv", "result.json"]
    assert read(tmp_path / "new" / "report") == one == read(tmp_path / "new" / "report" / "result.json")
    assert (tmp_path / "new/report/other.csv").read_bytes() == b"window,who 1\r\n0,2\r\n"


def test_a_sweep_is_read_back_as_it_was(tmp_path: Path) -> None:
    one = Sweep("a", "b", "c", (1, 2), {"p": (1, "x", True, 0.5)}, ("network",), ("real",), (2,), (3,),
                (point({"p": 1}, [result(seed=1), result(seed=2, honest_micro=3)]),))  # fmt: skip
    write(one, tmp_path)
    found = read(tmp_path)
    assert found == one and isinstance(found, Sweep) and type(found.over["p"][2]) is bool


def test_what_is_no_number_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for one in (result(series((0, nan))), result(honest_micro=nan), result(honest_micro=float("inf"))):
        with pytest.raises(Misuse, match="no figure and no plot can show"):
            write(one, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OperatingFailure, match=r"cannot write the report to .*Name another directory with --out"):
            write(result(), place)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\x00",
        '{"schema": 5}',
        '{"schema": "symjam.sim.result/1"}',
        '{"schema":"symjam.sim.sweep/1"}',
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(OperatingFailure, match="cannot read a result from"):
        read(tmp_path / "x.json")


def test_a_field_of_a_later_version_another_schema_and_no_file_are_refused(tmp_path: Path) -> None:
    raw = json.loads(msgspec.json.encode(result()))
    (tmp_path / "more.json").write_text(json.dumps(raw | {"more": 1}))
    (tmp_path / "other.json").write_text(json.dumps(raw | {"schema": "symjam.status/1"}))
    (tmp_path / "bytes.json").write_bytes(b'{"schema":"\xff"}')
    for name in ("more.json", "bytes.json", "none.json", "."):
        with pytest.raises(OperatingFailure, match="cannot read a result from"):
            read(tmp_path / name)
    with pytest.raises(Misuse, match=r"holds 'symjam\.status/1'"):
        read(tmp_path / "other.json")


def test_a_figure_that_is_null_is_no_figure(tmp_path: Path) -> None:
    raw = json.loads(msgspec.json.encode(result()))
    (tmp_path / "x.json").write_text(json.dumps(raw | {"figures": {"honest_micro": None}}))
    with pytest.raises(OperatingFailure):
        read(tmp_path / "x.json")
