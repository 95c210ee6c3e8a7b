"""What happens to whom and when: a list of faults that depends on the seed alone.

Several nodes are down at once, faults begin while others still catch up from the last, and at the very end one node
is just coming out of a freeze, one out of a kill and one out of a cut cable, so that there is most to heal.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from random import Random
from typing import NamedTuple

DOWN_AT_ONCE = 3  # processes that are dead or frozen at one time
FREEZE_MS = 10_000
CALM_MS = 3_000  # at the beginning: nodes find each other
_GAP_MS = 1_600  # mean time from one fault to the next
_PAUSE_MS = 1_000  # least time between two faults of one kind on one node


class Kind(StrEnum):
    """What is done to a node; the first three to its process, the others to its cable."""

    KILL = "kill -9"
    FREEZE = "freeze"
    RESTART = "restart"
    CUT = "cut"
    SPLIT = "split"


CABLE = frozenset({Kind.CUT, Kind.SPLIT})
_LASTS_MS = {
    Kind.KILL: (500, 5_000),
    Kind.FREEZE: (FREEZE_MS, FREEZE_MS),
    Kind.RESTART: (100, 2_000),
    Kind.CUT: (1_000, 9_000),
    Kind.SPLIT: (2_000, 9_000),
}
_OFTEN = {Kind.KILL: 4, Kind.FREEZE: 2, Kind.RESTART: 2, Kind.CUT: 3, Kind.SPLIT: 1}


class Fault(NamedTuple):
    """One fault, from its beginning until it is undone. A split moves its nodes to a switch of their own."""

    at_ms: int
    kind: Kind
    nodes: tuple[int, ...]
    lasts_ms: int

    @property
    def ends_ms(self) -> int:
        """When it is undone."""
        return self.at_ms + self.lasts_ms


def plan(seed: int, nodes: int, seconds: int, cables: bool = True) -> list[Fault]:
    """Faults in the order of their beginnings; all are undone by the end, some only then."""
    chance = Random(seed)
    end_ms = seconds * 1_000
    done = list(_finale(chance, nodes, end_ms, cables))
    at_ms = CALM_MS
    while (at_ms := at_ms + int(chance.expovariate(1 / _GAP_MS))) < end_ms - _PAUSE_MS:
        kind = _choose(chance, cables)
        count = nodes // 2 if kind is Kind.SPLIT else chance.choice((1, 1, 1, 2, 3))
        whom = tuple(sorted(chance.sample(range(nodes), min(count, nodes - 1))))
        lasts_ms = chance.randint(*_LASTS_MS[kind])
        fault = Fault(at_ms, kind, whom, lasts_ms)
        if fault.ends_ms <= end_ms and _fits(fault, done, nodes):
            done.append(fault)
    return sorted(done)


def _choose(chance: Random, cables: bool) -> Kind:
    kinds = [kind for kind in Kind if cables or kind not in CABLE]
    return chance.choices(kinds, [_OFTEN[kind] for kind in kinds])[0]


def _finale(chance: Random, nodes: int, end_ms: int, cables: bool) -> Iterator[Fault]:
    last = [(Kind.FREEZE, FREEZE_MS), (Kind.KILL, 1_500), *([(Kind.CUT, 5_000)] if cables else [])]
    whom = chance.sample(range(nodes), min(len(last), nodes - 1))
    for (kind, lasts_ms), node in zip(last, whom, strict=False):
        if end_ms - lasts_ms > CALM_MS:
            yield Fault(end_ms - lasts_ms, kind, (node,), lasts_ms)


def _fits(fault: Fault, done: list[Fault], nodes: int) -> bool:
    """Whether none of its nodes suffers the like at that time, and enough nodes stay up."""
    cable = fault.kind in CABLE
    others = [f for f in done if (f.kind in CABLE) == cable and _overlap(f, fault)]
    busy = {node for f in others for node in f.nodes}
    if busy & set(fault.nodes) or (fault.kind is Kind.SPLIT and any(f.kind is Kind.SPLIT for f in others)):
        return False
    return cable or len(busy) + len(fault.nodes) <= min(DOWN_AT_ONCE, nodes - 1)


def _overlap(one: Fault, other: Fault) -> bool:
    return one.at_ms < other.ends_ms + _PAUSE_MS and other.at_ms < one.ends_ms + _PAUSE_MS
