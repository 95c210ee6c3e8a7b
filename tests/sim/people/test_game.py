"""The game of honest, fake and refuse: its payoffs, its decay, its refusals, and who imitates whom."""

from __future__ import annotations

import msgspec
import pytest

from consensus.logistic import TABLE_Q16
from consensus.params import ONE_Q16
from sim.people.game import MOVES, PAYOFFS, Game, Outcome, Table, play

PAIR = Game(honest=2, fake=0, rounds=1, decay=False)


def pair(**changes: object) -> Outcome:
    return play(msgspec.structs.replace(PAIR, **changes), 1)


def test_the_matrix_is_whole_and_the_same_from_both_sides() -> None:
    assert set(PAYOFFS) == {(a, b) for a in MOVES for b in MOVES}
    assert all(PAYOFFS[a, b] == PAYOFFS[b, a][::-1] for a, b in PAYOFFS)


@pytest.mark.parametrize("moves", PAYOFFS, ids=" ".join)
def test_one_meeting_pays_what_the_matrix_says(moves: tuple[str, str]) -> None:
    counts = {move: moves.count(move) for move in MOVES}
    outcome = pair(**counts)
    for began, points in zip(outcome.began, outcome.points_q16, strict=True):
        other = moves[1] if began == moves[0] else moves[0]
        assert points == PAYOFFS[began, other][0] * ONE_Q16  # type: ignore[index]


def test_a_closed_pair_earns_less_and_less_and_as_much_again_after_the_horizon() -> None:
    outcome = pair(rounds=10, decay=True)
    assert outcome.points_q16 == (10 * sum(TABLE_Q16[:10]),) * 2
    short = pair(rounds=40, decay=True, horizon_rounds=5)
    long = pair(rounds=40, decay=True, horizon_rounds=40)
    assert short.points_q16[0] > 2 * long.points_q16[0]
    assert pair(rounds=40).points_q16 == (400 * ONE_Q16,) * 2


def test_a_loss_does_not_decay() -> None:
    outcome = pair(honest=0, fake=1, refuse=1, rounds=20, decay=True)
    assert sorted(outcome.points_q16) == [-40 * ONE_Q16, 0]


def test_who_mixes_earns_more_than_who_stays_among_the_same() -> None:
    closed, open_ = (play(Game(honest=40, fake=0, mixing=mixing), 3).mean_q16("honest") for mixing in (0.0, 1.0))
    assert open_ > 2 * closed


def test_fakes_among_people_who_refuse_lose_what_they_would_have_won() -> None:
    trusting, refusing = (play(Game(honest=30, fake=10, refuse_after=after, decay=False), 5) for after in (0, 1))
    assert trusting.mean_q16("fake") > 0 > refusing.mean_q16("fake")
    assert refusing.mean_q16("honest") == pytest.approx(trusting.mean_q16("honest"), rel=0.01)


def test_who_imitates_leaves_faking_where_honesty_pays_more() -> None:
    outcome = play(Game(honest=30, fake=10, adaptive=1.0), 7)
    assert outcome.began.count("fake") == 10
    assert outcome.ended.count("fake") == 0
    assert sum(outcome.epochs[-1].players.values()) == 40
    stubborn = play(Game(honest=30, fake=10, adaptive=0.0), 7)
    assert stubborn.ended == stubborn.began


def test_the_same_seed_is_the_same_game() -> None:
    game = Game(adaptive=0.5, refuse=3)
    assert play(game, 1) == play(game, 1) != play(game, 2)


def test_with_an_odd_number_one_stays_alone_each_round() -> None:
    table = Table(Game(honest=3, fake=0, decay=False), 1)
    table.round(0)
    assert sorted(table.points_q16) == [0, 10 * ONE_Q16, 10 * ONE_Q16]


def test_nobody_or_one_person_is_a_game_without_points() -> None:
    assert play(Game(honest=0, fake=0), 1).points_q16 == ()
    assert play(Game(honest=1, fake=0), 1).points_q16 == (0,)
    assert play(Game(honest=1, fake=0), 1).mean_q16("fake") == 0


@pytest.mark.parametrize("wrong", [{"honest": -1}, {"mixing": 2.0}, {"rounds": 0}, {"circle": 1}, {"greedy": 1}])
def test_a_game_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Game)
