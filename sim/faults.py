"""What goes wrong, when, and with whom: a list of faults that follows from a seed alone.

Each kind has its rate, and its own stream of chance, so that leaving one kind out moves no fault of another: that is
what lets `symjam sim shrink` take faults away one by one. A fault lasts from `at_ms` to `ends_ms`, and all are undone
by the end. Up to a third of the nodes, at least one, are down at one time; cables and clocks fail on their own account.

The first faults come when the nodes have met (`CALM_MS`), and several still last until the end, so that there
is most to heal when the time for healing begins (sim/checks/healed.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple

from crdt.errors import Misuse

CALM_MS: Final = 5_000  # at the beginning: nodes find each other
PAUSE_MS: Final = 1_000  # least time between two faults on the same thing
FAULTS_MAX: Final = 10_000
_TRIES_PER_FAULT: Final = 4


class Kind(StrEnum):
    """What is done to a node, to its cable, or to its clock."""

    KILL = "kill"  # kill -9, and started again
    STORM = "storm"  # killed again and again, each time as soon as it is up
    POWER = "power"  # the machine loses power: what was not synced is gone
    DISK_ERROR = "disk-error"  # a write fails; the process ends and is started again
    DISK_FULL = "disk-full"  # writes fail until there is room again
    FREEZE = "freeze"  # SIGSTOP, a closed laptop
    LEAVE = "leave"  # away for long, then back
    LATE = "late"  # comes for the first time only now
    CUT = "cut"  # its cable is pulled
    DEAF = "deaf"  # it is heard and hears nobody
    MUTE = "mute"  # it hears and nobody hears it
    SPLIT = "split"  # half of the mesh by itself
    SLOW = "slow"  # its cable carries little, late
    LOSS = "loss"  # frames of its cable are lost; most are sent again by what carries them
    DUPLICATES = "duplicates"  # gossip comes twice
    REORDER = "reorder"  # frames of its cable overtake each other
    SKEW = "skew"  # its clock runs off by seconds
    JUMP = "jump"  # its clock is set wrong by up to minutes, and back


PROCESS: Final = (
    Kind.KILL, Kind.STORM, Kind.POWER, Kind.DISK_ERROR, Kind.DISK_FULL, Kind.FREEZE, Kind.LEAVE, Kind.LATE,
)  # fmt: skip
CABLE: Final = (Kind.CUT, Kind.DEAF, Kind.MUTE, Kind.SPLIT)
QUALITY: Final = (Kind.SLOW, Kind.LOSS, Kind.DUPLICATES, Kind.REORDER)
CLOCK: Final = (Kind.SKEW, Kind.JUMP)
ALL: Final = frozenset(Kind)


class _Manner(NamedTuple):
    """How often a kind comes (mean seconds between two in a mesh of sixteen), how long it lasts, how strong it is."""

    every_s: int
    lasts_ms: tuple[int, int]
    amount: tuple[int, int] = (0, 0)


_MANNERS: Final = {
    Kind.KILL: _Manner(40, (500, 8_000)),
    Kind.STORM: _Manner(500, (5_000, 20_000), (300, 1_500)),  # milliseconds of each life
    Kind.POWER: _Manner(120, (2_000, 30_000), (0, 3)),  # writes beyond the last sync that the disk kept
    Kind.DISK_ERROR: _Manner(300, (1_000, 5_000)),
    Kind.DISK_FULL: _Manner(400, (5_000, 60_000)),
    Kind.FREEZE: _Manner(80, (1_000, 30_000)),
    Kind.LEAVE: _Manner(300, (120_000, 900_000)),
    Kind.LATE: _Manner(0, (0, 0)),
    Kind.CUT: _Manner(60, (500, 20_000)),
    Kind.DEAF: _Manner(150, (1_000, 15_000)),
    Kind.MUTE: _Manner(150, (1_000, 15_000)),
    Kind.SPLIT: _Manner(400, (5_000, 240_000)),
    Kind.SLOW: _Manner(150, (5_000, 60_000), (100, 2_000)),  # milliseconds of delay
    Kind.LOSS: _Manner(150, (5_000, 60_000), (10, 300)),  # of a thousand frames
    Kind.DUPLICATES: _Manner(200, (5_000, 60_000), (100, 1_000)),
    Kind.REORDER: _Manner(200, (5_000, 60_000), (10, 300)),
    Kind.SKEW: _Manner(200, (10_000, 300_000), (-5_000, 5_000)),  # milliseconds
    Kind.JUMP: _Manner(500, (5_000, 120_000), (-180_000, 180_000)),
}


class Fault(NamedTuple):
    """One fault, from its beginning until it is undone; `amount` means what its kind says."""

    at_ms: int
    lasts_ms: int
    kind: Kind
    nodes: tuple[int, ...]
    amount: int = 0

    @property
    def ends_ms(self) -> int:
        """When it is undone."""
        return self.at_ms + self.lasts_ms

    def words(self) -> str:
        """As one line for a person."""
        whom = ", ".join(map(str, self.nodes))
        amount = f" {self.amount}" if self.amount else ""
        return f"{self.at_ms / 1000:.1f}-{self.ends_ms / 1000:.1f} s: {self.kind}{amount} of {whom}"


def plan(
    seed: int, nodes: int, seconds: int, kinds: Iterable[Kind] = ALL, intensity: float = 1.0, scale: float = 1.0
) -> tuple[Fault, ...]:
    """Faults in the order of their beginnings, all undone by the end of `seconds`.

    `intensity` multiplies how many there are; `scale` how long they last and how far clocks go (a preset of short
    windows wants short ones).
    """
    if nodes < 1 or seconds < 0 or intensity < 0 or scale <= 0:
        raise Misuse("faults want at least one node, and neither time nor intensity below zero")
    wanted = sorted(set(kinds))
    drawn = sorted(
        fault
        for kind in wanted
        for fault in _draw(Random(f"faults {seed} {kind}"), kind, nodes, seconds * 1_000, intensity, scale)
    )
    done: list[Fault] = []
    for fault in drawn:
        if len(done) < FAULTS_MAX and _fits(fault, done, nodes):
            done.append(fault)
    return tuple(done)


def _draw(chance: Random, kind: Kind, nodes: int, end_ms: int, intensity: float, scale: float) -> list[Fault]:
    """What one kind would like to do; some of it does not fit beside what others do."""
    if kind is Kind.LATE:
        return _latecomers(chance, nodes, end_ms, intensity)
    manner = _MANNERS[kind]
    if intensity == 0:
        return []
    gap_ms = manner.every_s * 1_000 * scale * 16 / nodes / intensity
    found: list[Fault] = []
    at_ms = CALM_MS
    while (at_ms := at_ms + 1 + int(chance.expovariate(1 / gap_ms))) < end_ms - PAUSE_MS:
        count = max(1, nodes // 2) if kind is Kind.SPLIT else min(nodes, chance.choice((1, 1, 1, 2, 3)))
        whom = tuple(sorted(chance.sample(range(nodes), count)))
        lasts_ms = max(200, int(chance.randint(*manner.lasts_ms) * scale))
        amount = chance.randint(*manner.amount)
        if kind in CLOCK:
            amount = int(amount * scale)
        found.append(Fault(at_ms, min(lasts_ms, end_ms - at_ms), kind, whom, amount))
    return found


def _latecomers(chance: Random, nodes: int, end_ms: int, intensity: float) -> list[Fault]:
    """Up to a quarter of the nodes are not there at the beginning: a fault from the start until they come."""
    count = min(nodes // 4, int(nodes / 8 * intensity + chance.random()))
    whom = sorted(chance.sample(range(nodes), count))
    return [Fault(0, chance.randint(0, end_ms * 3 // 4), Kind.LATE, (node,)) for node in whom]


def _fits(fault: Fault, done: list[Fault], nodes: int) -> bool:
    """Whether none of its nodes suffers the like at that time, and enough nodes stay up."""
    group = next(group for group in (PROCESS, CABLE, QUALITY, CLOCK) if fault.kind in group)
    others = [other for other in done if other.kind in group and _overlap(other, fault)]
    busy = {node for other in others for node in other.nodes}
    if busy & set(fault.nodes) or (fault.kind is Kind.SPLIT and any(o.kind is Kind.SPLIT for o in others)):
        return False
    if group is PROCESS and fault.kind is not Kind.LATE:
        return len(busy) + len(fault.nodes) <= max(1, nodes // 3)
    return True


def _overlap(one: Fault, other: Fault) -> bool:
    return one.at_ms < other.ends_ms + PAUSE_MS and other.at_ms < one.ends_ms + PAUSE_MS


def parse_kinds(words: str) -> frozenset[Kind]:
    """Kinds from words with commas: `all`, `none`, or their names, also with `-` before one to leave it out. Misuse
    for a word that is none."""
    chosen: set[Kind] = set()
    names = [word.strip() for word in words.split(",") if word.strip()]
    if names and names[0].startswith("-"):
        chosen = set(ALL)
    for name in names:
        kinds = ALL if name == "all" else frozenset() if name == "none" else frozenset({_kind(name.lstrip("-"))})
        chosen = chosen - kinds if name.startswith("-") else chosen | kinds
    return frozenset(chosen)


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        raise Misuse(f"no fault is named {name!r}; there are {', '.join(Kind)}") from None
