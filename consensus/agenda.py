"""What is still to be done in which epoch; the earliest comes first."""

from __future__ import annotations

from bisect import bisect_left, insort
from heapq import heappop, heappush
from typing import Generic, TypeVar

from crdt.types import Epoch

T = TypeVar("T")


class Agenda(Generic[T]):
    """Things to look at, by epoch."""

    def __init__(self) -> None:
        self._items: dict[Epoch, set[T]] = {}
        self._queue: list[Epoch] = []

    def add(self, epoch: Epoch, item: T) -> None:
        """One more thing to look at in an epoch."""
        items = self._items.get(epoch)
        if items is None:
            self._items[epoch] = {item}
            heappush(self._queue, epoch)
        else:
            items.add(item)

    def take(self, epoch: Epoch) -> set[T]:
        """All that is to be looked at in an epoch; it is on the agenda no more."""
        return self._items.pop(epoch, set())

    def next_epoch(self) -> Epoch | None:
        """The earliest epoch with anything in it; None when all is done."""
        while self._queue and self._queue[0] not in self._items:
            heappop(self._queue)
        return self._queue[0] if self._queue else None


class Epochs:
    """Epochs that have something in common, ascending."""

    def __init__(self) -> None:
        self._sorted: list[Epoch] = []

    def add(self, epoch: Epoch) -> None:
        """One more, if it is not there."""
        if epoch not in self:
            insort(self._sorted, epoch)

    def between(self, since: Epoch, until: Epoch | None) -> list[Epoch]:
        """Those from `since` on and before `until`."""
        last = len(self._sorted) if until is None else bisect_left(self._sorted, until)
        return self._sorted[bisect_left(self._sorted, since) : last]

    def __contains__(self, epoch: Epoch) -> bool:
        at = bisect_left(self._sorted, epoch)
        return at < len(self._sorted) and self._sorted[at] == epoch


def earliest(*epochs: Epoch | None) -> Epoch | None:
    """The earliest of several, those left out that are None."""
    return min((epoch for epoch in epochs if epoch is not None), default=None)
