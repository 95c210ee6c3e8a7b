"""Who knows whom: as many as asked for, no founder fooled unasked, the same people for rings of other sizes."""

from __future__ import annotations

from random import Random

import pytest

from crdt.errors import Misuse
from sim.economy.acquaintances import among_people, founders_of, of_ring
from sim.economy.plan import Group, Shape, Society

PEOPLE = list(range(60))


def ring(keys: int, **more: int) -> Group:
    return Group("ring", keys, is_vouched=False, **more)


@pytest.mark.parametrize("society", [Society(), Society(friends=10, circle=20)])
def test_everybody_knows_somebody_and_nobody_itself(society: Society) -> None:
    edges = among_people(PEOPLE, society, Random(1))
    assert all(one < other for one, other in edges)
    assert len({person for both in edges for person in both}) > 55
    assert abs(2 * len(edges) / len(PEOPLE) - society.friends) < 2.5
    founders = founders_of(PEOPLE, society, Random(1))
    assert len(set(founders)) == society.founders
    if society.circle:
        assert len({founder // society.circle for founder in founders}) == 60 // society.circle


def test_a_few_people_cannot_know_more_than_there_are() -> None:
    assert len(among_people([1, 2, 3], Society(friends=50), Random(1))) == 3


@pytest.mark.parametrize("shape", Shape)
def test_the_same_are_fooled_however_many_keys_there_are(shape: Shape) -> None:
    def fooled(keys: int) -> set[int]:
        group = Group("ring", keys, is_vouched=False, edges=3, inner=shape)
        numbers = range(60, 60 + keys)
        edges = of_ring(numbers, group, PEOPLE, [0, 1], Random(4))
        assert {other for _, other in edges} <= set(numbers) or keys == 1
        return {one for one, _ in edges if one < 60}

    assert len(fooled(10)) == 3 and fooled(10) == fooled(4) == fooled(300)
    assert not fooled(10) & {0, 1}


def test_founders_are_fooled_when_asked_for() -> None:
    edges = of_ring(range(60, 70), ring(10, founders_fooled=2), PEOPLE, [5, 9], Random(1))
    assert {one for one, _ in edges if one < 60} == {5, 9}
    assert of_ring([], ring(0), PEOPLE, [], Random(1)) == set()
    for group in (ring(10, edges=59), ring(10, founders_fooled=3)):
        with pytest.raises(Misuse):
            of_ring(range(60, 70), group, PEOPLE, [5, 9], Random(1))
