"""Which format a store is of, and bringing an older one to the newest, step by step.

A record says the format; a store with entries and no such record is of format 1, the first there was. Each step leads
from one format to the next. It works on a copy, which two renames put in place when all steps are done (swap.py): so
the original is the backup, stays as `path.older-<n>`, and a process that is killed at any point leaves either the
original, to begin again with, or the finished copy. A step may therefore do anything to its copy, and need not know
how to go on in its midst.

A store of a newer format is refused: what this version does not know it could only spoil.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from crdt.canonical import Canonical, encode
from crdt.errors import OperatingFailure, Violation
from crdt.store.base import Store, StoreDamaged
from crdt.store.keys import meta_key
from crdt.store.level import LevelStore
from crdt.store.swap import disk, finish_swap, rebuilt, swap

FORMAT_KEY: Final = meta_key("format")

Step = Callable[[Store], None]  # writes in batches of its own, none of which need be synced

STEPS: Final[tuple[Step, ...]] = ()  # the n-th leads from format n to n + 1; there has been one format so far
_formats: Canonical[int] = Canonical(Annotated[int, Meta(ge=1, le=2**16)], 8)


class StoreTooNew(OperatingFailure):
    """A later version of SymJam wrote the store."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            "the store is of a newer format",
            f"it has format {found}, and this version of SymJam knows formats up to {known}",
            "Use the version that wrote it, or a newer one. To go back, restore a backup made before: symjam restore",
        )


@dataclass(frozen=True, slots=True)
class Upgraded:
    """From which format to which, and where the original lies."""

    before: int
    after: int
    set_aside: Path


def newest(steps: Sequence[Step] = STEPS) -> int:
    """The format that these steps lead to."""
    return len(steps) + 1


def format_of(store: Store) -> int | None:
    """The store's format; None for one in which there is nothing. StoreDamaged for a record that is none."""
    raw = store.get(FORMAT_KEY)
    if raw is None:
        return None if next(store.scan(b""), None) is None else 1
    found = format_in(raw)
    if found is None:
        remedy = "Start the node: it sets a copy aside and keeps what can be verified"
        raise StoreDamaged("the store cannot be used", "the record of its format is none", remedy)
    return found


def format_in(raw: bytes) -> int | None:
    """The format that a record says, None for one that cannot be read."""
    try:
        return _formats.decode(raw)
    except Violation:
        return None


def format_item(number: int) -> tuple[bytes, bytes]:
    """The (key, value) that says a store's format."""
    return FORMAT_KEY, encode(number)


def require_known(store: Store, steps: Sequence[Step] = STEPS) -> None:
    """StoreTooNew for a store that only a later version can read; OperatingFailure for one still to be upgraded."""
    found, known = format_of(store) or newest(steps), newest(steps)
    if found > known:
        raise StoreTooNew(found, known)
    if found < known:
        why = f"it is of format {found}, and this version reads {known}"
        raise OperatingFailure("the store is not read", why, "Start the node once: it upgrades the store")


def require_newest(store: Store, steps: Sequence[Step] = STEPS) -> None:
    """Say in a store that says nothing of it what its format is. StoreTooNew; StoreDamaged for an older one, which
    only `brought_up` may open."""
    found, known = format_of(store), newest(steps)
    if found is not None and found > known:
        raise StoreTooNew(found, known)
    if found is not None and found < known:
        raise StoreDamaged("the store cannot be used", f"it is of the older format {found}", _FIRST)
    if store.get(FORMAT_KEY) is None:
        store.write([format_item(known)], sync=True)


def brought_up(store: LevelStore, steps: Sequence[Step] = STEPS) -> tuple[LevelStore, Upgraded | None]:
    """The open store if it is of the newest format (or empty), else the one that takes its place, opened.

    Raises StoreTooNew, and OperatingFailure when there is no room for a copy or an older store is damaged; then it is
    closed and as it was.
    """
    try:
        found = format_of(store)
        if found is not None and found > newest(steps):
            raise StoreTooNew(found, newest(steps))
    except OperatingFailure:
        store.close()
        raise
    if found is None or found == newest(steps):
        return store, None
    path = store.path
    store.close()
    _build(path, found, steps)
    done = Upgraded(found, newest(steps), swap(path, "older"))
    return LevelStore(path), done


def _build(path: Path, found: int, steps: Sequence[Step]) -> None:
    finish_swap(path)
    with disk(path):
        shutil.copytree(path, rebuilt(path), ignore=shutil.ignore_patterns("LOCK"))
    try:
        copy = LevelStore(rebuilt(path))
        try:
            for number in range(found, newest(steps)):
                steps[number - 1](copy)
                copy.write([format_item(number + 1)], sync=True)
        finally:
            copy.close()
    except StoreDamaged as error:
        raise damaged_and_older(found, error.why) from error


def damaged_and_older(found: int, why: str) -> OperatingFailure:
    """What cannot be read cannot be brought to another format, and what is of another format cannot be verified."""
    return OperatingFailure("the store cannot be upgraded", f"it is of format {found}, and damaged: {why}", _FIRST)


_FIRST: Final = (
    "Start the version of SymJam that wrote it, which keeps what can be verified; then this one. Or restore a backup"
)
