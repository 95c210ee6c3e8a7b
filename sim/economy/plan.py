"""What is played in an economy: groups of players, what each does, whom they know. Read from a small file.

Chances and shares are floats from 0 to 1: nothing here is signed or folded.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from consensus.params import Params, preset
from crdt.errors import Misuse
from sim.people.odds import ODDS

Chance = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
HONEST = "honest"


class Answer(StrEnum):
    """What somebody who was drawn says of a block."""

    LOOK = "look"  # and say what there is to be seen
    YES = "yes"
    NO = "no"
    SILENT = "silent"


class Shape(StrEnum):
    """How the keys of a ring vouch for one another."""

    CLIQUE = "clique"  # of many keys each with its fifty next ones
    STAR = "star"
    PATH = "path"
    BRANCHES = "branches"  # a clique of those keys that fooled somebody, the others hang on them


class Fake(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Playing that is none."""

    caught: Chance  # that whoever looks sees it
    together: bool = False  # all who look see the same, as they do who run the same function: then it is of windows
    lies: bool = False  # it claims what anybody can work out to be false, which costs stake


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Players who are alike."""

    name: str
    count: Count
    plays: Chance = 0.3  # in a window in which one is there
    fake: Fake | None = None  # what it plays instead of playing
    like: str = ""  # plays, and is judged, as sim/people/odds.py has measured of these; see Crowd
    friends: Answer = Answer.LOOK  # at blocks of the same group
    strangers: Answer = Answer.LOOK
    silent: Chance = 0.02  # drawn and there, but nothing is heard
    mistaken: Chance = 0.0  # sees a fault where there is none
    quality: tuple[Chance, Chance] = (0.7, 0.95)  # of one's playing, as able as one is
    riff: Chance = 0.8  # played, when one plays
    stays: Annotated[float, Meta(ge=1)] = 90.0  # windows that one is there, on average
    away: Annotated[float, Meta(ge=0)] = 0.0  # windows that one is not, between
    is_vouched: bool = True  # known to honest people like any other
    edges: Count = 0  # people who were fooled, when not; no founders among them, but for the next
    founders_fooled: Count = 0
    inner: Shape = Shape.CLIQUE
    stakes: Chance = 0.0  # of what is free, after each epoch
    since: Count = 0  # the window from which it does as said here; honest before


class Society(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who knows whom when it begins, and how that grows. Without founders nobody asks."""

    founders: Count = 4
    friends: Annotated[int, Meta(ge=1, le=1_000)] = 8  # of each, on average
    circle: Count = 0  # people live in circles of so many; 0: everybody meets everybody
    rooms: Annotated[int, Meta(ge=1, le=10_000)] = 1
    moves: Chance = 0.0  # to another room, each window
    meets: Chance = 0.0  # comes to know somebody in one's room, each epoch


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One economy."""

    name: str
    words: str
    windows: Annotated[int, Meta(ge=1, le=10_000)]
    groups: tuple[Group, ...]
    society: Society = Society()
    preset: str = "main"
    rules: dict[str, int | bool] = {}  # numbers of consensus/params.py that are others here
    tale: Literal["", "decay", "game", "imitation"] = ""  # something else than a town is played: sim/economy/stories.py
    is_settled: bool = True  # all know one another and were there for two epochs before the first window

    @property
    def players(self) -> int:
        """Of all groups."""
        return sum(group.count for group in self.groups)

    @property
    def measured_from(self) -> int:
        """The first window in which all groups do what they are for."""
        return max(group.since for group in self.groups)

    def params(self) -> Params:
        """The rules, without founders' keys. Misuse for a number that there is not."""
        base = preset(self.preset)
        unknown = sorted(self.rules.keys() - set(Params.__struct_fields__))
        if unknown:
            raise Misuse(f"no such rule: {', '.join(unknown)}")
        return msgspec.structs.replace(base, **self.rules)


def checked(plan: Plan) -> Plan:
    """The plan, or Misuse: somebody must be honest, names differ, founders are honest."""
    names = [group.name for group in plan.groups]
    if HONEST not in names or len(set(names)) != len(names):
        raise Misuse("a plan has a group named 'honest', and no name twice")
    honest = next(group for group in plan.groups if group.name == HONEST)
    if honest.count < max(2, plan.society.founders):
        raise Misuse("there are too few honest players to be two, or to be the founders")
    plan.params()
    unknown = sorted({group.like for group in plan.groups} - {"", *ODDS[plan.preset]})
    if unknown:
        raise Misuse(
            f"nobody has measured how {', '.join(unknown)} is judged; there are {', '.join(ODDS[plan.preset])}"
        )
    return plan
