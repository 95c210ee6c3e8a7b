"""What a start need not check again, and that it checks all else."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdt.entry import Entry
from crdt.store.keys import ENTRY, META, document_prefix, entry_item
from crdt.store.level import LevelStore
from crdt.store.seal import SEAL_PREFIX, EntriesDigest, changed, digest_of, documents
from crdt.types import DocumentName
from tests.crdt.store.logs import JAM, LEDGER, make_log, player, save
from tests.crdt.store.test_recover import LOGS, left_behind, name_of, opened

ITEMS = sorted(entry_item(entry) for log in LOGS for entry in log)


def unsign(path: Path, log: list[Entry], number: int) -> None:
    """Take an entry's signature off, as somebody would who can write to the store, or a disk that lies."""
    store = LevelStore(path)
    key, raw = entry_item(log[number])
    store.write([(key, bytes(64) + raw[64:])], sync=True)
    store.close()


def test_after_kill_the_documents_alone_are_checked_that_were_written_to(tmp_path: Path) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=True)
    node = opened(path)
    save(node.store, make_log(player(1), 121)[-1:], sync=False)
    node.store.close()  # without a word: as kill -9 does
    again = opened(path)
    assert again.recovery.signatures_checked
    assert again.recovery.entries == 401
    again.store.close()
    last = opened(path)  # it was sealed by the start before
    assert not last.recovery.signatures_checked
    last.store.close()


@pytest.mark.parametrize("index", [0, 3])
def test_a_seal_that_does_not_fit_has_the_document_checked(tmp_path: Path, index: int) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=True)
    opened(path).store.close()
    unsign(path, LOGS[index], 4)
    node = opened(path)
    assert node.recovery.damaged
    assert node.logs == {name_of(log): log for log in LOGS}  # the entry as it was signed was still in LevelDB's log
    node.store.close()


def test_seals_of_documents_that_are_gone_go(tmp_path: Path) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=True)
    store = LevelStore(path)
    assert len(list(store.scan(SEAL_PREFIX))) == 2
    store.write([(key, None) for key, _ in store.scan(document_prefix(JAM))], sync=True)
    store.close()
    node = opened(path)
    assert [key for key, _ in node.store.scan(SEAL_PREFIX)] == [SEAL_PREFIX + LEDGER.encode()]
    node.store.close()


def handed_on(stored: dict[bytes, bytes]) -> tuple[list[tuple[bytes, bytes]], set[DocumentName]]:
    found, sealed = EntriesDigest(), set[DocumentName]()
    return list(documents(ITEMS, stored, found, sealed)), sealed


def test_entries_come_as_they_were_and_documents_are_known_by_their_seals() -> None:
    seals = digest_of(ITEMS).seals()
    assert set(seals) == {SEAL_PREFIX + JAM.encode(), SEAL_PREFIX + LEDGER.encode()}
    assert handed_on(seals) == (ITEMS, {JAM, LEDGER})
    assert handed_on({}) == (ITEMS, set())
    for key in seals:
        broken = seals | {key: seals[key][:-1] + bytes([seals[key][-1] ^ 1])}
        assert handed_on(broken) == (ITEMS, {JAM, LEDGER} - {DocumentName(key[len(SEAL_PREFIX) :].decode())})


@pytest.mark.parametrize("left_out", [0, 100, len(ITEMS) - 1])
def test_an_entry_less_is_another_seal(left_out: int) -> None:
    fewer = ITEMS[:left_out] + ITEMS[left_out + 1 :]
    assert len(changed(digest_of(ITEMS).seals(), digest_of(fewer).seals())) == 1
    assert digest_of(fewer).digest() != digest_of(ITEMS).digest()


@pytest.mark.parametrize("key", [b"", ENTRY, ENTRY + b"\xff", ENTRY + b"\x02\xff\xfe", META + b"x"])
def test_a_key_that_names_no_document_is_sealed_as_none(key: bytes) -> None:
    found, sealed = EntriesDigest(), set[DocumentName]()
    assert list(documents([(key, b"what")], {}, found, sealed)) == [(key, b"what")]
    assert not sealed and found.count == 1


def test_only_what_changed_is_written() -> None:
    assert changed({b"a": b"1", b"b": b"2", b"c": b"3"}, {b"b": b"2", b"c": b"4", b"d": b"5"}) == [
        (b"a", None),
        (b"c", b"4"),
        (b"d", b"5"),
    ]
