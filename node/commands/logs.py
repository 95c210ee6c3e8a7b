"""`symjam logs`: what the node wrote down, from the files themselves, so that it can be read when no node runs."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from crdt.errors import Misuse, OperatingFailure
from node.commands.common import plain
from node.shell.config import default_data_dir
from node.shell.logbook import FILE_MAX_BYTES, file_in, files_in

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
_COLOURS: Final = {"warning": "yellow", "error": "red", "critical": "red"}
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_POLL_S: Final = 0.25
_AGO: Final = re.compile(r"(\d{1,6})([smhd])")

Line = dict[str, Any]


def run(data: Path | None, follow: bool, since: str | None, level: str, limit: int, as_json: bool) -> int:
    """Print the latest lines, at most `limit` of them, and with `follow` those that come."""
    data_dir = data or default_data_dir()
    files = files_in(data_dir)
    if not files and not follow:
        why = f"there is no {file_in(data_dir)}: no node has run here, or one of an older version"
        raise OperatingFailure(
            "there is no log", why, "Start a node with `symjam up`, or name its directory: --data DIR."
        )
    wanted = _Wanted(level, moment(since, datetime.now(UTC)) if since else "")
    found = [line for path in files for line in read(path) if wanted(line)]
    for line in found[-limit:] if limit else found:
        _say(line, as_json)
    if follow:
        for line in following(file_in(data_dir), time.sleep):
            if wanted(line):
                _say(line, as_json)
    return 0


def moment(text: str, now: datetime) -> str:
    """`10m`, `2h`, `3d` ago, or a date and time as in the log, as the log writes it. Misuse for anything else."""
    ago = _AGO.fullmatch(text)
    if ago:
        at = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise Misuse(f"{text[:40]!r} is no time: write 10m, 2h, 3d, or 2026-01-31T20:15:00Z") from None
        at = at if at.tzinfo else at.astimezone()  # without a zone it is this machine's
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(path: Path) -> Iterator[Line]:
    """The lines of a file; what is no line of a log is passed over."""
    try:
        with path.open("rb") as file:
            raw = file.read(2 * FILE_MAX_BYTES)
    except OSError as error:
        remedy = "It belongs to whoever runs the node."
        raise OperatingFailure("the log cannot be read", f"{path}: {error.strerror}", remedy) from error
    yield from _lines(raw)


def following(path: Path, pause: Callable[[float], None]) -> Iterator[Line]:
    """Lines that are written from now on, through every change of the file. Does not end by itself."""
    place = path.stat().st_size if path.exists() else 0
    inode = path.stat().st_ino if path.exists() else None
    while True:
        try:
            found = path.stat()
        except FileNotFoundError:
            inode, place = None, 0
            pause(_POLL_S)
            continue
        if found.st_ino != inode or found.st_size < place:
            inode, place = found.st_ino, 0
        with path.open("rb") as file:
            file.seek(place)
            raw = file.read(FILE_MAX_BYTES)
        whole = raw[: raw.rfind(b"\n") + 1]
        place += len(whole)
        yield from _lines(whole)
        if not whole:
            pause(_POLL_S)


class _Wanted:
    def __init__(self, level: str, since: str) -> None:
        self._levels = LEVELS[LEVELS.index(level) :]
        self._since = since

    def __call__(self, line: Line) -> bool:
        return line["level"] in self._levels and line["at"] >= self._since


def _lines(raw: bytes) -> Iterator[Line]:
    for one in raw.splitlines():
        try:
            line = json.loads(one)
        except ValueError:
            continue
        if isinstance(line, dict) and all(isinstance(line.get(name), str) for name in ("at", "level", "from", "text")):
            yield line


def _say(line: Line, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"schema": "symjam.log/1", **line}, ensure_ascii=False))
    else:
        level = click.style(f"{line['level']:<8}", fg=_COLOURS.get(line["level"]))
        click.echo(f"{_local(line['at'])}  {level} {line['from']}: {plain(line['text'])}")
        if left_out := line.get("left_out"):
            click.echo(f"  ({left_out} lines before it were left out: too many at once)")
        for one in str(line.get("trace", "")).splitlines():
            click.echo(f"  {plain(one)}")
    sys.stdout.flush()


def _local(at: str) -> str:
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return plain(at)
