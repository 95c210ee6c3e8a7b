"""Shares of what was measured, and what a goal says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """How long something took, milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    longest: float


def spread(times_ms: Sequence[float]) -> Spread:
    """Of at least one time."""
    ordered = sorted(times_ms)
    at = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99)]
    return Spread(len(ordered), *(round(ms, 3) for ms in (*at, ordered[-1])))


def beyond(name: str, found_ms: float, goal_ms: float) -> list[str]:
    """What is to be said when a goal is missed."""
    return [f"{name} is {found_ms:.2f} ms, more than {goal_ms:g}"] if found_ms > goal_ms else []
