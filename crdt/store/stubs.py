"""What stays of a pruned entry: its id. The ids are what blocks commit to, so blocks stay checkable (SPEC 3).

A run of entries that leaves the store leaves the ids behind, in the same write. Logs are pruned from their ends, so
what is left of one at any moment is a whole log to whoever opens the store, and the runs of ids continue it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdt.entry import Entry, LogKey
from crdt.errors import Misuse
from crdt.store.base import Batch, Store, StoreDamaged
from crdt.store.keys import STUBS, entry_key, log_prefix, stubs_key
from crdt.types import DocumentName, EntryId, Seq

_ID_BYTES: Final = 32


def pruning(document: DocumentName, log: LogKey, run: Sequence[Entry]) -> Batch:
    """The write that replaces consecutive entries of a log by their ids."""
    if not run:
        raise Misuse("there is nothing to prune")
    ids = b"".join(entry.id for entry in run)
    gone = tuple((entry_key(document, log, entry.body.seq), None) for entry in run)
    return (*gone, (stubs_key(document, log, run[0].body.seq), ids))


def stubs(store: Store, document: DocumentName, log: LogKey) -> tuple[Seq, list[EntryId]]:
    """The ids of a log's pruned entries, from which number on. StoreDamaged when a run is missing or cut short."""
    prefix = STUBS + log_prefix(document, log)[1:]
    first: Seq | None = None
    ids: list[EntryId] = []
    for key, value in store.scan(prefix):
        seq = int.from_bytes(key[len(prefix) :], "big")
        first = Seq(seq) if first is None else first
        if seq != first + len(ids) or len(value) % _ID_BYTES:
            raise StoreDamaged(
                "ids of pruned entries are missing", f"{document} at {seq}", "Blocks before it cannot be checked"
            )
        ids += ids_of(value)
    return first or Seq(0), ids


def ids_of(run: bytes) -> list[EntryId]:
    """The ids in one saved run."""
    return [EntryId(run[at : at + _ID_BYTES]) for at in range(0, len(run), _ID_BYTES)]
