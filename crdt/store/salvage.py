"""What to do with a damaged LevelDB directory: set it aside whole, and build a new one of what verifies.

The database is not mended in place. A tolerant open replays a broken write-ahead log and deletes it, which destroys
the evidence; a bad block that stays in a table makes a later compaction fail, for good. So the tolerant open gets a
copy, the original's files are searched for what LevelDB cannot reach any more (carve.py), what verifies is written to
a fresh directory, and two renames put that in place:

    path -> path.damaged-<n>        the original, untouched
    path.rebuilt -> path

A crash before the first rename leaves everything to be done again; one between the two is finished at the next start,
since a missing `path` beside a `path.rebuilt` can have no other cause. LevelDB's own repair is never called.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from crdt.errors import OperatingFailure
from crdt.limits import DAMAGED_COPIES_MAX, SALVAGE_BATCH_ENTRIES
from crdt.store.atomic import sync_directory
from crdt.store.base import StoreDamaged
from crdt.store.carve import carve
from crdt.store.keys import ENTRY, META, PROOF, STUBS, entry_item
from crdt.store.level import LevelStore
from crdt.store.mark import is_of_network
from crdt.store.stubs import ids_of
from crdt.store.walk import Walk, verified_proof, walk
from crdt.types import EntryId, NetworkId


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was read back, and where the original lies. `unreadable` says why LevelDB could not open even a copy."""

    walk: Walk
    set_aside: Path
    unreadable: str | None


def finish_swap(path: Path) -> None:
    """Complete what a crash interrupted. To be called before the path is opened."""
    with _disk(path):
        rebuilt = _rebuilt(path)
        if rebuilt.is_dir() and not path.exists():
            rebuilt.rename(path)
            sync_directory(path.parent)
        _remove(rebuilt)
        _remove(_copy(path))


def salvage(path: Path, network: NetworkId) -> Salvage:
    """Replace the (closed) store at `path` by one of what verifies. Raises OperatingFailure, with `path` as it was."""
    with _disk(path):
        finish_swap(path)
        shutil.copytree(path, _copy(path), ignore=shutil.ignore_patterns("LOCK"))
    items: dict[bytes, bytes] = {}
    records: dict[bytes, bytes] = {}
    pruned: frozenset[EntryId] = frozenset()
    unreadable = None
    try:
        source = LevelStore(_copy(path), tolerant=True)
    except StoreDamaged as error:
        unreadable = error.why
    else:
        with closing(source):
            _require_network(source, network)
            items = _readable(source, ENTRY)
            records.update(item for item in _checked(source, PROOF) if verified_proof(network, *item))
            runs = list(_checked(source, STUBS))
            records.update(runs)
            pruned = frozenset(entry_id for _, run in runs for entry_id in ids_of(run))
            records.update(_checked(source, META))
    with _disk(path):
        records = carve(network, path, items, pruned) | records
    found = walk(network, sorted(items.items()), trusted=False)
    _build(_rebuilt(path), found, list(records.items()))
    return Salvage(found, _swap(path), unreadable)


def _require_network(source: LevelStore, network: NetworkId) -> None:
    """Under another network's rules no entry verifies, and none of that is damage."""
    with suppress(StoreDamaged):
        is_of_network(source, network)


def _readable(source: LevelStore, prefix: bytes) -> dict[bytes, bytes]:
    """All that can be read from either end: a block that stops a scan hides only what lies between two of them."""
    found: dict[bytes, bytes] = {}
    for items in (source.scan(prefix), source.scan_back(prefix)):
        try:
            found.update(items)
        except StoreDamaged:
            continue
        break
    return found


def _checked(source: LevelStore, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Records that no signature covers: only those whose block has the right checksum."""
    for key in _readable(source, prefix):
        try:
            value = source.get(key)
        except StoreDamaged:
            continue
        if value is not None:
            yield key, value


def _build(path: Path, found: Walk, records: list[tuple[bytes, bytes]]) -> None:
    target = LevelStore(path)
    try:
        items = [entry_item(entry) for entries in found.logs.values() for entry in entries]
        for start in range(0, len(items), SALVAGE_BATCH_ENTRIES):
            target.write(items[start : start + SALVAGE_BATCH_ENTRIES], sync=True)
        target.write(records, sync=True)
    finally:
        target.close()


def _swap(path: Path) -> Path:
    with _disk(path):
        sync_directory(_rebuilt(path))
        kept = sorted(_numbered(path))
        aside = path.with_name(f"{path.name}.damaged-{(kept[-1][0] if kept else 0) + 1}")
        path.rename(aside)
        sync_directory(path.parent)
        _rebuilt(path).rename(path)
        sync_directory(path.parent)
        for _, old in kept[: max(0, len(kept) + 1 - DAMAGED_COPIES_MAX)]:
            _remove(old)
        _remove(_copy(path))
    return aside


def _numbered(path: Path) -> Iterator[tuple[int, Path]]:
    stem = f"{path.name}.damaged-"
    for found in path.parent.iterdir():
        number = found.name.removeprefix(stem)
        if found.name.startswith(stem) and number.isascii() and number.isdigit():
            yield int(number), found


def _rebuilt(path: Path) -> Path:
    return path.with_name(f"{path.name}.rebuilt")


def _copy(path: Path) -> Path:
    return path.with_name(f"{path.name}.salvage")


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, shutil.Error) as error:
        raise OperatingFailure(
            f"the store {path} cannot be recovered",
            str(error),
            "Make room for a copy of it on the same disk, then start again",
        ) from error
