"""Group commit: many batches, one write.

A sync costs milliseconds and a write without one costs a microsecond (notes/store.md), so whoever must wait for the
disk waits together. The shell adds batches as they come, flushes once per tick, and then tells each waiter that its
ticket is settled: save and sync first, then speak.
"""

from __future__ import annotations

from typing import NewType

from crdt.errors import Misuse
from crdt.limits import COMMIT_MAX_BYTES
from crdt.store.base import Batch, Store

Ticket = NewType("Ticket", int)


class GroupCommit:
    """Merges batches in the order they came. Settled tickets form a prefix: all up to `settled`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._batch: list[tuple[bytes, bytes | None]] = []
        self._sync = False
        self._last = Ticket(0)
        self.bytes = 0
        self.settled = Ticket(0)

    @property
    def pending(self) -> bool:
        """Whether something waits for `flush`."""
        return self._last != self.settled

    @property
    def full(self) -> bool:
        """Whether to flush now rather than at the next tick."""
        return self.bytes >= COMMIT_MAX_BYTES

    def add(self, batch: Batch, sync: bool = False) -> Ticket:
        """Queue a batch; its ticket is settled by the next `flush`. Misuse when the group is full already."""
        if self.full:
            raise Misuse("the group is full: flush before adding")
        self._batch.extend(batch)
        self._sync = self._sync or sync
        self.bytes += sum(len(key) + len(value or b"") for key, value in batch)
        self._last = Ticket(self._last + 1)
        return self._last

    def flush(self) -> Ticket:
        """Write all that waits as one batch, synced when any of it asked for that; the last ticket settled.

        Raises OperatingFailure, which nothing after it will undo: no ticket of the group is settled.
        """
        if self.pending:
            self._store.write(self._batch, self._sync)
            self.settled = self._last
            self._batch, self._sync, self.bytes = [], False, 0
        return self.settled
