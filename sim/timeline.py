"""Time in a world: a heap of what is going to happen, and the only clock there is.

Between two events nothing passes. Events of one moment happen in the order in which they were put down, so a run has
one order whatever is in it: the number, never the action, decides between equal times.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from crdt.errors import Misuse

Action = Callable[..., Any]


class Timeline:
    """Microseconds since 1970, and what is to be done when."""

    __slots__ = ("_heap", "_number", "now_us")

    def __init__(self, start_us: int) -> None:
        self.now_us = start_us
        self._heap: list[tuple[int, int, Action, tuple[Any, ...]]] = []
        self._number = 0

    def at(self, at_us: int, action: Action, *args: Any) -> None:
        """Do something at a moment, which is not before now."""
        if at_us < self.now_us:
            raise Misuse(f"{self.now_us - at_us} us ago is no time to do anything")
        self._number += 1
        heapq.heappush(self._heap, (at_us, self._number, action, args))

    def after(self, delay_us: int, action: Action, *args: Any) -> None:
        """Do something later."""
        self.at(self.now_us + delay_us, action, *args)

    def run_until(self, until_us: int) -> None:
        """Let time pass, until a moment and including it."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until_us:
            self.now_us, _, action, args = pop(heap)
            action(*args)
        self.now_us = max(self.now_us, until_us)

    def __len__(self) -> int:
        return len(self._heap)
