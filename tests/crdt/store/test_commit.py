"""Group commit: one write for many, and no word of success before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse, OperatingFailure
from crdt.limits import COMMIT_MAX_BYTES
from crdt.store.commit import GroupCommit, Ticket
from crdt.store.faulty import FaultyStore


def test_tickets_settle_together_and_only_when_flushed() -> None:
    store = FaultyStore()
    group = GroupCommit(store)
    tickets = [group.add([(b"k%d" % n, b"v")]) for n in range(3)]
    assert tickets == [1, 2, 3]
    assert (group.settled, group.pending) == (0, True)
    assert store.get(b"k0") is None
    assert group.flush() == 3
    assert (group.settled, group.pending, group.bytes) == (3, False, 0)
    assert [key for key, _ in store.scan(b"")] == [b"k0", b"k1", b"k2"]
    assert store.unsynced() == 1  # one write for three batches


def test_one_that_needs_the_disk_syncs_all_and_the_next_group_starts_without() -> None:
    store = FaultyStore()
    group = GroupCommit(store)
    group.add([(b"a", b"")])
    group.add([(b"b", b"")], sync=True)
    group.add([(b"c", b"")])
    group.flush()
    assert store.unsynced() == 0
    group.add([(b"d", b"")])
    group.flush()
    assert store.unsynced() == 1


def test_flushing_nothing_writes_nothing() -> None:
    store = FaultyStore()
    store.fail_write(1)
    assert GroupCommit(store).flush() == 0


def test_an_empty_batch_has_a_ticket_too() -> None:
    group = GroupCommit(FaultyStore())
    assert group.add([]) == 1
    assert group.flush() == 1


def test_a_failed_write_settles_nothing_then_or_later() -> None:
    store = FaultyStore()
    group = GroupCommit(store)
    group.add([(b"a", b"")], sync=True)
    group.flush()
    store.fail_write(1)
    group.add([(b"b", b"")], sync=True)
    for _ in range(2):
        with pytest.raises(OperatingFailure):
            group.flush()
        assert group.settled == 1
        assert group.pending


def test_the_group_is_bounded() -> None:
    group = GroupCommit(FaultyStore())
    group.add([(b"a", bytes(COMMIT_MAX_BYTES))])
    assert group.full
    with pytest.raises(Misuse):
        group.add([(b"b", b"")])
    group.flush()
    assert not group.full
    group.add([(b"b", b"")])


_keys = st.sampled_from([b"a", b"b", b"c"])
_steps = st.lists(
    st.tuples(st.lists(st.tuples(_keys, st.none() | st.binary(max_size=1)), max_size=3), st.booleans(), st.booleans())
)


@given(_steps)
def test_grouping_changes_nothing_but_the_number_of_writes(
    steps: list[tuple[list[tuple[bytes, bytes | None]], bool, bool]],
) -> None:
    grouped, single = FaultyStore(), FaultyStore()
    group = GroupCommit(grouped)
    synced = Ticket(0)
    for batch, sync, flush in steps:
        ticket = group.add(batch, sync)
        single.write(batch, sync)
        synced = ticket if sync else synced
        if flush:
            group.flush()
    settled = group.flush()
    assert settled == len(steps) >= synced
    assert list(grouped.scan(b"")) == list(single.scan(b""))
