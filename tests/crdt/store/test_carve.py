"""Entries out of the bytes of files: all that is whole, nothing that does not verify."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from crdt.entry import Entry, LogKey, Ref, first_body, next_body, sign
from crdt.store.carve import carve
from crdt.store.keys import entry_item
from crdt.store.level import LevelStore
from crdt.types import NO_NONCE, Seq
from tests.crdt.store.logs import JAM, LEDGER, NETWORK, OTHER_NETWORK, make_log, player, proof_item, save
from tests.crdt.store.test_level import in_table

LOG = make_log(player(1), 60)


def long_log() -> list[Entry]:
    """Entries of all sizes, the longest over half a block of LevelDB's log, and one full of references."""
    me, entries = player(2), list[Entry]()
    refs = tuple(Ref(LEDGER, player(3).player, Seq(2**40 + number), LOG[0].id) for number in range(40))
    for size in (0, 1, 255, 256, 65_535 // 4, 16_384, 100, 12_000, 16_384, 16_000):
        payload = Random(size).randbytes(size)
        first = first_body(NETWORK, LEDGER, LogKey(me.player, NO_NONCE), payload, refs=refs)
        entries.append(sign(me, NETWORK, next_body(entries[-1], payload, refs[:17]) if entries else first))
    return entries


def written(path: Path, *logs: list[Entry], table: bool = False) -> Path:
    store = LevelStore(path)
    for log in logs:
        for entry in log:
            save(store, [entry], sync=False)
    store.close()
    if table:
        in_table(path)
    return path


@pytest.mark.parametrize("table", [True, False])
def test_everything_is_found_also_what_lies_across_blocks(tmp_path: Path, table: bool) -> None:
    long = long_log()
    items: dict[bytes, bytes] = {}
    assert carve(NETWORK, written(tmp_path / "db", LOG, long, table=table), items) == {}
    assert items == dict(map(entry_item, LOG + long))


def test_what_is_held_and_verifies_stays(tmp_path: Path) -> None:
    items = dict(map(entry_item, LOG))
    items[entry_item(LOG[7])[0]] = LOG[7].raw[:-1]
    carve(NETWORK, written(tmp_path / "db", LOG), items)
    assert items == dict(map(entry_item, LOG))


def test_an_entry_that_lies_under_anothers_key_is_put_back(tmp_path: Path) -> None:
    """As a flipped bit in a table's key leaves it."""
    items = dict(map(entry_item, LOG))
    items[entry_item(LOG[9])[0]] = items.pop(entry_item(LOG[7])[0])
    carve(NETWORK, written(tmp_path / "db", LOG), items)
    assert items == dict(map(entry_item, LOG))


def test_what_was_pruned_stays_where_it_lies(tmp_path: Path) -> None:
    items = dict(map(entry_item, LOG[:40]))
    carve(NETWORK, written(tmp_path / "db", LOG), items, frozenset(entry.id for entry in LOG[40:]))
    assert items == dict(map(entry_item, LOG[:40]))


def test_nothing_of_another_network_and_nothing_forged(tmp_path: Path) -> None:
    path = written(tmp_path / "db", LOG)
    items: dict[bytes, bytes] = {}
    assert carve(OTHER_NETWORK, path, items) == items == {}
    for file in path.glob("*.log"):
        file.write_bytes(file.read_bytes().replace(b"payload", b"PAYLOAD"))
    assert carve(NETWORK, path, items) == items == {}


def test_a_proof_is_put_together_again(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "db")
    store.write([proof_item(player(9))], sync=True)
    store.close()
    items: dict[bytes, bytes] = {}
    assert carve(NETWORK, tmp_path / "db", items) == dict([proof_item(player(9))])
    assert items == {}


@pytest.mark.parametrize("seed", range(5))
def test_any_bytes_may_lie_between(tmp_path: Path, seed: int) -> None:
    """Heads of entries in the midst of garbage, cut off and overwritten: found or not, never a failure."""
    random = Random(seed)
    whole = b"".join(entry.raw for entry in [*LOG[:20], *long_log()[:5]])
    for number in range(20):
        text = bytearray(whole)
        for _ in range(40):
            at = random.randrange(len(text))
            text[at : at + random.randrange(3)] = random.randbytes(random.randrange(4))
        (tmp_path / f"{number:06}.ldb").write_bytes(text[: random.randrange(len(text))])
    items: dict[bytes, bytes] = {}
    carve(NETWORK, tmp_path, items)
    assert items.items() <= dict(map(entry_item, [*LOG, *long_log()])).items()
    assert len(items) > 15


def test_jam_and_ledger_lie_side_by_side(tmp_path: Path) -> None:
    other = make_log(player(4), 3, JAM)
    items: dict[bytes, bytes] = {}
    carve(NETWORK, written(tmp_path / "db", other, long_log(), table=True), items)
    assert len(items) == 13
