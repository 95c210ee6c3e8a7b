"""Telling a machine that went down from a process that did."""

from __future__ import annotations

import pytest

from crdt.canonical import encode
from crdt.errors import Misuse, OperatingFailure
from crdt.store.keys import ENTRY, meta_key
from crdt.store.mark import (
    NO_DIGEST,
    Mark,
    entries_digest,
    is_of_network,
    machine_went_down,
    mark_clean,
    mark_network,
    mark_open,
    read_mark,
)
from crdt.store.memory import MemoryStore
from crdt.types import NO_NONCE
from tests.crdt.store.logs import BOOT, FRESH, NETWORK, OTHER_BOOT, OTHER_NETWORK, make_log, player, save


@pytest.mark.parametrize(
    ("clean", "boot", "down"),
    [(False, BOOT, False), (False, OTHER_BOOT, True), (True, BOOT, False), (True, OTHER_BOOT, False)],
)
def test_only_an_unclean_mark_of_another_boot_means_the_machine(clean: bool, boot: str, down: bool) -> None:
    assert machine_went_down(Mark(1, clean, BOOT, NO_NONCE, 0, NO_DIGEST), boot) is down


def test_a_store_without_a_mark_says_nothing_of_the_machine() -> None:
    assert not machine_went_down(None, BOOT)


def test_clean_keeps_boot_and_nonce_and_counts_the_entries() -> None:
    store = MemoryStore()
    save(store, make_log(player(1), 5))
    mark_open(store, BOOT, FRESH)
    assert read_mark(store) == Mark(1, False, BOOT, FRESH, 0, NO_DIGEST)
    mark_clean(store)
    assert read_mark(store) == Mark(1, True, BOOT, FRESH, *entries_digest(store.scan(ENTRY)))


def test_the_digest_sees_every_byte_and_where_it_lies() -> None:
    items = [(b"ab", b"c"), (b"d", b"")]
    known = entries_digest(items)
    for other in ([(b"a", b"bc"), (b"d", b"")], [(b"ab", b"c")], [(b"ab", b"cd"), (b"", b"")], list(reversed(items))):
        assert entries_digest(other) != known


def test_clean_without_open_is_misuse() -> None:
    with pytest.raises(Misuse):
        mark_clean(MemoryStore())


@pytest.mark.parametrize("boot", ["", "x" * 65])
def test_a_boot_id_is_bounded(boot: str) -> None:
    with pytest.raises(Misuse):
        mark_open(MemoryStore(), boot, NO_NONCE)


@pytest.mark.parametrize(
    "raw", [b"", b"\xc0", encode((2, True, BOOT, NO_NONCE, 0, NO_DIGEST)), encode((1, True, BOOT))]
)
def test_a_mark_that_does_not_decode_is_no_mark(raw: bytes) -> None:
    store = MemoryStore()
    store.write([(meta_key("mark"), raw)], sync=True)
    assert read_mark(store) is None


def test_a_store_belongs_to_one_network() -> None:
    store = MemoryStore()
    assert not is_of_network(store, NETWORK)
    mark_network(store, NETWORK)
    assert is_of_network(store, NETWORK)
    with pytest.raises(OperatingFailure, match="another network"):
        is_of_network(store, OTHER_NETWORK)
