"""What to do with a damaged LevelDB directory: set it aside whole, and build a new one of what verifies.

The database is not mended in place. A tolerant open replays a broken write-ahead log and deletes it, which destroys
the evidence; a bad block that stays in a table makes a later compaction fail, for good. So the tolerant open gets a
copy, the original's files are searched for what LevelDB cannot reach any more (carve.py), what verifies is written to
a fresh directory, and two renames put that in place (swap.py). LevelDB's own repair is never called.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from crdt.limits import SALVAGE_BATCH_ENTRIES
from crdt.store.base import StoreDamaged
from crdt.store.carve import carve
from crdt.store.keys import ENTRY, META, PROOF, STUBS, entry_item
from crdt.store.level import LevelStore
from crdt.store.mark import is_of_network
from crdt.store.stubs import ids_of
from crdt.store.swap import disk, finish_swap, rebuilt, scratch, swap
from crdt.store.upgrade import FORMAT_KEY, StoreTooNew, damaged_and_older, format_in, format_item
from crdt.store.walk import Walk, verified_proof, walk
from crdt.types import EntryId, NetworkId


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was read back, and where the original lies. `unreadable` says why LevelDB could not open even a copy."""

    walk: Walk
    set_aside: Path
    unreadable: str | None


def salvage(path: Path, network: NetworkId, form: int = 1) -> Salvage:
    """Replace the (closed) store at `path`, of format `form`, by one of what verifies. Raises OperatingFailure, with
    `path` as it was."""
    finish_swap(path)
    with disk(path):
        shutil.copytree(path, scratch(path), ignore=shutil.ignore_patterns("LOCK"))
    items: dict[bytes, bytes] = {}
    records: dict[bytes, bytes] = {}
    pruned: frozenset[EntryId] = frozenset()
    unreadable = None
    try:
        source = LevelStore(scratch(path), tolerant=True)
    except StoreDamaged as error:
        unreadable = error.why
    else:
        with closing(source):
            _require_network(source, network)
            _require_format(source, form)
            items = _readable(source, ENTRY)
            records.update(item for item in _checked(source, PROOF) if verified_proof(network, *item))
            runs = list(_checked(source, STUBS))
            records.update(runs)
            pruned = frozenset(entry_id for _, run in runs for entry_id in ids_of(run))
            records.update(_checked(source, META))
    with disk(path):
        records = carve(network, path, items, pruned) | records
    found = walk(network, sorted(items.items()))
    _build(rebuilt(path), found, [*records.items(), format_item(form)])
    return Salvage(found, swap(path, "damaged"), unreadable)


def _require_network(source: LevelStore, network: NetworkId) -> None:
    """Under another network's rules no entry verifies, and none of that is damage."""
    with suppress(StoreDamaged):
        is_of_network(source, network)


def _require_format(source: LevelStore, form: int) -> None:
    """What is in a store of another format would not be understood here, and lost. Read without checksums: the record
    may lie in the very block that is harmed."""
    with suppress(StoreDamaged):
        raw = next((value for key, value in source.scan(FORMAT_KEY) if key == FORMAT_KEY), None)
        found = (None if raw is None else format_in(raw)) or (1 if any(source.scan(b"")) else form)
        if found > form:
            raise StoreTooNew(found, form)
        if found < form:
            raise damaged_and_older(found, "LevelDB refuses it, or an entry does not verify")


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
