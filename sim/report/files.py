"""What a report writes: DIR/index.html, DIR/result.json and a CSV for each series; and reading a result back."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

import msgspec

from crdt.errors import Misuse, OperatingFailure
from sim import joined, result
from sim.joined import Sweep
from sim.report.page import page
from sim.report.view import view
from sim.result import Result, Series

RESULT: Final = "result.json"
PAGE: Final = "index.html"
MOST_BYTES: Final = 256_000_000
REMEDY: Final = "Name a file that `symjam sim run --json` printed, or the directory of a sweep or a report."


class _Labelled(msgspec.Struct):
    schema: str


def write(subject: Result | Sweep, directory: Path, says: str = "") -> Path:
    """Write the report, return the page's path. OperatingFailure when the directory cannot be written."""
    shown = view(subject, says)
    # all is made before anything is written: what cannot be shown leaves no half report
    texts = {PAGE: page(shown), RESULT: msgspec.json.format(msgspec.json.encode(subject)).decode() + "\n"}
    texts |= {file: csv_of(series) for file, series in zip(shown.files, shown.series, strict=True)}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        why = error.strerror or str(error)
        raise OperatingFailure(
            f"cannot write the report to {directory}", why, "Name another directory with --out."
        ) from None
    return directory / PAGE


def csv_of(series: Series) -> str:
    """The series as it is, numbers in full; a gap is empty."""
    text = io.StringIO()
    rows = csv.writer(text)  # ends lines with CR LF as RFC 4180 has it; with LF alone it would not quote a CR
    rows.writerow(series.columns)
    rows.writerows(["" if value is None else value for value in row] for row in series.rows)
    return text.getvalue()


def read(path: Path) -> Result | Sweep:
    """A run's or a sweep's result, from its file or the directory it is in. OperatingFailure when it is neither."""
    file = path / RESULT if path.is_dir() else path
    what = f"cannot read a result from {file}"
    try:
        if file.stat().st_size > MOST_BYTES:
            raise OperatingFailure(what, f"it is larger than {MOST_BYTES:,} bytes", REMEDY)
        raw = file.read_bytes()
    except OSError as error:
        raise OperatingFailure(what, error.strerror or str(error), REMEDY) from None
    try:
        schema = msgspec.json.decode(raw, type=_Labelled).schema
        if schema == joined.SCHEMA:
            return msgspec.json.decode(raw, type=Sweep)
        if schema == result.SCHEMA:
            return msgspec.json.decode(raw, type=Result)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OperatingFailure(what, str(error), REMEDY) from None
    raise Misuse(f"{file} holds {schema!r}, and a report shows {result.SCHEMA} or {joined.SCHEMA}")
