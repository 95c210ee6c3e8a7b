"""What a wallet's history remembers after the ledger has forgotten: rows of epochs that a final checkpoint has settled.

One row a line, oldest first, appended just before the ledger goes on from the checkpoint. Nothing depends on it but
what a person reads: it is written without waiting for the disk, and what is missing of it shows as one row "carried"
that makes up the difference. Rows of epochs beyond the checkpoint that the store holds were written by a process that
died in between; they are dropped, for the ledger still tells them.
"""

from __future__ import annotations

import json
import logging
import os
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from crdt.store.atomic import replace_file
from crdt.types import Epoch

ROWS_MAX: Final = 200_000  # then the older half goes, at the next start
ROW_MAX_BYTES: Final = 8_192

Row = dict[str, Any]
log = logging.getLogger("symjam.journal")


class Journal:
    """One player's, in one file. `settled`: the epoch of the final checkpoint in the store; None without one."""

    def __init__(self, path: Path, settled: Epoch | None) -> None:
        self._path = path
        self._starts = array("Q")
        self._end = 0
        self.last: Row | None = None
        try:
            self._open(settled)
        except OSError as error:
            log.warning("the history of before cannot be read: %s", error)

    def _open(self, settled: Epoch | None) -> None:
        if not self._path.exists():
            return
        if settled is None:  # another life of this store: what it tells is told again
            self._path.replace(self._path.with_suffix(".old"))
            return
        with self._path.open("rb") as file:
            for line in file:
                row = _row(line) if line.endswith(b"\n") else None
                if row is None or row["epoch"] > settled:
                    break
                self._starts.append(self._end)
                self._end += len(line)
                self.last = row
        if len(self._starts) > ROWS_MAX:
            self._halve()
        elif self._path.stat().st_size > self._end:
            os.truncate(self._path, self._end)

    def _halve(self) -> None:
        starts = self._starts[len(self._starts) - ROWS_MAX // 2 :]
        with self._path.open("rb") as file:
            file.seek(starts[0])
            replace_file(self._path, file.read(self._end - starts[0]))
        self._starts, self._end = array("Q", (at - starts[0] for at in starts)), self._end - starts[0]

    def keep(self, rows: Iterable[Row]) -> None:
        """Append rows, numbered after the last one, each with the balance after it."""
        kept = list(rows)
        lines = [json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in kept]
        if not lines:
            return
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(b"".join(lines))
        except OSError as error:
            log.warning("the history cannot be kept: %s", error)
            return
        for line in lines:
            self._starts.append(self._end)
            self._end += len(line)
        self.last = kept[-1]

    def page(self, before: int, limit: int) -> list[Row]:
        """The rows numbered below `before`, newest first, so many at most."""
        if self.last is None:
            return []
        first = self.last["number"] - len(self._starts) + 1
        stop = min(len(self._starts), before - first)
        start = max(0, stop - limit)
        if stop <= start:
            return []
        end = self._end if stop == len(self._starts) else self._starts[stop]
        try:
            with self._path.open("rb") as file:
                file.seek(self._starts[start])
                raw = file.read(end - self._starts[start])
        except OSError as error:
            log.warning("the history of before cannot be read: %s", error)
            return []
        return [row for line in raw.splitlines() if (row := _row(line)) is not None][::-1]


def _row(line: bytes) -> Row | None:
    """None for what is no row, as a line that was cut off."""
    try:
        row = json.loads(line) if len(line) <= ROW_MAX_BYTES else None
    except ValueError:
        return None
    is_row = isinstance(row, dict) and all(type(row.get(name)) is int for name in ("number", "epoch", "balance_micro"))
    return row if is_row else None
