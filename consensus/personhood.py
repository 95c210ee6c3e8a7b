"""How much of a person each player is: SybilRank in integers (Cao et al., NSDI 2012; SPEC 8).

Keys are free, acquaintances are not. Trust starts at the founders and walks a few steps over edges, an edge being a
vouch in both directions. Inside a ring of made-up keys it can move as it likes, but it comes in over the edges to
people who were fooled, and in few steps only so much comes in over each. So what a ring weighs grows with the number
of such edges and not with the number of its keys; docs/attacks.md has the figures.

Two things differ from the paper. Everyone keeps one share of its own in each step: without that, trust in a network
that is still a star around its founder would be at the centre after even steps and at the points after odd ones. And
trust is not divided by degree at the end: that would make a ring weigh more the fewer edges it has inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from consensus.params import ONE_Q16, Params
from crdt.types import PlayerId

START_TRUST: Final = 2**32  # of each founder; all that is lost in division by degree stays far below one person

Graph = Mapping[PlayerId, frozenset[PlayerId]]


def graph_of(vouches: Iterable[tuple[PlayerId, PlayerId]]) -> Graph:
    """Who has an edge to whom: pairs (who vouches, for whom) that stand in both directions."""
    said = {(one, other) for one, other in vouches if one != other}
    found: dict[PlayerId, set[PlayerId]] = {}
    for one, other in said:
        if (other, one) in said:
            found.setdefault(one, set()).add(other)
    return {player: frozenset(found[player]) for player in sorted(found)}


def trust_of(graph: Graph, founders: Sequence[PlayerId], rounds: int) -> dict[PlayerId, int]:
    """Trust of everyone whom any reached. Its sum is that of the founders' start: nothing is lost or made."""
    trust = dict.fromkeys(founders, START_TRUST)
    for _ in range(rounds):
        after: dict[PlayerId, int] = {}
        for player, held in trust.items():
            friends = graph.get(player, frozenset())
            share = held // (len(friends) + 1)
            after[player] = after.get(player, 0) + held - share * len(friends)
            for friend in friends:
                after[friend] = after.get(friend, 0) + share
        trust = after
    return trust


def persons_q16(params: Params, graph: Graph) -> dict[PlayerId, int]:
    """How much of a person each player is, 1 to 65,536, players sorted; who is none is left out.

    One is what the median founder (the lower one of two) holds. Founders are persons in full, whatever they hold.
    Empty in a network without founders: there, everybody is a person.
    """
    if not params.founders:
        return {}
    trust = trust_of(graph, params.founders, params.rank_rounds)
    held = sorted(trust[founder] for founder in params.founders)
    reference = max(1, held[(len(held) - 1) // 2])
    persons = {player: min(ONE_Q16, trust[player] * ONE_Q16 // reference) for player in sorted(trust)}
    persons.update(dict.fromkeys(params.founders, ONE_Q16))
    return {player: person for player, person in persons.items() if person}
