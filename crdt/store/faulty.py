"""A store that fails on purpose: the disk that fills up, the machine that loses power.

It keeps apart what a sync has made durable and what only the process has seen, which is the whole difference between
kill -9 and a power cut. A batch is never torn: LevelDB's are not (notes/store.md, 525,594 batches over 85 kills).

What is held is the present state, and for each batch that no sync has followed yet what takes it back: so a store that
is written to for hours is no larger than what is in it.
"""

from __future__ import annotations

import errno as errnos
import os
from collections.abc import Iterable, Iterator

from crdt.errors import Misuse, OperatingFailure
from crdt.store.base import Batch
from crdt.store.memory import MemoryStore


class FaultyStore:
    """MemoryStore with a disk behind it that can be told to misbehave."""

    kind = "faulty"

    def __init__(self, durable: Iterable[Batch] = ()) -> None:
        self._view = MemoryStore()
        for batch in durable:
            self._view.write(batch, sync=True)
        self._undo: list[Batch] = []  # for each batch not synced, what was there before it
        self._writes = 0
        self._plan: dict[int, int] = {}
        self._failure: OperatingFailure | None = None

    def fail_write(self, nth: int, errno: int = errnos.EIO) -> None:
        """Let the nth write from now on (the next one is 1) fail with that errno, and all that follow it."""
        if nth < 1:
            raise Misuse("the next write is number 1")
        self._plan[self._writes + nth] = errno

    def crash(self, kept: int = 0) -> FaultyStore:
        """The machine loses power: a store of what had been synced and the first `kept` writes after that.

        A disk may keep more than it was asked to, but only in the order of the writes.
        """
        after = FaultyStore()
        after._view = self._view.reopened()
        for before in reversed(self._undo[kept:]):
            after._view.write(before, sync=True)
        self._view.close()
        return after

    def kill(self) -> FaultyStore:
        """The process dies, the machine goes on: a store of everything that was written.

        What was not synced still is not: a power cut may take it later.
        """
        after = FaultyStore()
        after._view, after._undo = self._view.reopened(), list(self._undo)
        self._view.close()
        return after

    def unsynced(self) -> int:
        """How many batches a power cut could take."""
        return len(self._undo)

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        return self._view.get(key)

    def scan(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """See Store."""
        return self._view.scan(prefix, start)

    def write(self, batch: Batch, sync: bool) -> None:
        """See Store; fails where it was told to."""
        if self._failure is not None:
            raise self._failure
        self._writes += 1
        errno = self._plan.get(self._writes)
        if errno is not None:
            self._failure = OperatingFailure("the store cannot save", os.strerror(errno))
            raise self._failure
        before = None if sync else tuple((key, self._view.get(key)) for key, _ in batch)
        self._view.write(batch, sync)
        if before is None:
            self._undo.clear()
        else:
            self._undo.append(before)

    def close(self) -> None:
        """See Store."""
        self._view.close()
