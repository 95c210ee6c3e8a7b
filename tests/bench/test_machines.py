"""Machines play what they say, and the measures tell them as docs/quality.md says."""

from __future__ import annotations

from random import Random

import pytest

from bench import machines
from bench.quality import attacks, passes
from bench.takes import Piece, Take, pieces
from consensus.params import MAIN
from consensus.quality.measure import measure
from consensus.quality.replay import ReplayIndex
from jam.synthetic import make
from tests.consensus.quality.material import GRID


def piece(seed: int, drummer: str) -> Piece:
    onsets = make(seed, MAIN.window_us, GRID.tempo_mbpm).onsets()
    return pieces(MAIN, Take("take", drummer, "groove", GRID, onsets, MAIN.window_us))[0]


WHO = [machines.model(piece(1, "a")), machines.model(piece(2, "b"))]


@pytest.mark.parametrize("name", attacks(WHO))
def test_a_machine_plays_every_note_and_the_same_again(name: str) -> None:
    machine, who = attacks(WHO)[name], WHO[0]
    late = machine(who, Random(3))
    assert len(late) == len(who.steps) == len(who.piece.onsets)
    assert late == machine(who, Random(3))
    played = machines.made(who, late)
    assert sorted(o.lane for o in played) == sorted(o.lane for o in who.piece.onsets)
    assert [o.t_us for o in played] == sorted(o.t_us for o in played)


@pytest.mark.parametrize("name", ["quantised", "gaussian 5 ms", "gaussian 10 ms", "gaussian, spread matched", "swung"])
def test_plain_ones_do_not_pass(name: str) -> None:
    for who in WHO:
        played = machines.made(who, attacks(WHO)[name](who, Random(4)))
        report = measure(MAIN, GRID, played, ReplayIndex())
        assert not passes(MAIN, report.why, report.measures.humanness)


def test_habits_are_those_of_somebody_else() -> None:
    assert machines.habits_of(WHO)(WHO[0], Random(1)) != machines.habits_of([*WHO, WHO[0]])(WHO[1], Random(1))
    assert WHO[0].habits != WHO[1].habits
    assert all(0 < who.rest_us <= who.spread_us for who in WHO)
