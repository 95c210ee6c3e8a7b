"""What the simulator's commands print with `--json`, and which prints what. Results have their own modules."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from sim.joined import Sweep
from sim.result import Result
from sim.soak import Line


class Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario: how many play for how long by which rules, whose signatures are what, and who is there."""

    name: str
    title: str
    about: str
    fidelity: Literal["network", "economy"]
    nodes: int
    windows: int
    preset: str
    signatures: str
    who: list[str]


class Scenarios(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="schema", tag="symjam.sim.list/1"):
    """The scenarios that there are."""

    scenarios: list[Described]


class ReportPage(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="schema", tag="symjam.sim.report/1"
):
    """Where a report was written."""

    page: str


class BrokenLaw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invariant that did not hold: which, when in the run, what was seen."""

    invariant: str
    at_us: int
    words: str


class Shrunk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="schema", tag="symjam.sim.shrink/1"):
    """What is left of a failing run, after so many tries: the law that it breaks, the faults, and its command."""

    tries: int
    broken: BrokenLaw
    replay: str
    faults: list[str]


SAYS: Final[dict[str, Any]] = {
    "sim list": Scenarios,
    "sim run": Result,
    "sim sweep": Sweep,
    "sim report": ReportPage,
    "sim soak": Line,
    "sim shrink": Shrunk,
}
