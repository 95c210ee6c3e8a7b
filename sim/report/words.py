"""Figures as people read them: what a name means, in which unit, and how the number is written.

Names carry their unit at the end (sim/result.py), so a figure that is not known here is still shown with its unit;
those known get a sentence.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import structs

from sim.report.ticks import Number, full
from sim.result import Series


class Unit(NamedTuple):
    """How numbers of a suffix are shown: times the factor, then the sign."""

    factor: float
    sign: str


# The longest suffix that fits counts.
UNITS: Final = {
    "_micro": Unit(1e-6, "JAM"),
    "_us": Unit(1e-3, "ms"),
    "_per_wall_s": Unit(1, "per second of real time"),
    "_per_node_s": Unit(1, "per node and second"),
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


# What figures mean, by their whole name or by its end: what is before that is a group of players.
MEANS: Final = {
    "simulated_s": "time that passed in the world",
    "inputs": "everything that any node was given: frames, hints, ticks, what its player did",
    "deliveries": "frames and hints that reached a node",
    "frames": "frames given to links",
    "frames_dropped": "frames that were lost, or that no queue had room for",
    "wall_s": "real time that it took",
    "run_wall_s": "real time that it took",
    "memory_per_node_bytes": "memory of the process, for each node of it",
    "entries": "signed entries that a node holds in the end",
    "events": "notes in them",
    "equivocations": "authors that contradicted themselves, and were found out",
    "refused": "things that a node refused to take",
    "final_epochs": "epochs that nothing can change any more",
    "supply_micro": "all coins there are in the end",
    "blocks": "blocks proposed",
    "votes": "votes on them",
    "finalised_share": "of honest players' blocks, how many were accepted",
    "others_accepted": "blocks of players who are not honest that were accepted",
    "paid_micro": "what accepted blocks were paid",
    "converged": "1: in the end all honest nodes held the same",
    "converged_ms": "how long after the last note until they did; of runs in which they did",
    "faults": "faults that were put in",
    "signatures_verified": "of entries; what was known already is not counted again",
    "minted_micro": "coins made",
    "burned_micro": "coins lost by slashing and fees",
    "ops": "operations in the ledger",
    "honest_each_micro": "what an honest player got",
    "honest_finalised": "of honest players' blocks, how many were accepted",
    "mean_w": "how unfamiliar verifiers are with whom they verify: 1 strangers, 0 always the same",
    "_own_over_honest": "what the whole group got for its own blocks, over what one honest player got for everything",
    "_all_over_honest": "what the whole group got for everything, over what one honest player got",
    "_own_each": "a head's income from the group's own blocks, over an honest player's income",
    "_all_each": "a head's income, over an honest player's",
    "_burned_micro": "coins it lost by slashing",
    "_fakes_accepted": "of what it faked, how much was accepted",
    "_accepted": "of its blocks, how many were accepted",
    "_fabricated": "of its blocks, how many were found to be made up",
    "_persons": "what it weighs, in persons: one founder without a stake is one",
    "_weight_share": "its part of all weight",
}


class Figure(NamedTuple):
    """A figure as it is shown."""

    label: str
    unit: Unit
    means: str

    def shown(self, value: Number) -> str:
        """With its unit, as in a table."""
        return f"{self.number(value)} {self.unit.sign}".strip()

    def number(self, value: Number) -> str:
        """Without it."""
        return full(value if self.unit.factor == 1 else value * self.unit.factor)


def figure(name: str) -> Figure:
    """How to show the figure of that name."""
    suffix = max((end for end in UNITS if name.endswith(end)), key=len, default="")
    label = (name.removesuffix(suffix) if suffix else name).replace("_", " ").strip() or name
    end = max((end for end in MEANS if end.startswith("_") and name.endswith(end)), key=len, default="")
    means = MEANS.get(name) or MEANS.get(end, "")
    return Figure(label[:1].upper() + label[1:], UNITS.get(suffix, Unit(1, "")), means)


def shown(series: Series) -> Series:
    """A series in the unit that people read: JAM for micro-JAM."""
    unit = SHOWN_AS.get(series.unit)
    if unit is None:
        return series
    rows = tuple((row[0], *(_times(value, unit.factor) for value in row[1:])) for row in series.rows)
    return structs.replace(series, rows=rows, unit=unit.sign)


def _times(value: Number | str | None, factor: float) -> Number | str | None:
    return value * factor if isinstance(value, int | float) else value
