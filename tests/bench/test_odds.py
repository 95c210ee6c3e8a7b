"""The odds of docs/attacks.md: by sum and by play alike, and the notes' where their model is the same."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from bench import odds
from bench.odds import MANY, PLAYERS, QUORUM, Draws, Habit, away, fake
from consensus.params import MAIN

TRIALS = 4_000
ATTACKS = Path(__file__).resolve().parents[2] / "docs" / "attacks.md"
HOSTILE = [(hostile, offline) for hostile, offline, _ in odds.HOSTILE]


@pytest.fixture(scope="module")
def draws() -> Draws:
    return odds.draw_all(TRIALS, PLAYERS, Random(7))


def agrees(played: float, exact: float) -> bool:
    """Within four standard errors, and within one trial where almost nothing happens."""
    return abs(played - exact) <= 4 * (exact * (1 - exact) / TRIALS) ** 0.5 + 1 / TRIALS


def test_tranches_have_the_sizes_that_are_asked_for(draws: Draws) -> None:
    for tranche, (size, before) in enumerate(zip(MAIN.tranche_sizes, (0, *MAIN.tranche_sizes), strict=False)):
        chance = (size - before) / PLAYERS
        mean = sum(drawn[tranche] for drawn in draws) / TRIALS
        assert abs(mean - (size - before)) < 4 * (PLAYERS * chance * (1 - chance) / TRIALS) ** 0.5


@pytest.mark.parametrize("tranches", [1, 2, 3])
@pytest.mark.parametrize(("offline", "voting"), odds.AWAY)
def test_people_offline(draws: Draws, offline: float, voting: float, tranches: int) -> None:
    habit = away(offline, voting)
    exact = odds.enough_yes(habit, tranches, PLAYERS)
    assert agrees(odds.play(draws, habit, tranches, PLAYERS, Random(tranches)), exact)


@pytest.mark.parametrize(("hostile", "offline"), HOSTILE)
def test_a_fake_by_the_rule_and_by_one_tranche(draws: Draws, hostile: float, offline: float) -> None:
    habit = fake(hostile, offline)
    exact = odds.together(habit, MAIN.tranche_sizes[0], PLAYERS), odds.passes(habit, PLAYERS)
    for tranches, p in zip((1, 3), exact, strict=True):
        assert agrees(odds.play(draws, habit, tranches, PLAYERS, Random(tranches)), p)
    assert exact[1] < exact[0]


def test_play_would_notice_another_rule(draws: Draws) -> None:
    """Hearing only tranche 0 is not the rule, and shows."""
    habit = fake(1 / 3)
    assert not agrees(odds.play(draws, habit, 1, PLAYERS, Random(1)), odds.passes(habit, PLAYERS))


@pytest.mark.parametrize("habit", [Habit(0.4, 0.6), Habit(0.55, 0.45), Habit(0.2, 0.3)])
def test_all_cases_together_are_certain(habit: Habit) -> None:
    """The law sums to one, and whoever always says yes passes as often as enough of them are drawn."""
    size = 21
    drawn = [size / PLAYERS * habit.yes, size / PLAYERS * habit.no]
    counts = [(y, n) for y in odds.up_to(size * habit.yes) for n in odds.up_to(size * habit.no)]
    assert sum(odds.chance_of(PLAYERS, c, drawn) for c in counts) == pytest.approx(1, abs=1e-9)
    assert odds.together(Habit(1, 1e-12), size, PLAYERS) == pytest.approx(odds.enough_yes(Habit(1, 0), 2, PLAYERS))


@pytest.mark.parametrize(
    ("offline", "notes"), [(0.3, (0.50, 0.998, 1.0)), (0.5, (0.24, 0.97, 0.9998))], ids=["30%", "50%"]
)
def test_the_notes_odds_of_five_yes_are_ours_when_one_in_twenty_is_silent(
    offline: float, notes: tuple[float, ...]
) -> None:
    found = [odds.enough_yes(away(offline, 0.95), tranches, MANY) for tranches in (1, 2, 3)]
    assert [round(p, 4 if p > 0.999 else 3 if p > 0.99 else 2) for p in found] == [pytest.approx(p) for p in notes]
    assert QUORUM == 5


@pytest.mark.parametrize(
    ("hostile", "alone", "escalated"),
    [(0.1, 0.0037, 1e-5), (0.2, 0.021, 4e-4), (1 / 3, 0.096, 0.013), (0.5, 0.32, 0.20)],
)
def test_the_notes_odds_of_a_fake_are_those_of_seven_exactly(hostile: float, alone: float, escalated: float) -> None:
    yes = fake(hostile).yes
    assert float(f"{odds.seven_alone(yes):.2g}") == pytest.approx(alone)
    assert odds.seven_then_21(yes) == pytest.approx(escalated, rel=0.15)


def test_the_document_says_what_is_printed() -> None:
    """Every row that is summed; those that were played are told apart by their name."""
    text = ATTACKS.read_text()
    rows = [*odds.online_rows([[0, 0, 0]], Random(1)), *odds.fake_rows([[0, 0, 0]], Random(1))]
    exact = [row for row in rows if not row[0].endswith("played")]
    assert len(exact) == 2 * (len(odds.AWAY) + len(odds.HOSTILE))
    for row in exact:
        assert f"| {' | '.join(row)} |" in text


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0, "0"),
        (4e-5, "4e-05"),
        (0.0035, "0.0035"),
        (0.55, "0.55"),
        (0.999, "1 - 0.001"),
        (1 - 1e-12, "1"),
        (1.0, "1"),
    ],
)
def test_figures(p: float, words: str) -> None:
    assert odds.figure(p) == words
