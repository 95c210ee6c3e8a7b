"""The node's log: a file of JSON lines in `log/` of the data directory, 0600, of bounded size and at a bounded rate.

Each line is `{"at": RFC 3339 in UTC, "level", "from", "text"}`, with `"trace"` where an error was no expected one. What
the program says is made of counts, reasons, addresses and player ids; tokens, passphrases and words are never given to
a logger, and what looks like a token is left out all the same. When the disk is full the log is what gives way.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

from crdt.errors import OperatingFailure

ENDS: Final = "ends_the_node"  # marks a record of what the command that runs the node says once more, at its end
FILE_MAX_BYTES: Final = 1_000_000
FILES_MAX: Final = 4  # the one that is written to, and those before it
LINES_PER_S_MAX: Final = 20  # on the whole; a burst may be as long as _BURST
_BURST: Final = 200
_TEXT_MAX: Final = 2_000
_TRACE_MAX: Final = 6_000
_TOKEN: Final = re.compile(r"(token[=.])[A-Za-z0-9_-]+")


def directory_in(data_dir: Path) -> Path:
    """Where the log lies."""
    return data_dir / "log"


def file_in(data_dir: Path) -> Path:
    """The file that is written to; older ones have .1, .2, ... behind it."""
    return directory_in(data_dir) / "node.jsonl"


def files_in(data_dir: Path) -> list[Path]:
    """All there are, the oldest first."""
    newest = file_in(data_dir)
    older = [newest.with_name(f"{newest.name}.{number}") for number in range(FILES_MAX - 1, 0, -1)]
    return [path for path in (*older, newest) if path.is_file()]


@contextmanager
def kept(data_dir: Path) -> Iterator[None]:
    """Keep a log for as long as the block lasts. OperatingFailure when the directory cannot be used."""
    handler = _Handler(_prepared(data_dir))
    root = logging.getLogger("symjam")
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()


def line_of(record: logging.LogRecord, left_out: int = 0) -> str:
    """A record as a line. `left_out`: how many before it were."""
    said: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "from": record.name.removeprefix("symjam."),
        "text": _clean(record.getMessage(), _TEXT_MAX),
    }
    if left_out:
        said["left_out"] = left_out
    if record.exc_info:
        said["trace"] = _clean(logging.Formatter().formatException(record.exc_info), _TRACE_MAX)
    return json.dumps(said, ensure_ascii=False)


class _Lines(logging.Formatter):
    """A record as a line of JSON."""

    def __init__(self, left_out: int) -> None:
        super().__init__()
        self._left_out = left_out

    def format(self, record: logging.LogRecord) -> str:
        return line_of(record, self._left_out)


class _Handler(RotatingFileHandler):
    """As the standard one, closed to others, at a bounded rate, and silent when it cannot write."""

    def __init__(self, path: Path) -> None:
        self._budget, self._at_s, self._left_out = float(_BURST), time.monotonic(), 0
        super().__init__(path, maxBytes=FILE_MAX_BYTES, backupCount=FILES_MAX - 1, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        now_s = time.monotonic()
        self._budget = min(_BURST, self._budget + (now_s - self._at_s) * LINES_PER_S_MAX)
        self._at_s = now_s
        if self._budget < 1:
            self._left_out += 1
            return
        self._budget -= 1
        before, self._left_out = self._left_out, 0
        self.setFormatter(_Lines(before))
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """A disk that is full ends the node by its store, and says so there; the log is not worth a traceback."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def _prepared(data_dir: Path) -> Path:
    place = directory_in(data_dir)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.chmod(0o700)
    except OSError as error:
        remedy = "Check the directory's owner and free space, or use another one: --data DIR."
        raise OperatingFailure("cannot keep a log", f"{place}: {error.strerror}", remedy) from error
    return file_in(data_dir)


def _clean(text: str, longest: int) -> str:
    text = _TOKEN.sub(r"\1...", text)
    return text if len(text) <= longest else text[:longest] + " ..."
