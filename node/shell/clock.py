"""The node's clock: Unix microseconds that never go back.

Anchored to the wall clock once, at start, and then counted by a clock that no one sets: a step of the wall clock
while people play would tear windows and beats apart. CLOCK_BOOTTIME goes on while the machine sleeps.
"""

from __future__ import annotations

import time

from crdt.types import Micros

_COUNTER = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", 0))


class NodeClock:
    """Counts from the wall clock's time at construction."""

    def __init__(self) -> None:
        self._anchor_us = time.time_ns() // 1_000 - self.count_us()

    def now_us(self) -> Micros:
        """Microseconds since 1970."""
        return Micros(self._anchor_us + self.count_us())

    def wall_skew_us(self) -> int:
        """How far the wall clock has moved from this one since the start: `doctor` and the log tell of it."""
        return time.time_ns() // 1_000 - self.now_us()

    @staticmethod
    def count_us() -> int:
        """The counter beneath: of no use but for differences."""
        return time.clock_gettime_ns(_COUNTER) // 1_000
