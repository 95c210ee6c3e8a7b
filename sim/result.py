"""What a run came to, in the form that everything after it reads: the report, the sweep, `--json`.

Figures are single numbers; a series is a table whose first column is what the others are drawn over. Names are stable
and lower case with underscores, units last (`honest_micro`, `converged_ms`): a sweep joins runs by them.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

SCHEMA: Final = "symjam.sim.result/1"

Number = int | float


class Series(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table to be drawn: each row is one place on the first column's axis. None is a gap."""

    name: str
    title: str
    words: str  # what one sees in it, for someone who has not seen the code
    columns: tuple[str, ...]
    rows: tuple[tuple[Number | str | None, ...], ...]
    unit: str = ""  # of the columns after the first
    kind: Literal["line", "bar", "table"] = "line"


class Broken(NamedTuple):
    """An invariant that did not hold: which, when, what was seen."""

    invariant: str
    at_us: int  # simulated, from the run's start
    words: str


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run."""

    scenario: str
    fidelity: Literal["network", "economy"]
    signatures: Literal["real", "shared", "cheap", "none"]  # see sim/crypto.py; printed wherever the run is shown
    seed: int
    nodes: int
    windows: int
    figures: dict[str, Number]
    series: tuple[Series, ...] = ()
    broken: tuple[Broken, ...] = ()
    replay: str = ""  # the command that runs exactly this again
    settings: dict[str, Number | str | bool] = {}  # what was asked for beyond scenario, nodes and seed
    fingerprint: str = ""  # of all inputs of all nodes (sim/trace.py); the same in every run of the same
    schema: Literal["symjam.sim.result/1"] = SCHEMA
