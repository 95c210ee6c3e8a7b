"""A bell: it wakes whoever listens, and says nothing more. What has changed is looked up by who was woken.

However often it rings meanwhile, a listener wakes once, so a slow one costs nobody anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio


class Ear:
    """One listener. What rings between two waits ends the second at once."""

    def __init__(self) -> None:
        self._woken = trio.Event()

    def wake(self) -> None:
        """End the wait, or the next one."""
        self._woken.set()

    async def wait(self) -> None:
        """Wait until woken."""
        await self._woken.wait()
        self._woken = trio.Event()


class Bell:
    """Rung by one, heard by many."""

    def __init__(self) -> None:
        self._ears: set[Ear] = set()

    def __len__(self) -> int:
        return len(self._ears)

    def ring(self) -> None:
        """Wake all listeners."""
        for ear in self._ears:
            ear.wake()

    @contextmanager
    def listening(self) -> Iterator[Ear]:
        """A listener for the duration of the block."""
        ear = Ear()
        self._ears.add(ear)
        try:
            yield ear
        finally:
            self._ears.discard(ear)
