"""What a store can do: ordered byte keys, atomic batches, and a write that says when it is on disk.

Contract, the same for every backend:

- a batch is applied whole or not at all, across kill -9 and power loss;
- batches become visible and durable in the order of the writes: what a crash takes away is a tail of them;
- `sync=True` returns only when the batch would survive the machine losing power. Without it a batch survives the
  death of the process, not that of the machine;
- any failed write is final. LevelDB keeps refusing after ENOSPC or EIO until it is opened again (notes/store.md), and
  a process that went on would speak of things it has not saved. Every later write raises the same failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from crdt.errors import OperatingFailure

Batch = Sequence[tuple[bytes, bytes | None]]  # (key, value) puts, (key, None) deletes; the later of two wins


class StoreInUse(OperatingFailure):
    """Another process holds the store: one daemon owns it, everything else asks that daemon."""


class StoreDamaged(OperatingFailure):
    """What the store returned is not what was written to it."""


class Store(Protocol):
    """An ordered map from bytes to bytes. Writes may come from two threads at once, everything else from one."""

    kind: str

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None without one. Raises StoreDamaged."""
        ...

    def scan(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Keys with that prefix in byte order, from `start` (a whole key) on. Raises StoreDamaged.

        It shows the moment of its first step: writes made while it runs are not seen.
        """
        ...

    def write(self, batch: Batch, sync: bool) -> None:
        """Apply a batch. Raises OperatingFailure, and again on every write after that."""
        ...

    def close(self) -> None:
        """Let go of the files. Closing twice does nothing."""
        ...
