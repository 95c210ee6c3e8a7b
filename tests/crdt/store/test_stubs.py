"""Ids outlive the entries they name, in one write with them; a run that is missing is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from crdt.entry import Entry
from crdt.errors import Misuse
from crdt.store.base import Store, StoreDamaged
from crdt.store.keys import ENTRY, entry_item, stubs_key
from crdt.store.level import LevelStore
from crdt.store.memory import MemoryStore
from crdt.store.salvage import salvage
from crdt.store.stubs import pruning, stubs
from crdt.store.walk import walk
from crdt.types import EntryId, Seq
from tests.crdt.authors import ALICE, BOB, JAM, NETWORK, chain, key_of

LOG = chain(ALICE, 10)
KEY = key_of(ALICE)


def _stored(store: Store, *logs: Sequence[Entry]) -> None:
    store.write([entry_item(entry) for log in logs for entry in log], sync=True)


def _ids(entries: Sequence[Entry]) -> list[EntryId]:
    return [entry.id for entry in entries]


def test_runs_pruned_from_the_end_are_read_as_one() -> None:
    store = MemoryStore()
    _stored(store, LOG, chain(BOB, 3))
    assert stubs(store, JAM, KEY) == (0, [])
    for start, stop in ((7, 10), (6, 7), (2, 6)):
        store.write(pruning(JAM, KEY, LOG[start:stop]), sync=False)
        assert stubs(store, JAM, KEY) == (start, _ids(LOG[start:]))
        found = walk(NETWORK, store.scan(ENTRY))
        assert found.whole
        assert [len(entries) for entries in found.logs.values()] in ([start, 3], [3, start])
    assert stubs(store, JAM, key_of(BOB)) == (0, [])


def test_nothing_is_no_run() -> None:
    with pytest.raises(Misuse):
        pruning(JAM, KEY, [])


def test_a_missing_or_shortened_run_is_damage() -> None:
    store = MemoryStore()
    for start in (0, 4, 8):
        store.write(pruning(JAM, KEY, LOG[start : start + 4]), sync=False)
    assert stubs(store, JAM, KEY)[1] == _ids(LOG)
    whole = store.get(stubs_key(JAM, KEY, Seq(4)))
    for value in (None, b"", (whole or b"")[:-1], (whole or b"")[:-32]):
        store.write([(stubs_key(JAM, KEY, Seq(4)), value)], sync=False)
        with pytest.raises(StoreDamaged):
            stubs(store, JAM, KEY)


def test_salvage_keeps_them(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "store")
    _stored(store, LOG)
    store.write(pruning(JAM, KEY, LOG[4:]), sync=True)
    store.close()
    salvage(tmp_path / "store", NETWORK)
    again = LevelStore(tmp_path / "store")
    assert stubs(again, JAM, KEY) == (4, _ids(LOG[4:]))
    again.close()
