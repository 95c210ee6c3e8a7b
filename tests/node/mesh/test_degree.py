"""How many links, and to whom: the rules, and three hundred nodes that follow them."""

from __future__ import annotations

import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.limits import LINKS_MAX, LINKS_MIN
from crdt.types import PlayerId
from node.mesh.degree import OLDEST_MAX, Degree, Kin, affinity, place

AWAY_ROUNDS = 60
DIALS_PER_ROUND = 16


def player(number: int) -> PlayerId:
    return PlayerId(number.to_bytes(32, "big"))


class Crowd:
    """Nodes that follow the plan, round by round. Each hears of the others at a moment of its own."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.links: dict[PlayerId, dict[PlayerId, None]] = {}  # the oldest first
        self.known: dict[PlayerId, set[PlayerId]] = {}
        self.away: dict[PlayerId, dict[PlayerId, int]] = {}
        self.kin: dict[PlayerId, Kin] = {}
        self.degrees: dict[PlayerId, Degree] = {}
        self.round = 0
        self.dials = self.parts = 0
        self.highest = 0
        for number in range(count):
            self.add(player(number))

    def add(self, who: PlayerId) -> None:
        self.links[who], self.known[who], self.away[who] = {}, set(), {}
        self.degrees[who] = Degree(who)

    def remove(self, who: PlayerId) -> None:
        """It dies without a word."""
        for other in self.links.pop(who):
            del self.links[other][who]
        for table in (self.known, self.away, self.degrees):
            table.pop(who)
        for known in self.known.values():
            known.discard(who)  # two failed attempts; the dialler's business

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            self.round += 1
            for who in self.chance.sample(list(self.links), len(self.links)):
                self._hear(who)
                self._follow(who)
            self.highest = max(self.highest, *map(len, self.links.values()))

    def _hear(self, who: PlayerId) -> None:
        """mDNS: a part of those not known yet, so that views differ for the first rounds."""
        strangers = [one for one in self.links if one != who and one not in self.known[who]]
        self.known[who].update(self.chance.sample(strangers, (len(strangers) + 1) // 2))

    def _follow(self, who: PlayerId) -> None:
        away = {one for one, until in self.away[who].items() if until > self.round}
        just = {one for one in away if self.away[who][one] - self.round > AWAY_ROUNDS // 2 - 5}
        plan = self.degrees[who].plan(list(self.links[who]), self.known[who], self.kin.get(who, Kin()), away, just)
        for other in plan.part:
            self.parts += 1
            del self.links[who][other], self.links[other][who]
            until = self.round + self.chance.randint(AWAY_ROUNDS // 2, AWAY_ROUNDS * 3 // 2)
            self.away[who][other] = self.away[other][who] = until
        for other in sorted(plan.dial)[:DIALS_PER_ROUND]:
            if other in self.links:
                self.dials += 1
                self.links[who][other] = self.links[other][who] = None

    def reach(self, start: PlayerId) -> dict[PlayerId, int]:
        """Hops from one node to each that it can reach."""
        hops, queue = {start: 0}, deque([start])
        while queue:
            here = queue.popleft()
            for other in self.links[here]:
                if other not in hops:
                    hops[other] = hops[here] + 1
                    queue.append(other)
        return hops

    def diameter(self) -> int:
        """AssertionError when the graph is not connected."""
        far = 0
        for start in self.links:
            hops = self.reach(start)
            assert len(hops) == len(self.links), f"{len(hops)} of {len(self.links)} reached"
            far = max(far, *hops.values())
        return far

    def degrees_now(self) -> list[int]:
        return sorted(map(len, self.links.values()))


def test_three_hundred_nodes_come_to_rest_connected_and_within_bounds() -> None:
    crowd = Crowd(300)
    crowd.run(15)
    assert crowd.diameter() <= 5
    degrees = crowd.degrees_now()
    assert degrees[0] >= LINKS_MIN - 2
    assert degrees[-1] <= LINKS_MAX + 2
    crowd.dials = crowd.parts = 0
    crowd.run(10)
    assert crowd.dials + crowd.parts < 300 / 10, "still choosing"
    assert crowd.diameter() <= 5


def test_churn_neither_splits_nor_unsettles_them() -> None:
    """A tenth dies and a tenth comes, again and again; soon after, all are linked within bounds."""
    crowd = Crowd(300)
    crowd.run(10)
    for wave in range(3):
        for who in crowd.chance.sample(list(crowd.links), 30):
            crowd.remove(who)
        for number in range(30):
            crowd.add(player(1_000 * (wave + 1) + number))
        crowd.run(6)
        assert crowd.diameter() <= 5
        degrees = crowd.degrees_now()
        assert degrees[0] >= LINKS_MIN // 2
        assert degrees[-1] <= LINKS_MAX + 2
    assert crowd.highest < 64


def test_half_of_them_gone_at_once() -> None:
    crowd = Crowd(300)
    crowd.run(10)
    for who in crowd.chance.sample(list(crowd.links), 150):
        crowd.remove(who)
    crowd.run(10)
    assert crowd.diameter() <= 5


def test_those_of_one_jam_are_linked_directly() -> None:
    crowd = Crowd(120)
    band = [player(7 * number) for number in range(8)]
    for who in band:
        crowd.kin[who] = Kin(band[0], frozenset(band))
    crowd.run(20)
    for who in band:
        assert set(band) - {who} <= set(crowd.links[who])
    assert crowd.diameter() <= 5


def test_of_a_jam_larger_than_a_node_has_links_for_all_reach_the_creator() -> None:
    """As many as the creator has links for, directly; nobody falls out of the mesh over it."""
    crowd = Crowd(80)
    choir = [player(number) for number in range(40)]
    for who in choir:
        crowd.kin[who] = Kin(choir[0], frozenset(choir))
    crowd.run(30)
    assert crowd.diameter() <= 5
    assert len(crowd.links[choir[0]]) >= LINKS_MIN


@pytest.mark.parametrize("count", [2, 3, 5, LINKS_MIN + 1])
def test_a_band_is_linked_each_with_each(count: int) -> None:
    crowd = Crowd(count)
    crowd.run(5)
    assert crowd.degrees_now() == [count - 1] * count
    assert crowd.parts == 0


def test_whoever_was_asked_to_stay_away_is_not_dialled_unless_the_ring_needs_it() -> None:
    me, others = player(0), [player(number) for number in range(1, 200)]
    degree = Degree(me)
    wanted = degree.plan((), others).dial
    assert len(wanted) >= LINKS_MIN
    ring = degree.plan(others[:LINKS_MIN], others).dial | degree.plan((), others, away=others).dial
    assert len(degree.plan((), others, away=wanted).dial & wanted) <= 2
    assert degree.plan((), others, away=others).dial <= ring


def test_the_least_wanted_leaves_first() -> None:
    me = player(0)
    linked = [player(number) for number in range(1, LINKS_MAX + 4)]
    kin = Kin(linked[0], frozenset(linked[:OLDEST_MAX]))
    plan = Degree(me).plan(linked, (), kin)
    assert len(plan.part) == 3
    assert not set(plan.part) & set(linked[:OLDEST_MAX])
    stay = set(linked) - set(plan.part)
    by_chance = [one for one in stay if one not in kin.players]
    least = [affinity(me, one) for one in plan.part]
    assert least == sorted(least, reverse=True)
    assert sum(affinity(me, one) > least[-1] for one in by_chance) <= 2  # but the neighbours on the ring


def test_keys_made_up_to_please_push_out_no_old_link() -> None:
    """Else a hundred keys and a minute of hashing would surround any node with oneself."""
    me, friends = player(0), [player(number) for number in range(1, 9)]
    pleasing = sorted((player(1_000 + number) for number in range(3_000)), key=lambda one: affinity(me, one))[:40]
    plan = Degree(me).plan([*friends, *pleasing], ())
    assert len(plan.part) == len(friends) + len(pleasing) - LINKS_MAX
    assert not set(plan.part) & set(friends[:OLDEST_MAX])


def test_affinity_is_mutual_and_places_differ() -> None:
    assert affinity(player(1), player(2)) == affinity(player(2), player(1)) != affinity(player(1), player(3))
    assert len({place(player(number)) for number in range(100)}) == 100


@settings(max_examples=100)
@given(
    st.sets(st.integers(1, 60), max_size=40),
    st.sets(st.integers(1, 60), max_size=60),
    st.sets(st.integers(0, 60), max_size=30),
    st.sets(st.integers(0, 60), max_size=30),
)
def test_no_plan_contradicts_itself(linked: set[int], known: set[int], mates: set[int], away: set[int]) -> None:
    me = player(0)
    links = {player(number) for number in linked}
    kin = Kin(player(min(mates)) if mates else None, frozenset(map(player, mates)))
    plan = Degree(me).plan(list(links), set(map(player, known | {0})), kin, set(map(player, away)))
    assert me not in plan.dial
    assert me not in plan.part
    assert not plan.dial & links
    assert set(plan.part) <= links
    assert len(links) - len(plan.part) <= LINKS_MAX
    assert not (plan.part and len(links) <= LINKS_MAX)
