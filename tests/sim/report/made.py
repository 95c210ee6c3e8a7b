"""Results made by hand."""

from __future__ import annotations

from sim.result import Number, Result, Series

HOSTILE = "</title><script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


def series(*rows: tuple[Number | str | None, ...], name: str = "income", kind: str = "line") -> Series:
    columns = ("window", *(f"who {number}" for number in range(1, len(rows[0]) if rows else 2)))
    return Series(name, "Income", "What each earns", columns, rows, "JAM", kind)  # type: ignore[arg-type]


def result(*several: Series, seed: int = 1, **figures: Number) -> Result:
    found = figures or {"honest_micro": 12_500_000, "converged_ms": 321.5}
    return Result("ring", "network", "cheap", seed, 16, 30, found, several, (), f"symjam sim run ring --seed {seed}")
