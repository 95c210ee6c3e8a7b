"""A store in memory: for the simulator, and for tests that ask nothing of a disk."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from crdt.errors import Misuse
from crdt.store.base import Batch


class MemoryStore:
    """A dict that can be read in order. The order is made when it is asked for, since writes come far oftener."""

    kind = "memory"

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._ordered: list[bytes] | None = []
        self.closed = False

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        self._check_open()
        return self._values.get(key)

    def scan(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """See Store."""
        self._check_open()
        if self._ordered is None:
            self._ordered = sorted(self._values)
        ordered = self._ordered
        first = bisect_left(ordered, max(prefix, start or b""))
        found = []
        for index in range(first, len(ordered)):
            if not ordered[index].startswith(prefix):
                break
            found.append((ordered[index], self._values[ordered[index]]))
        return iter(found)

    def write(self, batch: Batch, sync: bool) -> None:
        """See Store. There is no disk to sync to."""
        self._check_open()
        for key, value in batch:
            if value is None:
                if self._values.pop(key, None) is not None:
                    self._ordered = None
            else:
                if key not in self._values:
                    self._ordered = None
                self._values[key] = value

    def close(self) -> None:
        """See Store."""
        self.closed = True

    def reopened(self) -> MemoryStore:
        """Another store of what is in this one, closed or not."""
        other = MemoryStore()
        other._values, other._ordered = dict(self._values), None
        return other

    def _check_open(self) -> None:
        if self.closed:
            raise Misuse("the store is closed")
