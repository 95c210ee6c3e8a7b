"""No two conflicting checkpoints are final with less than a third of hostile weight, whatever the mesh does.

Honest voters act on what has reached them, by the rules. The mesh is split anew in every round, its sides have come to
different states, and any vote reaches anybody late or never. The hostile sign everything, in every round, and show
each side what pleases it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.checkpoint import Ballot, Count, Value, to_commit, to_prepare
from consensus.ops import Stage
from crdt.types import Digest, Epoch, PlayerId

VALUES = tuple(Value(Epoch(10 + n), Digest(bytes([n]) * 32)) for n in range(3))
ROUNDS = range(14, 22)


def players(count: int) -> list[PlayerId]:
    return [PlayerId(bytes([n + 1]) * 32) for n in range(count)]


class Mesh:
    """Voters, and the votes that each of them has seen."""

    def __init__(self, weights: Sequence[int], hostile: int) -> None:
        voters = players(len(weights))
        self.weights = dict(zip(voters, weights, strict=True))
        self.honest, self.hostile = voters[hostile:], voters[:hostile]
        self.seen: dict[PlayerId, set[Ballot]] = {voter: set() for voter in self.honest}
        self.all: set[Ballot] = set()
        self.side: dict[PlayerId, bool] = {}
        self.own: dict[bool, Value] = {}

    def sign(self, round_: int, voter: PlayerId, stage: Stage, value: Value | None) -> None:
        if value is not None:
            ballot = Ballot(Epoch(round_), voter, stage, value)
            self.all.add(ballot)
            self.seen[voter].add(ballot)

    def split(self, chance: random.Random) -> None:
        """The mesh is split in a new way, and each side has come to another state."""
        self.side = {voter: chance.random() < 0.5 for voter in self.honest}
        self.own = dict(zip((True, False), chance.sample(VALUES, 2), strict=True))

    def act(self, round_: int, stage: Stage, chance: random.Random) -> None:
        for voter in self.honest:
            if chance.random() < 0.1:
                continue  # asleep
            count = Count(self.weights, self.seen[voter])
            if stage is Stage.PREPARE:
                self.sign(round_, voter, stage, to_prepare(count, voter, Epoch(round_), self.own[self.side[voter]]))
            else:
                self.sign(round_, voter, stage, to_commit(count, voter, Epoch(round_)))

    def lie(self, round_: int) -> None:
        for voter in self.hostile:
            self.all |= {Ballot(Epoch(round_), voter, stage, value) for stage in Stage for value in VALUES}

    def deliver(self, chance: random.Random) -> None:
        """Each side hears of itself, of what the hostile say to please it, and of some more."""
        for voter in self.honest:
            side = self.side[voter]
            lost = {ballot for ballot in self.seen[voter] if ballot.voter not in self.side and chance.random() < 0.5}
            self.seen[voter] -= lost  # who forks its log takes back what it signed
            for ballot in self.all - lost:
                said = self.side[ballot.voter] == side if ballot.voter in self.side else ballot.value == self.own[side]
                if said or chance.random() < 0.2:
                    self.seen[voter].add(ballot)

    def play(self, chance: random.Random) -> set[Value]:
        for round_ in ROUNDS:
            self.split(chance)
            self.lie(round_)
            for stage in (Stage.PREPARE, Stage.COMMIT):
                self.act(round_, stage, chance)
                self.deliver(chance)
        return finals(self.weights, self.all)


def finals(weights: dict[PlayerId, int], ballots: set[Ballot]) -> set[Value]:
    """All values that anybody could see as final, from any part of the votes."""
    commits = {(b.round, b.value) for b in ballots if b.stage is Stage.COMMIT}
    return {
        value
        for round_, value in commits
        if Count(weights, (b for b in ballots if (b.round, b.value) == (round_, value))).final() == value
    }


@given(st.lists(st.integers(1, 20), min_size=2, max_size=9), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_less_than_a_third_of_hostile_weight_makes_no_two_final(weights: list[int], seed: int) -> None:
    hostile = next(n for n in range(len(weights), -1, -1) if 3 * sum(weights[:n]) < sum(weights))
    assert len(Mesh(weights, hostile).play(random.Random(seed))) <= 1


def test_a_third_of_hostile_weight_does() -> None:
    """The trial can fail: it finds two as soon as a third is hostile."""
    assert any(len(Mesh([1] * 7, 3).play(random.Random(seed))) > 1 for seed in range(60))


def whole_round(mesh: Mesh, round_: int, awake: Sequence[PlayerId], own: Value) -> None:
    """A round in which everybody who is awake hears everything."""
    for stage in Stage:
        for voter in awake:
            count = Count(mesh.weights, mesh.seen[voter])
            if stage is Stage.PREPARE:
                mesh.sign(round_, voter, stage, to_prepare(count, voter, Epoch(round_), own))
            else:
                mesh.sign(round_, voter, stage, to_commit(count, voter, Epoch(round_)))
        mesh.seen = {voter: set(mesh.all) for voter in mesh.seen}


@pytest.mark.parametrize(("asleep", "final"), [(0, {VALUES[0]}), (2, {VALUES[0]}), (3, set())])
def test_in_a_mesh_that_is_whole_one_round_is_enough(asleep: int, final: set[Value]) -> None:
    mesh = Mesh([1] * 7, 0)
    whole_round(mesh, 14, mesh.honest[asleep:], VALUES[0])
    assert finals(mesh.weights, mesh.all) == final


def test_after_any_split_a_mesh_that_hears_all_agrees() -> None:
    """Whatever was locked where: once everybody hears everything, some value is final after two rounds."""
    for seed in range(40):
        mesh, chance = Mesh([1] * 7, 2), random.Random(seed)
        mesh.play(chance)
        mesh.honest, mesh.hostile = [*mesh.hostile, *mesh.honest], []
        mesh.seen = {voter: set(mesh.all) for voter in mesh.honest}
        for round_ in (30, 31):
            whole_round(mesh, round_, mesh.honest[2:], VALUES[0])
        assert finals(mesh.weights, mesh.all)
