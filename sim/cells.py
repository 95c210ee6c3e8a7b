"""The cells of a sweep, and the file that remembers those that have run.

A cell is one run: a scenario, a choice of parameters, a seed. Its key is a hash of all that its result depends on,
the sources included, so a result is used again only where running again would give the same bytes. Each result
is one line of `cells.jsonl`, written, flushed and synced as it comes, and a line that a power cut left half written is
cut off before the next one is added: what is in the file is whole.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

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
SUFFIXES: Final = (".py", ".json")
SHOWING: Final = (
    *("sim/report/", "sim/cli.py", "sim/said.py", "sim/shapes.py", "sim/joined.py", "sim/cells.py"),
    *("sim/sweep.py", "sim/sweep_command.py", "sim/cluster.py", "sim/soak.py", "sim/shrink.py"),
)


class Contents(Protocol):
    """What a run is made from, beside its seed: bytes that are the same wherever it is the same."""

    @property
    def content(self) -> bytes:
        """All that decides what is run."""
        ...


class Cell(NamedTuple):
    """One run of a sweep. `scenario` is what the user named, `what` the same, read and with its settings."""

    key: str
    scenario: str
    overrides: tuple[tuple[str, Value], ...]  # in the order that the user gave
    seed: int
    what: Any  # goes to another process, or another machine, as it is


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the file."""

    key: str
    seed: int
    overrides: dict[str, Value]
    result: Result
    schema: str = SCHEMA


class Plan(NamedTuple):
    """What a sweep is to run. `load` reads the scenario with a choice of parameters, and refuses what it cannot be."""

    scenario: str
    seeds: tuple[int, ...]
    over: Mapping[str, tuple[Value, ...]]
    code: str
    load: Callable[[dict[str, Value]], Contents]

    def cells(self) -> list[Cell]:
        """Every choice of the parameters with every seed, in that order; Misuse when there are too many."""
        count = prod(map(len, self.over.values())) * len(self.seeds)
        if not 1 <= count <= MOST_CELLS:
            raise Misuse(f"a sweep has 1 to {MOST_CELLS:,} runs, and this one {count:,}")
        choices = product(*([(name, value) for value in values] for name, values in self.over.items()))
        loaded = [(choice, self.load(dict(choice))) for choice in choices]
        return [self._cell(choice, what, seed) for choice, what in loaded for seed in self.seeds]

    def _cell(self, choice: tuple[tuple[str, Value], ...], what: Contents, seed: int) -> Cell:
        told = f"{self.code} {seed} ".encode() + what.content
        key = blake2b(told, digest_size=16, person=b"symjam-sim-cell").hexdigest()
        return Cell(key, self.scenario, choice, seed, what)


def code_hash(root: Path = ROOT) -> str:
    """A hash of the sources that a result depends on."""
    digest = blake2b(digest_size=8, person=b"symjam-sim-code")
    for room in SOURCES:
        for path in sorted((root / room).rglob("*")):
            name = path.relative_to(root).as_posix()
            if name.endswith(SUFFIXES) and not name.startswith(SHOWING):
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
