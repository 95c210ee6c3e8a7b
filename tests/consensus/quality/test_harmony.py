"""Consonance is graded gently, and drums have nothing to be graded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.events import Onset
from consensus.params import ONE_Q16
from consensus.quality.harmony import MIN_INTERVALS, REACH_US, consonance_q16, harmony_q16, pitched
from crdt.types import Micros

MAJOR = (60, 62, 64, 65, 67, 69, 71)
LANE = 6  # of no drum's pitch that is used below


def melody(pitches: tuple[int, ...], every_us: int = 250_000, count: int = 64, lane: int = LANE) -> list[Onset]:
    return [Onset(Micros(i * every_us), lane, 80, pitches[i % len(pitches)]) for i in range(count)]


def score(onsets: list[Onset]) -> int:
    return harmony_q16(consonance_q16(onsets))


def test_a_scale_is_full_a_chromatic_run_is_half_and_semitones_are_no_less() -> None:
    assert score(melody(MAJOR)) == ONE_Q16
    assert score(melody(tuple(range(60, 72)))) == pytest.approx(ONE_Q16 // 2, rel=0.05)
    assert score(melody((60, 61))) == ONE_Q16 // 2


def test_fifths_are_better_than_tritones_than_semitones() -> None:
    fifth, tritone, semitone = (consonance_q16(melody((60, 60 + n))) for n in (7, 6, 1))
    assert fifth is not None and tritone is not None and semitone is not None
    assert fifth > tritone > semitone == 0


def test_octaves_and_transposition_change_nothing() -> None:
    assert consonance_q16(melody((60, 64))) == consonance_q16(melody((72, 64))) == consonance_q16(melody((65, 69)))


def test_what_sounds_together_counts_twice() -> None:
    def with_third(apart_us: int) -> list[Onset]:
        pairs = [(i * 3 * REACH_US, 60) for i in range(20)] + [(i * 3 * REACH_US + apart_us, 64) for i in range(20)]
        lone = [(i * 3 * REACH_US + REACH_US, 61) for i in range(20)]
        return [Onset(Micros(t), LANE, 80, pitch) for t, pitch in sorted(pairs + lone)]

    together, apart = consonance_q16(with_third(10_000)), consonance_q16(with_third(200_000))
    assert together is not None and apart is not None and together > apart


@pytest.mark.parametrize(
    "onsets",
    [
        [],
        melody((0,)),
        melody((60,)),  # one note repeated makes no interval
        melody((60, 61), count=MIN_INTERVALS // 4),
        melody((60, 61), every_us=REACH_US + 1),
        [Onset(Micros(i * 200_000), lane, 80, (36, 38, 50, 47)[lane]) for i in range(100) for lane in (i % 4,)],
    ],
    ids=["nothing", "pitch 0", "a drone", "too few", "too far apart", "drums"],
)
def test_where_there_is_nothing_to_judge_harmony_is_full(onsets: list[Onset]) -> None:
    assert consonance_q16(onsets) is None
    assert score(onsets) == ONE_Q16


def test_drums_beside_a_melody_are_left_out_and_drum_pitches_within_one_are_not() -> None:
    drums = [Onset(Micros(i * 125_000), 0, 90, 36) for i in range(128)]
    tune = melody((60, 61))
    assert pitched(sorted([*drums, *tune])) == tune
    assert pitched([*melody((60, 61)), Onset(Micros(99_000_000), 0, 90, 36)])[-1].pitch == 36


@given(
    st.lists(st.builds(Onset, st.integers(0, 10**8).map(Micros), st.integers(0, 9), st.just(80), st.integers(0, 127)))
)
def test_it_is_an_integer_from_a_half_to_one(onsets: list[Onset]) -> None:
    graded = score(sorted(onsets))
    assert type(graded) is int
    assert ONE_Q16 // 2 <= graded <= ONE_Q16
