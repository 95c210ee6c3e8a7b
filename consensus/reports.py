"""When reports put a player under review (SPEC 8).

One reporter may be an enemy, and three may be one enemy's friends. So it takes several who are unrelated: no two have
an edge, nor anybody in common to whom both have one. A review is no fine: for some epochs all tranches are open for
the player's blocks, and more people look.
"""

from __future__ import annotations

from collections.abc import Iterable

from consensus.params import Params
from consensus.personhood import Graph
from crdt.types import Epoch, PlayerId


def are_related(graph: Graph, one: PlayerId, other: PlayerId) -> bool:
    """Whether two have an edge, or somebody to whom both have one. Everyone is related to itself."""
    mine, theirs = graph.get(one, frozenset()), graph.get(other, frozenset())
    return one == other or other in mine or not mine.isdisjoint(theirs)


def unrelated(graph: Graph, players: Iterable[PlayerId]) -> tuple[PlayerId, ...]:
    """Of these players, by key, each one that is related to none of those taken before it."""
    taken: list[PlayerId] = []
    for player in sorted(set(players)):
        if not any(are_related(graph, player, earlier) for earlier in taken):
            taken.append(player)
    return tuple(taken)


def is_reviewed(params: Params, graph: Graph, reporters: Iterable[PlayerId]) -> bool:
    """Whether those who reported a player in one epoch, each of some weight, are enough to look closely."""
    return len(unrelated(graph, reporters)) >= params.reporters_min


def review_of(params: Params, reported_in: Epoch) -> list[Epoch]:
    """The epochs whose windows are looked at closely after enough reports in one."""
    return [Epoch(at) for at in range(reported_in + 1, reported_in + params.review_epochs + 1)]
