"""Keys must sort as they are read, and bytes that are no key must not pass for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.entry import LogKey
from crdt.errors import Misuse
from crdt.store.keys import (
    ENTRY,
    LogName,
    document_prefix,
    entry_item,
    entry_key,
    log_prefix,
    meta_key,
    parse_entry_key,
    proof_key,
)
from crdt.store.memory import MemoryStore
from crdt.types import DocumentName, Epoch, Nonce, PlayerId, Seq, ledger_document
from tests.crdt.store.logs import JAM, LEDGER, make_log, player, save

_documents = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=96).map(DocumentName)
_logs = st.builds(
    LogKey, st.binary(min_size=32, max_size=32).map(PlayerId), st.binary(min_size=8, max_size=8).map(Nonce)
)
_seqs = st.integers(0, 2**53 - 1).map(Seq)
LOG = LogKey(PlayerId(b"a" * 32), Nonce(bytes(8)))


@given(_documents, _logs, _seqs)
def test_a_key_names_its_entry(document: DocumentName, log: LogKey, seq: Seq) -> None:
    assert parse_entry_key(entry_key(document, log, seq)) == (LogName(document, log), seq)


@given(_documents, _logs, st.lists(_seqs, unique=True))
def test_within_a_log_keys_sort_by_number(document: DocumentName, log: LogKey, seqs: list[Seq]) -> None:
    assert sorted(entry_key(document, log, seq) for seq in seqs) == [entry_key(document, log, s) for s in sorted(seqs)]


@given(_documents, _documents, _logs, _seqs)
def test_no_document_reads_anothers_keys(one: DocumentName, other: DocumentName, log: LogKey, seq: Seq) -> None:
    assert entry_key(other, log, seq).startswith(document_prefix(one)) == (one == other)


def test_ledger_documents_sort_by_epoch_and_before_jams() -> None:
    names = [ledger_document(Epoch(epoch)) for epoch in (0, 9, 10, 99, 100)] + [JAM]
    prefixes = [document_prefix(name) for name in names]
    assert prefixes == sorted(prefixes)


def test_scanning_a_log_gives_its_entries_in_order() -> None:
    store = MemoryStore()
    mine, other = make_log(player(1), 300), make_log(player(2), 3)
    again = make_log(player(1), 4, nonce=Nonce(b"\x00" * 7 + b"\x01"))
    save(store, [*reversed(mine), *other, *again, *make_log(player(1), 2, LEDGER)])
    assert [raw for _, raw in store.scan(log_prefix(JAM, mine[0].log))] == [entry.raw for entry in mine]
    middle = entry_key(JAM, mine[0].log, Seq(256))
    assert [raw for _, raw in store.scan(log_prefix(JAM, mine[0].log), middle)] == [e.raw for e in mine[256:]]
    assert len(list(store.scan(document_prefix(JAM)))) == 307
    assert entry_item(mine[0]) == (entry_key(JAM, mine[0].log, Seq(0)), mine[0].raw)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"e",
        b"e\x00" + bytes(48),  # a document without a name
        b"e\x01a" + bytes(47),
        b"e\x01a" + bytes(49),
        b"e\x01\xff" + bytes(48),  # not a name
        b"p\x01a" + bytes(48),
        b"e\xff" + b"a" * 60,
    ],
)
def test_bytes_that_name_no_entry(key: bytes) -> None:
    parsed = parse_entry_key(key)
    assert parsed is None


def test_kinds_keep_apart() -> None:
    assert not proof_key(JAM, LOG).startswith(ENTRY)
    assert not meta_key("mark").startswith(ENTRY)
    assert proof_key(JAM, LOG) != proof_key(LEDGER, LOG)


@pytest.mark.parametrize(
    "make",
    [
        lambda: document_prefix(DocumentName("")),
        lambda: document_prefix(DocumentName("x" * 256)),
        lambda: entry_key(JAM, LOG, Seq(-1)),
        lambda: entry_key(JAM, LOG, Seq(2**64)),
        lambda: log_prefix(JAM, LogKey(PlayerId(b"short"), Nonce(bytes(8)))),
        lambda: log_prefix(JAM, LogKey(PlayerId(bytes(32)), Nonce(b"short"))),
        lambda: meta_key(""),
        lambda: document_prefix(DocumentName("jam/\u00e9")),
    ],
)
def test_what_has_no_place_in_a_key(make: object) -> None:
    assert callable(make)
    with pytest.raises(Misuse):
        make()
