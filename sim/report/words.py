"""Figures as people read them: what a name means, in which unit, and how the number is written.

Names carry their unit at the end (sim/result.py), so a figure that is not known here is still shown with its unit;
those known get a sentence.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import structs

from sim.report.ticks import Number, full, short
from sim.result import Series


class Unit(NamedTuple):
    """How numbers of a suffix are shown: times the factor, then the sign."""

    factor: float
    sign: str


# The longest suffix that fits counts.
UNITS: Final = {
    "_micro": Unit(1e-6, "JAM"),
    "_us": Unit(1e-3, "ms"),
    "_wall_s": Unit(1, "s, another each time"),
    "_ms": Unit(1, "ms"),
    "_s": Unit(1, "s"),
    "_per_s": Unit(1, "per second"),
    "_bytes": Unit(1, "bytes"),
    "_mb": Unit(1, "MB"),
    "_kb": Unit(1, "kB"),
    "_share": Unit(100, "%"),
    "_q16": Unit(1 / 65_536, ""),
    "_pct": Unit(1, "%"),
}

SIGNATURES: Final = {
    "real": "Every node verified every Ed25519 signature and every VRF proof, as the daemon does.",
    "shared": "Ed25519 and VRF are real; what one node of the process had verified, the others did not verify again.",
    "cheap": "Not Ed25519: counted stand-ins, keyed hashes. Behaviour is that of the rules, CPU cost is not.",
    "none": "Nothing is signed: one ledger, the rules' own functions, verifiers drawn from the same distribution.",
}
FIDELITIES: Final = {
    "network": "an engine per node, every frame delivered",
    "economy": "one shared ledger, the rules' own functions, policies instead of engines",
}


# What a series' unit is shown as; its file has the numbers as they are.
SHOWN_AS: Final = {"micro-JAM": Unit(1e-6, "JAM"), "micro": Unit(1e-6, "JAM"), "us": Unit(1e-3, "ms")}


class Figure(NamedTuple):
    """A figure as it is shown."""

    label: str
    unit: Unit

    def shown(self, value: Number) -> str:
        """With its unit, as in a table."""
        return f"{self.number(value)} {self.unit.sign}".strip()

    def number(self, value: Number) -> str:
        """Without it."""
        return full(value if self.unit.factor == 1 else value * self.unit.factor)

    def brief(self, value: Number) -> str:
        """Three digits, for headings."""
        return f"{short(value * self.unit.factor)} {self.unit.sign}".strip()


def figure(name: str) -> Figure:
    """How to show the figure of that name."""
    suffix = max((end for end in UNITS if name.endswith(end)), key=len, default="")
    label = (name.removesuffix(suffix) if suffix else name).replace("_", " ").strip() or name
    return Figure(label[:1].upper() + label[1:], UNITS.get(suffix, Unit(1, "")))


def shown(series: Series) -> Series:
    """A series in the unit that people read: JAM for micro-JAM."""
    unit = SHOWN_AS.get(series.unit)
    if unit is None:
        return series
    rows = tuple((row[0], *(_times(value, unit.factor) for value in row[1:])) for row in series.rows)
    return structs.replace(series, rows=rows, unit=unit.sign)


def _times(value: Number | str | None, factor: float) -> Number | str | None:
    return value * factor if isinstance(value, int | float) else value
