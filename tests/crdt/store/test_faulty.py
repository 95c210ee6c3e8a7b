"""The test backend must fail the way the world does, or it proves nothing."""

from __future__ import annotations

import errno

import pytest

from crdt.errors import Misuse, OperatingFailure
from crdt.store.faulty import FaultyStore


def test_a_power_cut_takes_what_was_not_synced_and_kill_takes_nothing() -> None:
    store = FaultyStore()
    store.write([(b"a", b"1")], sync=True)
    store.write([(b"b", b"2")], sync=False)
    assert store.unsynced() == 1
    assert store.kill().get(b"b") == b"2"
    after = store.crash()
    assert after.get(b"a") == b"1"
    assert after.get(b"b") is None


def test_a_sync_makes_what_came_before_it_durable_too() -> None:
    store = FaultyStore()
    store.write([(b"a", b"1")], sync=False)
    store.write([(b"b", b"2")], sync=True)
    assert [key for key, _ in store.crash().scan(b"")] == [b"a", b"b"]


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_what_a_disk_kept_is_a_prefix_of_whole_batches(kept: int) -> None:
    store = FaultyStore()
    for number in range(3):
        store.write([(b"%d first" % number, b""), (b"%d second" % number, b"")], sync=False)
    keys = [key for key, _ in store.crash(kept).scan(b"")]
    assert keys == sorted(b"%d %s" % (n, half) for n in range(kept) for half in (b"first", b"second"))


def test_a_deletion_not_synced_comes_back() -> None:
    store = FaultyStore()
    store.write([(b"a", b"1")], sync=True)
    store.write([(b"a", None)], sync=False)
    assert store.crash().get(b"a") == b"1"


@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "No space left"), (errno.EIO, "Input/output error")])
def test_a_failed_write_applies_nothing_and_is_final(code: int, words: str) -> None:
    store = FaultyStore()
    store.fail_write(2, code)
    store.write([(b"a", b"1")], sync=True)
    with pytest.raises(OperatingFailure, match=words):
        store.write([(b"b", b"2"), (b"a", None)], sync=True)
    with pytest.raises(OperatingFailure, match=words):
        store.write([(b"c", b"3")], sync=False)
    assert store.get(b"a") == b"1"
    assert [key for key, _ in store.crash().scan(b"")] == [b"a"]


def test_the_batch_is_kept_as_it_was_when_it_was_written() -> None:
    store = FaultyStore()
    batch: list[tuple[bytes, bytes | None]] = [(b"a", b"1")]
    store.write(batch, sync=True)
    batch.append((b"b", b"2"))
    assert store.crash().get(b"b") is None


def test_there_is_no_write_before_the_next() -> None:
    with pytest.raises(Misuse):
        FaultyStore().fail_write(0)


def test_a_crashed_store_is_gone() -> None:
    store = FaultyStore()
    store.crash()
    with pytest.raises(Misuse):
        store.get(b"a")


def test_what_a_killed_process_had_not_synced_a_later_power_cut_may_take() -> None:
    store = FaultyStore()
    store.write([(b"a", b"1")], sync=True)
    store.write([(b"a", b"2"), (b"b", b"2")], sync=False)
    killed = store.kill()
    assert killed.get(b"a") == b"2" and killed.unsynced() == 1
    killed.write([(b"c", b"3")], sync=False)
    after = killed.crash()
    assert list(after.scan(b"")) == [(b"a", b"1")]


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 4])
def test_any_history_is_taken_back_to_where_it_was(kept: int) -> None:
    """A key put, changed, deleted and put again, twice in one batch too."""
    batches: list[list[tuple[bytes, bytes | None]]] = [
        [(b"a", b"2"), (b"a", b"3")],
        [(b"a", None), (b"b", b"1")],
        [(b"a", b"4")],
        [(b"b", None), (b"b", b"5"), (b"c", b"6")],
    ]
    store, wanted = FaultyStore([[(b"a", b"1")]]), FaultyStore([[(b"a", b"1")], *batches[:kept]])
    for batch in batches:
        store.write(batch, sync=False)
    assert list(store.crash(kept).scan(b"")) == list(wanted.scan(b""))


def test_nothing_but_what_is_in_it_is_kept_once_it_is_synced() -> None:
    store = FaultyStore()
    for number in range(100):
        store.write([(b"a", b"%d" % number)], sync=number % 10 == 9)
    assert store.unsynced() == 0
    assert list(store.crash().scan(b"")) == [(b"a", b"99")]
