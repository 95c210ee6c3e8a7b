"""What a run in `network` fidelity is: who is there, over which network, by which rules, with which faults.

Each is a table of a scenario's file (sim/scenario.py), and what is not said there stands here.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from consensus.params import PRESETS, Params
from sim.case import numbers_in
from sim.crypto import Kind as Signatures
from sim.faults import Fault, Kind, plan
from sim.network import Gossip, Line
from sim.people.options import Strategy

LEAD_US: Final = 3_000_000  # before the first window: nodes meet, and somebody opens the jam

Share = Annotated[float, Meta(ge=0, le=1)]


class Mesh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is linked with whom, and what links are like."""

    links: Annotated[int, Meta(ge=0, le=64)] = 0  # of a node, about; 0: everyone with everyone
    line: Line = Line()
    gossip: Gossip = Gossip()


class Clocks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far from true time nodes begin, and how fast they drift; each its own, evenly, either way."""

    offset_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    drift_ppm: Annotated[int, Meta(ge=0, le=500)] = 0


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Kinds of faults (sim/faults.py), drawn from the seed."""

    kinds: tuple[Kind, ...] = ()
    intensity: Annotated[float, Meta(ge=0, le=100)] = 1.0
    until: Share = 0.8  # of the run; after that nothing new goes wrong
    left_out: int | str = ""  # numbers of faults and splits that do not happen, with commas


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share of the nodes by themselves, from the beginning of a window for so many."""

    at: Annotated[float, Meta(ge=0, le=10_000)]
    windows: Annotated[float, Meta(gt=0, le=10_000)]
    share: Share = 0.5


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of the result, and between what it has to lie."""

    figure: str
    least: float | None = None
    most: float | None = None


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run in which every node has its engine."""

    people: Annotated[tuple[Strategy, ...], Meta(min_length=1, max_length=64)]
    nodes: Annotated[int, Meta(ge=1, le=2_000)]
    windows: Annotated[int, Meta(ge=1, le=10_000)]
    preset: Literal["main", "small"] = "small"
    rules: dict[str, Any] = {}  # numbers of consensus/params.py that are others here
    founders: Annotated[int, Meta(ge=0, le=256)] = 0  # the first so many players
    signatures: Signatures = "real"
    tick_ms: Annotated[int, Meta(ge=10, le=2_000)] = 50
    handful_ms: Annotated[int, Meta(ge=0, le=2_000)] = 250  # notes of so long go into one entry
    tempo_bpm: Annotated[int, Meta(ge=30, le=300)] = 100
    settle_s: Annotated[int, Meta(ge=1, le=3_600)] = 30  # in which all must hold the same once nothing goes wrong
    mesh: Mesh = Mesh()
    clocks: Clocks = Clocks()
    faults: Faults = Faults()
    splits: tuple[Split, ...] = ()
    checks: bool = True  # that the laws of sim/checks are looked after; it costs time
    expected: tuple[Expected, ...] = ()

    def params(self, founders: tuple[bytes, ...] = ()) -> Params:
        """Its rules."""
        changed = {**msgspec.structs.asdict(PRESETS[self.preset]), **self.rules, "founders": founders}
        return msgspec.convert(tuple(changed.values()), Params)

    def plan(self, seed: int) -> tuple[Fault, ...]:
        """What goes wrong with this seed, splits last; what is left out does not count any more."""
        left_out = set(numbers_in(str(self.faults.left_out)))
        every = (*self._drawn(seed), *self._splits())
        return tuple(fault for number, fault in enumerate(every) if number not in left_out)

    def _drawn(self, seed: int) -> tuple[Fault, ...]:
        faults, seconds = self.faults, self.windows * self.params().window_s
        if not faults.kinds:
            return ()
        return plan(seed, self.nodes, int(seconds * faults.until), faults.kinds, faults.intensity)

    def _splits(self) -> tuple[Fault, ...]:
        window_ms, lead_ms = self.params().window_us // 1_000, LEAD_US // 1_000
        return tuple(
            Fault(
                lead_ms + int(split.at * window_ms),
                int(split.windows * window_ms),
                Kind.SPLIT,
                tuple(range(round(self.nodes * split.share))),
            )
            for split in self.splits
        )
