"""Values that entries say, each with the operations that say it, so that any of them can be taken back.

A thing is said as long as one source that counts says it. Where one of several must be named it is the first in
canonical order, never the first to arrive. Whoever says one thing a hundred thousand times must not make anybody look
through all of them at each: the first of many is kept in a heap, from which what was taken back is dropped on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

from consensus.chains import Source

K = TypeVar("K")
V = TypeVar("V")


class Claims(Generic[K, V]):
    """Values by key, each with the sources that say it."""

    def __init__(self) -> None:
        self._said: dict[K, dict[Source, V]] = {}
        self._heaps: dict[K, list[Source]] = {}  # of keys that more than one source ever spoke of

    def say(self, key: K, source: Source, value: V) -> None:
        """Record that a source says this."""
        said = self._said.get(key)
        if said is None:
            self._said[key] = {source: value}
            return
        heap = self._heaps.get(key)
        if heap is None:
            heap = self._heaps[key] = list(said)
        heappush(heap, source)
        said[source] = value

    def unsay(self, key: K, source: Source) -> None:
        """Take back what a source said."""
        said = self._said.get(key, {})
        said.pop(source, None)
        if not said:
            self._said.pop(key, None)
            self._heaps.pop(key, None)

    def of(self, key: K) -> dict[Source, V]:
        """All that is said under a key, in canonical order."""
        said = self._said.get(key)
        return {} if said is None else {source: said[source] for source in sorted(said)}

    def first(self, key: K) -> tuple[Source, V] | None:
        """The first thing said under a key, in canonical order."""
        said = self._said.get(key)
        if not said:
            return None
        heap = self._heaps.get(key)
        if heap is None:
            return next(iter(said.items()))
        while heap[0] not in said:
            heappop(heap)
        return heap[0], said[heap[0]]

    def __contains__(self, key: K) -> bool:
        return key in self._said

    def __iter__(self) -> Iterator[K]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)
