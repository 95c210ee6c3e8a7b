"""Every kind of record is looked at, and what is wrong is named; nothing is, where nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crdt.errors import Violation
from crdt.store.audit import audit
from crdt.store.keys import META, PROOF, STUBS, entry_key
from crdt.store.level import LevelStore
from crdt.store.mark import mark_clean, mark_network, mark_open
from crdt.store.memory import MemoryStore
from crdt.store.records import items_in, pieces
from crdt.store.stubs import pruning
from crdt.types import NO_NONCE, Seq
from tests.crdt.store.logs import BOOT, LEDGER, NETWORK, OTHER_NETWORK, make_log, player, proof_item, save
from tests.crdt.store.test_level import flip, in_table, the

JAM_LOG, LEDGER_LOG, PRUNED = make_log(player(1), 30), make_log(player(1), 10, LEDGER), make_log(player(2), 40)
Items = dict[bytes, bytes]


@pytest.fixture(scope="module")
def whole() -> Items:
    """A store with everything in it that this room writes, left cleanly."""
    store = MemoryStore()
    mark_network(store, NETWORK)
    mark_open(store, BOOT, NO_NONCE)
    save(store, [*JAM_LOG, *LEDGER_LOG, *PRUNED])
    for start, stop in ((30, 40), (20, 30)):
        run = PRUNED[start:stop]
        store.write(pruning(run[0].body.document, run[0].log, run), sync=True)
    store.write([proof_item(player(9))], sync=True)
    mark_clean(store)
    return dict(store.scan(b""))


def test_what_is_whole_has_no_faults(whole: Items) -> None:
    found = audit(NETWORK, sorted(whole.items()))
    assert found.faults == [] and found.is_whole
    assert (found.records, found.walk.entries, found.pruned, len(found.proofs)) == (len(whole), 60, 20, 1)


def _change(items: Items, key: bytes, value: bytes | None) -> Items:
    return {**items, key: value} if value is not None else {k: v for k, v in items.items() if k != key}


def _key(log: list, number: int) -> bytes:  # type: ignore[type-arg]
    return entry_key(log[0].body.document, log[0].log, Seq(number))


def _spoilt(value: bytes, at: int = 70) -> bytes:
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


STUB_20, STUB_30 = (STUBS + _key(PRUNED, number)[1:] for number in (20, 30))
PROOF_KEY, PROOF_VALUE = proof_item(player(9))


@pytest.mark.parametrize(
    ("key", "value", "parts"),
    [
        (_key(JAM_LOG, 7), _spoilt(JAM_LOG[7].raw, 3), ("jam/", "from entry 7 on (23 of them)", "bad-signature")),
        (_key(LEDGER_LOG, 4), None, ("ledger/7 by ", "from entry 4 on (5 of them)", "gap")),
        (_key(LEDGER_LOG, 9), None, ("'mark'", "60 entries were there at the last clean stop, and now 59")),
        (_key(JAM_LOG, 29), make_log(player(1), 30, salt=b"x")[29].raw, ("from entry 29 on", "wrong-prev")),
        (_key(JAM_LOG, 3), JAM_LOG[4].raw, ("from entry 3 on", "another entry's key")),
        (b"e\x00", b"?", ("the key 6500", "names no log")),
        (STUB_20, None, ("ids of pruned entries from 30", "10 ids missing before it")),
        (STUB_30, bytes(33), ("ids of pruned entries from 30", "no run of ids")),
        (STUBS + _key(JAM_LOG, 20)[1:], bytes(32), ("ids of pruned entries from 20", "10 ids too many")),
        (PROOF_KEY, _spoilt(PROOF_VALUE), ("the proof against jam/", "proves no equivocation")),
        (PROOF + b"?", PROOF_VALUE, ("the key 703f", "proves no equivocation")),
        (META + b"mark", b"?", ("'mark'", "cannot be read")),
        (META + b"network", OTHER_NETWORK, ("'network'", "another network's")),
        (b"\x00", b"", ("the key 00", "no record of a known kind")),
    ],
)
def test_every_fault_is_named(whole: Items, key: bytes, value: bytes | None, parts: tuple[str, ...]) -> None:
    (where, what), *_ = audit(NETWORK, sorted(_change(whole, key, value).items())).faults
    for part in parts:
        assert part in f"{where}: {what}"


def test_a_block_that_cannot_be_read_is_told_by_what_came_before_it(tmp_path: Path, whole: Items) -> None:
    store = LevelStore(tmp_path / "db")
    store.write(list(whole.items()), sync=True)
    store.close()
    in_table(tmp_path / "db")
    flip(the(tmp_path / "db", ".ldb"), 9_000)
    store = LevelStore(tmp_path / "db")
    found = audit(NETWORK, store.scan(b""))
    store.close()
    assert not found.is_whole
    (where, what), *_ = found.faults
    assert where.startswith("after entry ") and "cannot be read" in what


def test_records_come_back_out_of_their_pieces(whole: Items) -> None:
    items = sorted(whole.items())
    longer = [(b"x%d" % number, bytes(40_000)) for number in range(5)]

    def given() -> Iterator[tuple[bytes, bytes]]:
        yield from items
        yield from longer

    made = list(pieces(given()))
    assert len(made) == 3
    assert [item for piece in made for item in items_in(piece)] == items + longer
    for bad in (b"", made[0][:-1], made[0] + b"\x00", b"\x90", b"\x91\x91\xc4\x00"):
        with pytest.raises(Violation):
            items_in(bad)
