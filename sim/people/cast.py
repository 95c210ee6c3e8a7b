"""Who is in a run: a policy for each of a scenario's people, who know one another or were fooled, from one seed.

People are numbered in the order of the tables, the first table's first. Friends are drawn among those who are honest
persons (a ring's members pass for ones); the keys of `sybils` know one another, and so many honest people vouch for
them as the table says, each for another key in turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import Final

from crdt.errors import Misuse
from crdt.types import PlayerId, Window
from sim.people.cheats import FakerPolicy, LazyPolicy, RefuserPolicy, RingPolicy
from sim.people.options import (
    Equivocator,
    Faker,
    Flooder,
    Honest,
    Lazy,
    People,
    Refuser,
    Ring,
    Sybils,
    Withholder,
)
from sim.people.policy import Policy, Role
from sim.people.wire import EquivocatorPolicy, FlooderPolicy, WithholderPolicy

POLICIES: Final[dict[type[People], type[Policy]]] = {
    Honest: Policy,
    Faker: FakerPolicy,
    Refuser: RefuserPolicy,
    Lazy: LazyPolicy,
    Ring: RingPolicy,
    Sybils: RingPolicy,
    Withholder: WithholderPolicy,
    Equivocator: EquivocatorPolicy,
    Flooder: FlooderPolicy,
}
RING_KNOWS: Final = 10  # members that a member of a ring, or a key of a farm, vouches for at most


def policy(role: Role, options: People) -> Policy:
    """Somebody of a kind."""
    return POLICIES[type(options)](role, options)


def cast(seed: int, tables: Sequence[People], players: Sequence[PlayerId], first: Window) -> list[Policy]:
    """Policies for the players, in their order. Misuse when the tables ask for another number of people."""
    of = [number for number, table in enumerate(tables) for _ in range(table.count)]
    if len(of) != len(players):
        raise Misuse(f"the tables name {len(of)} people, and there are {len(players)} players")
    knows = _acquaintances(Random(f"{seed}/acquaintances"), tables, of, players)
    return [
        policy(
            Role(
                name=f"{seed}/{number}",
                player=player,
                number=number,
                first=first,
                members=frozenset(other for other, at in zip(players, of, strict=True) if at == of[number]),
                knows=tuple(sorted(knows[player])),
                refused=frozenset(players[refused] for refused in tables[of[number]].refuses),
            ),
            tables[of[number]],
        )
        for number, player in enumerate(players)
    ]


def _acquaintances(
    chance: Random, tables: Sequence[People], of: Sequence[int], players: Sequence[PlayerId]
) -> dict[PlayerId, set[PlayerId]]:
    """Who vouches for whom."""
    knows: dict[PlayerId, set[PlayerId]] = defaultdict(set)
    persons = [player for player, at in zip(players, of, strict=True) if not isinstance(tables[at], Sybils)]
    honest = [player for player, at in zip(players, of, strict=True) if not isinstance(tables[at], Sybils | Ring)]
    for player, at in zip(players, of, strict=True):
        others = [other for other in persons if other != player]
        for friend in chance.sample(others, min(tables[at].friends, len(others))):
            knows[player].add(friend)
            knows[friend].add(player)
    for at, table in enumerate(tables):
        if isinstance(table, Ring | Sybils):
            keys = [player for player, number in zip(players, of, strict=True) if number == at]
            for key in keys:
                others = [other for other in keys if other != key]
                knows[key].update(chance.sample(others, min(RING_KNOWS, len(others))))
            edges = table.edges if isinstance(table, Sybils) else 0
            for number, fooled in enumerate(chance.sample(honest, min(edges, len(honest)))):
                knows[fooled].add(keys[number % len(keys)])
                knows[keys[number % len(keys)]].add(fooled)
    return knows
