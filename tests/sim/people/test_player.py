"""People who are not there play as drummers do, and the same again."""

from __future__ import annotations

import statistics
from random import Random

import pytest

from bench.drummers import MINUTE, Figures, figures
from consensus.events import DRUM_LANES, LANES, OTHER_LANE, Onset
from consensus.params import MAIN
from consensus.quality.grid import Grid
from crdt.types import Micros, Window
from jam.midi import Note
from sim.people.drummers import DRUMMERS, FIGURES
from sim.people.player import RIFF_ALONE_US, Habits, Player, with_riff
from sim.people.timing import drawn

GRID = Grid(100_000, 4, 4)
MINUTE_US = MINUTE.window_us


def minute(player: Player, number: int = 0) -> tuple[Note, ...]:
    return player.notes(GRID, Window(number), number * MINUTE_US, (number + 1) * MINUTE_US)


def measured(player: Player) -> Figures:
    row = figures(GRID, [Onset(Micros(n.t_us), n.lane, n.velocity, n.pitch) for n in minute(player)])
    assert row is not None
    return row


def test_the_same_name_plays_the_same_whatever_was_asked_before() -> None:
    one, other = Player("a", Habits()), Player("a", Habits())
    minute(one, 3)
    assert minute(one, 7) == minute(other, 7)
    assert minute(one, 7) != minute(one, 8)
    assert minute(one) != minute(Player("b", Habits()))


@pytest.mark.parametrize("instrument", ["kit", "keys", "hands"])
def test_notes_lie_in_their_window_in_order_on_lanes_that_there_are(instrument: str) -> None:
    for number in range(5):
        player = Player(f"p{number}", Habits(instrument=instrument))  # type: ignore[arg-type]
        notes = minute(player, number)
        assert list(notes) == sorted(notes) and len(notes) > 100
        assert all(number * MINUTE_US <= note.t_us < (number + 1) * MINUTE_US for note in notes)
        assert all(0 <= note.lane < LANES and 1 <= note.velocity <= 127 for note in notes)
        if instrument != "keys":
            assert all(note.lane == DRUM_LANES.get(note.pitch, OTHER_LANE) for note in notes)


def test_how_dense_somebody_plays_can_be_asked_for() -> None:
    for wanted in (2.0, 4.0):
        counts = [len(minute(Player(f"p{n}", Habits(instrument="hands", notes_per_s=wanted)))) for n in range(10)]
        assert statistics.fmean(counts) / 60 == pytest.approx(wanted, rel=0.1)


def test_their_minutes_measure_as_the_drummers_do() -> None:
    rows = [measured(Player(f"person {n}", Habits())) for n in range(40)]
    low, high = ({f: choose(d[i] for d in DRUMMERS) for i, f in enumerate(FIGURES)} for choose in (min, max))
    for name in ("spread_ms", "template_ms", "limb_ms", "drift_ms", "chord_ms"):
        assert low[name] <= statistics.median(row[name] for row in rows) <= high[name], name


def test_who_is_twice_as_steady_deviates_half_as_much() -> None:
    plain, steady = (measured(Player("p", Habits(deviation=deviation))) for deviation in (1.0, 0.5))
    assert steady["spread_ms"] == pytest.approx(plain["spread_ms"] / 2, rel=0.2)


def test_a_slow_device_is_late_by_so_much() -> None:
    plain, late = (minute(Player("p", Habits(lag_ms=lag))) for lag in (0.0, 25.0))
    assert {b.t_us - a.t_us for a, b in zip(plain[:50], late[:50], strict=True)} <= {24_999, 25_000, 25_001}


def test_a_person_lies_between_two_drummers() -> None:
    for seed in range(20):
        timing = drawn(Random(seed))
        for name, value in (("template_ms", timing.template_us / 1_000), ("memory", timing.memory)):
            values = [drummer[FIGURES.index(name)] for drummer in DRUMMERS]
            assert min(values) <= value <= max(values)


def test_habits_say_when_somebody_is_there() -> None:
    first = Window(1_000)
    player = Player("p", Habits(comes=2, leaves=5))
    assert [player.plays(Window(first + n), first) for n in range(6)] == [False, False, True, True, True, False]
    half = Player("q", Habits(share=0.5))
    played = sum(half.plays(Window(n), Window(0)) for n in range(400))
    assert 150 < played < 250
    assert not any(Player("r", Habits(share=0.0)).plays(Window(n), Window(0)) for n in range(50))


def test_the_riff_is_played_alone_and_as_often_as_somebody_answers() -> None:
    moments, lanes = (20_000_000, 20_600_000, 21_200_000, 21_800_000), (3, 1, 4, 1)
    player = Player("p", Habits(answers=1.0))
    notes = player.answered(minute(player), Window(0), moments, lanes)
    for moment, lane in zip(moments, lanes, strict=True):
        near = [note for note in notes if abs(note.t_us - moment) <= RIFF_ALONE_US - 50_000]
        assert [note.lane for note in near if abs(note.t_us - moment) < 200_000] == [lane]
    assert list(notes) == sorted(notes)
    never = Player("p", Habits(answers=0.0))
    assert never.answered(minute(never), Window(0), moments, lanes) == minute(never)
    sometimes = Player("p", Habits(answers=0.5))
    answered = sum(sometimes.answered((), Window(n), moments, lanes) != () for n in range(200))
    assert 70 < answered < 130


def test_a_riff_before_the_beginning_of_time_is_played_at_it() -> None:
    assert min(note.t_us for note in with_riff(Random(1), (), (0, 0, 0, 0), (0, 1, 2, 3))) >= 0


def test_a_window_of_nothing_has_no_figures() -> None:
    assert figures(GRID, []) is None
    assert figures(GRID, [Onset(Micros(t * 500_000), 0, 90) for t in range(MAIN.min_events)]) is None
