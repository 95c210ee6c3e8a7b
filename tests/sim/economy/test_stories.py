"""The tale of decay against the numbers of the table, and the game against what each way must bring."""

from __future__ import annotations

import pytest

from consensus.logistic import TABLE_Q16
from consensus.params import MAIN, ONE_Q16
from crdt.errors import Misuse
from sim.economy.plan import Group, Plan, Society, checked
from sim.economy.run import run_economy
from tests.sim.economy.picture import PICTURE, picture

TWO = (Group("honest", 2),)


def test_the_same_four_are_worth_less_each_time_and_all_again_a_day_later() -> None:
    told = run_economy(Plan("decay", "", 30, TWO, Society(founders=0), tale="decay"), 1)
    (series,) = told.series
    assert [row[1:] for row in series.rows[30:33]] == [(None, None)] * 3
    for met, (window, same, new) in [*enumerate(series.rows[:30]), *enumerate(series.rows[33:])]:
        w, cluster = TABLE_Q16[met] if met < len(TABLE_Q16) else 0, ONE_Q16 * 3 // 4 if met else ONE_Q16
        assert isinstance(same, float) and window in (met + 1, met + 34)
        assert round(same * 1e6) == MAIN.base_micro * w * cluster // ONE_Q16**2
        assert new == TABLE_Q16[0] * 1_000_000 // ONE_Q16 / 1e6
    assert told.figures["day_after_same_micro"] == told.figures["day_after_new_micro"] == told.figures["first_micro"]
    excess = Plan("decay", "", 30, TWO, Society(founders=0), tale="decay", rules={"decay_excess": True})
    forgiven = run_economy(excess, 1).figures
    assert forgiven["same_four_last_micro"] == told.figures["first_micro"] * 3 // 4


def test_a_tale_of_more_than_an_epoch_is_refused() -> None:
    with pytest.raises(Misuse, match="30 windows at most"):
        run_economy(Plan("decay", "", 31, TWO, Society(founders=0), tale="decay"), 1)


def test_the_game_pays_whoever_plays_and_looks_among_people_who_do() -> None:
    told = run_economy(Plan("game", "", 12, TWO, Society(founders=0), tale="game"), 2).figures
    assert told["crowd_hh_jam"] > told["crowd_rh_jam"] > 4 * told["crowd_fh_jam"] > 0
    assert told["crowd_hr_jam"] == told["crowd_fr_jam"] == told["crowd_rr_jam"] == told["pair_rr_jam"] == 0
    assert told["pair_hh_jam"] > told["pair_fh_jam"]
    assert told["crowd_ff_jam"] > 0  # among fakers only, fakes are paid: there is nobody who looks


def test_who_plays_as_measured_is_judged_as_measured() -> None:
    def accepted(like: str) -> float:
        groups = (Group("honest", 12), Group("fakers", 4, like=like))
        return float(run_economy(Plan("x", "", 20, groups, Society(founders=0)), 1).figures["fakers_accepted"])

    assert accepted("faker, quantised") == 0.0 and accepted("faker, template") > 0.9
    with pytest.raises(Misuse, match="nobody has measured how a ghost is judged"):
        checked(Plan("x", "", 3, (Group("honest", 9, like="a ghost"),)))


def test_the_picture_is_what_is_told() -> None:
    assert PICTURE.read_text() == picture()


def test_honest_playing_spreads_where_it_pays_and_refusing_helps_it() -> None:
    plan = Plan("imitation", "", 300, TWO, Society(founders=0), tale="imitation")
    told = [run_economy(plan, seed) for seed in range(1, 6)]
    again = run_economy(plan, 1)
    assert (again.figures["honest_share_both"], again.series) == (told[0].figures["honest_share_both"], told[0].series)
    for name in ("plain", "refusal", "both"):
        assert sum(float(one.figures[f"honest_share_{name}"]) for one in told) / len(told) > 20 / 30
    assert all(one.figures["fake_points_refusal"] < one.figures["honest_points_refusal"] for one in told)
    assert all(one.figures["honest_points_decay"] < one.figures["honest_points_plain"] for one in told)
    matrix = told[0].series[0].rows
    assert matrix[0] == ("honest", "(10, 10)", "(0, 3)", "(0, 0)")
