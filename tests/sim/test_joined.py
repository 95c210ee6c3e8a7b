"""Means and their intervals."""

from __future__ import annotations

from math import nan, sqrt
from random import Random
from statistics import NormalDist

import pytest

from crdt.errors import Misuse
from sim.joined import T_975, Estimate, averaged, estimate, point, t_975
from sim.result import Result, Series


def run(seed: int, *series: Series, **figures: float) -> Result:
    return Result("ring", "network", "real", seed, 2, 3, figures, series)


def line(*rows: tuple[float | str | None, ...], columns: tuple[str, ...] = ("x", "y"), name: str = "s") -> Series:
    return Series(name, "S", "", columns, rows)


def test_the_interval_is_students() -> None:
    found = estimate([1, 2, 3, 4, 5])
    half = 2.776 * sqrt(2.5) / sqrt(5)
    assert (found.mean, found.runs, found.least, found.most) == (3, 5, 1, 5)
    assert (found.low, found.high) == (pytest.approx(3 - half), pytest.approx(3 + half))


def test_one_run_has_no_interval_and_equal_runs_one_of_no_width() -> None:
    assert estimate([7]) == Estimate(7, None, None, 1, 7, 7)
    assert estimate([7, 7, 7]) == Estimate(7, 7, 7, 3, 7, 7)


def test_the_table_falls_to_the_normal_distributions_point() -> None:
    assert list(T_975) == sorted(T_975, reverse=True) and len(T_975) == 30
    found = [t_975(freedom) for freedom in (1, 30, 31, 40, 60, 119, 120, 10**6)]
    assert found == [12.706, 2.042, 2.042, 2.021, 2.0, 2.0, 1.98, 1.98]
    assert min(found) > NormalDist().inv_cdf(0.975)


def test_the_interval_covers_the_true_mean_as_often_as_it_says() -> None:
    chance = Random(5)
    trials = [estimate([chance.gauss(10, 3) for _ in range(8)]) for _ in range(4_000)]
    covered = sum(one.low <= 10 <= one.high for one in trials if one.low is not None and one.high is not None)
    assert 0.94 < covered / len(trials) < 0.96


@pytest.mark.parametrize("values", [[1, nan], [float("inf")], [10**400]])
def test_what_is_no_number_has_no_mean(values: list[float]) -> None:
    with pytest.raises(Misuse, match="earned is"):
        estimate(values, "earned")


def test_runs_join_the_same_in_any_order() -> None:
    runs = [run(seed, line((0, 0.1 * seed), (1, None)), earned=0.1 * seed) for seed in range(9)]
    shuffled = Random(3).sample(runs, len(runs))
    assert point({}, runs) == point({}, shuffled)
    assert point({}, runs).seeds == tuple(range(9))


def test_a_figure_that_some_runs_lack_is_of_those_that_have_it() -> None:
    found = point({"p": 1}, [run(1, a=1), run(2, a=3, b=5)])
    assert found.figures["a"].runs == 2 and found.figures["b"] == Estimate(5, None, None, 1, 5, 5)


def test_how_long_a_run_took_is_not_joined() -> None:
    assert list(point({}, [run(1, a=1, run_wall_s=3.5)]).figures) == ["a"]


def test_series_are_averaged_place_by_place() -> None:
    (found,) = averaged([run(1, line((0, 1), (1, None))), run(2, line((0, 3), (2, 8))), run(3, line((1, None)))])
    assert found.columns == ("x", "y", "y_low", "y_high")
    assert [row[:2] for row in found.rows] == [(0, 2), (1, None), (2, 8)]
    assert found.rows[0][2] == pytest.approx(2 - 12.706) and found.rows[2][2:] == (None, None)


def test_words_and_tables_are_the_first_runs() -> None:
    words = averaged([run(1, line(("a", "yes"), ("b", 1))), run(2, line(("a", "no"), ("b", 3)))])
    assert [row[:2] for row in words[0].rows] == [("a", "yes"), ("b", 2)]
    table = Series("t", "T", "", ("x", "y"), ((1, 2),), "", "table")
    assert averaged([run(1, table), run(2, table)]) == (table,)


def test_series_of_other_columns_are_not_mixed() -> None:
    (found,) = averaged([run(1, line((0, 1))), run(2, line((0, 5, 6), columns=("x", "y", "z")))])
    assert found == line((0, 1))
