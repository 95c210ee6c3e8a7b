"""The strategies by name: what a scenario may say of its people, and what `sim list` tells of them.

    [[people]]
    strategy = "faker"
    count = 3
    kind = "quantised"

Each is a struct of its options, decoded by msgspec with its name as the tag. What they do is in the modules beside.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from sim.people.player import Habits

Count = Annotated[int, Meta(ge=0, le=100_000)]
Share = Annotated[float, Meta(ge=0, le=1)]


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="strategy", kw_only=True):
    """Some people who are of one kind: how many, how they play, how many others they know and vouch for."""

    about: ClassVar[str] = ""
    count: Annotated[int, Meta(ge=1, le=100_000)] = 1
    habits: Habits = Habits()
    friends: Count = 0  # honest people that each vouches for
    refuses: tuple[Count, ...] = ()  # people by number in the scenario, whom these neither verify nor follow


class Honest(People, frozen=True, tag="honest"):
    """Plays, proposes by the rules, judges what it is drawn for."""

    about: ClassVar[str] = "plays, proposes by the rules, and judges what it is drawn to judge"


class Faker(People, frozen=True, tag="faker"):
    """A machine plays in its place, and it proposes whatever comes of it."""

    about: ClassVar[str] = (
        "a machine plays in its place: on the grid (quantised), with white noise (jittered, sd_ms), with noise that is "
        "remembered (drifting), with a drummer's template and 1/f noise (template), or a recording (replay)"
    )
    kind: Literal["quantised", "jittered", "drifting", "template", "replay"] = "quantised"
    sd_ms: Annotated[float, Meta(ge=0, le=1_000)] = 10.0  # of jittered, and of a replay's notes (there 0 is exact)
    source: Literal["own", "another"] = "own"  # whose template or recording
    shift_ms: Annotated[float, Meta(ge=-10_000, le=10_000)] = 0.0  # of a replay
    answers: Share = 0.0  # of its riffs, by a program that reads them


class Refuser(People, frozen=True, tag="refuser"):
    """Plays and earns, and never verifies anybody."""

    about: ClassVar[str] = "plays and proposes, and never verifies anybody"


class Lazy(People, frozen=True, tag="lazy"):
    """Votes yes without looking."""

    about: ClassVar[str] = "plays and proposes; says yes to everything without looking"


class Ring(People, frozen=True, tag="ring"):
    """Keys that attest one another whatever is played; each is a person, or passes for one."""

    about: ClassVar[str] = (
        "keys that say yes to one another whatever is played; their playing is a machine's, and of others they say "
        "what is true (honest), yes, no or nothing"
    )
    plays: Literal["quantised", "template", "honest"] = "quantised"
    others: Literal["honest", "yes", "no", "nothing"] = "honest"
    answers: Share = 0.0


class Sybils(People, frozen=True, tag="sybils"):
    """One person's many keys: a ring that so many honest people were made to vouch for."""

    about: ClassVar[str] = "one person's many keys, which attest one another; `edges` honest people vouch for them"
    edges: Count = 0
    plays: Literal["quantised", "template"] = "template"
    answers: Share = 1.0  # a program plays for all of them


class Withholder(People, frozen=True, tag="withholder"):
    """Keeps what it wrote to itself until it is too late to be judged."""

    about: ClassVar[str] = (
        "keeps what it played (log), or that and its blocks (all), from a share of the others until the vote's deadline"
    )
    kind: Literal["log", "all"] = "all"
    share: Share = 1.0  # of its peers, from whom
    every: Annotated[int, Meta(ge=1, le=1_000)] = 6  # of so many windows the first is withheld, which takes four or so


class Equivocator(People, frozen=True, tag="equivocator"):
    """Signs two entries at one number, and sends one to each half."""

    about: ClassVar[str] = "signs two different entries at one number, in the ledger or in a jam, one for each half"
    where: Literal["ledger", "jam"] = "ledger"
    at: Count = 2  # the window, counted from the run's start


class Flooder(People, frozen=True, tag="flooder"):
    """Sends far more than anybody may."""

    about: ClassVar[str] = (
        "sends its peers nonsense (garbage), questions (probes), hints, or signed entries of jams without end (entries)"
    )
    kind: Literal["garbage", "probes", "hints", "entries"] = "garbage"
    per_tick: Annotated[int, Meta(ge=1, le=10_000)] = 50
    at: Count = 1  # from this window on


Strategy = Honest | Faker | Refuser | Lazy | Ring | Sybils | Withholder | Equivocator | Flooder
STRATEGIES: Final[dict[str, type[People]]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (Honest, Faker, Refuser, Lazy, Ring, Sybils, Withholder, Equivocator, Flooder)
}
