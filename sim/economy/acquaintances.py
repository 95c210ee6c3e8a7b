"""Who knows whom, when an economy begins: honest people, and the keys of rings that fooled some of them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from crdt.errors import Misuse
from sim.economy.plan import Group, Shape, Society

NEXT_ONES = 50  # of a clique of many keys each knows so many: it makes no difference, and is done sooner
Edge = tuple[int, int]


def edge(one: int, other: int) -> Edge:
    """Two who know each other, lower number first."""
    return (one, other) if one < other else (other, one)


def among_people(people: Sequence[int], society: Society, chance: Random) -> set[Edge]:
    """Edges among people who know so many others on average, by chance or mostly in their circles."""
    if society.circle:
        return _in_circles(people, society, chance)
    found: set[Edge] = set()
    wanted = min(len(people) * society.friends // 2, len(people) * (len(people) - 1) // 2)
    while len(found) < wanted:
        found.add(edge(*chance.sample(people, 2)))
    return found


def _in_circles(people: Sequence[int], society: Society, chance: Random) -> set[Edge]:
    """Everybody knows some in its circle, and every second one somebody anywhere."""
    found: set[Edge] = set()
    for at, person in enumerate(people):
        first = at // society.circle * society.circle
        circle = [other for other in people[first : first + society.circle] if other != person]
        known = chance.sample(circle, min(len(circle), max(1, (society.friends - 1) // 2)))
        if at % 2:
            known.append(people[chance.randrange(len(people))])
        found.update(edge(person, other) for other in known if other != person)
    return found


def founders_of(people: Sequence[int], society: Society, chance: Random) -> list[int]:
    """Founders by chance; of circles as far apart as there are."""
    if society.circle:
        return [people[len(people) * n // society.founders] for n in range(society.founders)]
    return chance.sample(people, society.founders)


def of_ring(
    keys: Sequence[int], group: Group, people: Sequence[int], founders: Sequence[int], chance: Random
) -> set[Edge]:
    """Edges among the keys of a ring, and to the people whom it fooled. Who these are does not depend on how many keys
    there are: they come first from the chances."""
    if not keys:
        return set()
    ordinary, of_founders = [person for person in people if person not in founders], group.founders_fooled
    if group.edges > len(ordinary) or of_founders > len(founders):
        raise Misuse(f"{group.name}: there are not so many to be fooled: {len(ordinary)}, and {len(founders)} founders")
    fooled = chance.sample(ordinary, group.edges) + chance.sample(sorted(founders), of_founders)
    inner = _inner(keys, group)
    return inner | {edge(person, keys[n % len(keys)]) for n, person in enumerate(fooled)}


def _inner(keys: Sequence[int], group: Group) -> set[Edge]:
    many = len(keys)
    match group.inner:
        case Shape.CLIQUE:
            steps = range(1, min(many, NEXT_ONES + 1))
            return {edge(keys[a], keys[(a + n) % many]) for a in range(many) for n in steps if many > 1}
        case Shape.STAR:
            return {edge(keys[0], key) for key in keys[1:]}
        case Shape.PATH:
            return {edge(keys[a], keys[a + 1]) for a in range(many - 1)}
        case Shape.BRANCHES:
            heads = max(1, min(group.edges, many))
            inner = {edge(keys[a], keys[b]) for a in range(heads) for b in range(a)}
            return inner | {edge(keys[a % heads], keys[a]) for a in range(heads, many)}
