"""The cells of a sweep, and the file that remembers those that have run.

A cell is one run: a scenario, a choice of parameters, a seed. Its key is a hash of all that its result depends on,
the sources included, so a result is used again only where running again would give the same bytes. Each result
is one line of `cells.jsonl`, written, flushed and synced as it comes, and a line that a power cut left half written is
cut off before the next one is added: what is in the file is whole.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from crdt.errors import Misuse, OperatingFailure
from sim.joined import Value
from sim.result import Result

SCHEMA: Final = "symjam.sim.cell/1"
FILE: Final = "cells.jsonl"
MOST_CELLS: Final = 100_000
MOST_LINE_BYTES: Final = 64_000_000

ROOT: Final = Path(__file__).resolve().parents[1]
# What a run is made of, and what of it only shows or starts runs: a report that looks better changes no result.
SOURCES: Final = ("crdt", "consensus", "jam", "wallet", "node/engine", "sim")
SHOWING: Final = ("sim/report/", "sim/cli.py", "sim/sweep.py", "sim/cluster.py", "sim/cells.py", "sim/joined.py")


class Cell(msgspec.Struct, frozen=True):
    """One run that a sweep consists of. `scenario` is what the user named."""

    key: str
    scenario: str
    overrides: tuple[tuple[str, Value], ...]  # in the order that the user gave
    seed: int


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the file."""

    key: str
    seed: int
    overrides: dict[str, Value]
    result: Result
    schema: str = SCHEMA


class Plan(NamedTuple):
    """What a sweep is to run. `content` is the scenario itself, as bytes that are the same wherever it is the same."""

    scenario: str
    content: bytes
    seeds: tuple[int, ...]
    over: Mapping[str, tuple[Value, ...]]
    code: str

    def cells(self) -> list[Cell]:
        """Every choice of the parameters with every seed, in that order; Misuse when there are too many."""
        choices = list(product(*([(name, value) for value in values] for name, values in self.over.items())))
        if not 1 <= len(choices) * len(self.seeds) <= MOST_CELLS:
            raise Misuse(f"a sweep has 1 to {MOST_CELLS:,} runs, and this one {len(choices) * len(self.seeds):,}")
        return [Cell(self._key(choice, seed), self.scenario, choice, seed) for choice in choices for seed in self.seeds]

    def _key(self, choice: Sequence[tuple[str, Value]], seed: int) -> str:
        told = msgspec.json.encode([self.code, sorted(choice), seed])
        return blake2b(told + b"\0" + self.content, digest_size=16, person=b"symjam-sim-cell").hexdigest()


def code_hash(root: Path = ROOT) -> str:
    """A hash of the sources that a result depends on."""
    digest = blake2b(digest_size=8, person=b"symjam-sim-code")
    for room in SOURCES:
        for path in sorted((root / room).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not name.startswith(SHOWING):
                text = path.read_bytes()
                digest.update(f"{name}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()


class Ledger:
    """The file, open for one sweep at a time. A context manager; OperatingFailure when it cannot be had."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._file: BinaryIO
        self.done: dict[str, Result] = {}
        self.unreadable = 0  # whole lines that are no result

    def __enter__(self) -> Ledger:
        what = f"cannot keep the sweep's results in {self._path.parent}"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b")
        except OSError as error:
            raise OperatingFailure(what, error.strerror or str(error), "Name another directory with --out.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            why, remedy = "another sweep is writing there", "Wait for it, or name another directory with --out."
            raise OperatingFailure(what, why, remedy) from None
        self._read()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, cell: Cell, result: Result) -> None:
        """Remember a result; on disk when this returns."""
        line = msgspec.json.encode(Done(cell.key, cell.seed, dict(cell.overrides), result)) + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            why, remedy = error.strerror or str(error), "Make room; the same command goes on where it stopped."
            raise OperatingFailure(f"cannot write to {self._path}", why, remedy) from None
        self.done[cell.key] = result

    def _read(self) -> None:
        whole = 0
        for line in self._lines():
            whole += len(line)
            try:
                done = msgspec.json.decode(line, type=Done)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.unreadable += 1
                continue
            self.done[done.key] = done.result
        self._file.truncate(whole)

    def _lines(self) -> Iterator[bytes]:
        """Lines that end; the half one at the end is what was being written when the machine stopped."""
        self._file.seek(0)
        while line := self._file.readline(MOST_LINE_BYTES):
            if not line.endswith(b"\n"):
                return
            yield line
