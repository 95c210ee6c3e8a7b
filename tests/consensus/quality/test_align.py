"""Lines through notes: found from a rough beginning, given up where there is nothing."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.quality.align import LEAST_PAIRS, PAIR_US, SLOPE_BITS, Line, count, settle
from consensus.quality.fingerprint import between, by_lane, runs

ONE = 1 << SLOPE_BITS
MIDDLE = 60_000_000
lanes_of_times = st.dictionaries(
    st.integers(0, 9), st.lists(st.integers(0, 10**8), min_size=1, unique=True).map(sorted), max_size=4
)


def played(seed: int = 1, seconds: int = 120) -> dict[int, list[int]]:
    chance = Random(seed)
    notes = sorted((125_000 * n + chance.randrange(40_000), n % 3) for n in range(8 * seconds) if chance.random() > 0.3)
    return by_lane(notes)


def through(lanes: dict[int, list[int]], line: Line) -> dict[int, list[int]]:
    return {lane: [line.of(t) for t in times] for lane, times in lanes.items()}


@pytest.mark.parametrize("speed", [0.8, 0.98, 1.0, 1.3])
def test_a_rough_line_is_laid_straight(speed: float) -> None:
    true = Line(MIDDLE, 345_678_901, int(speed * ONE))
    known = through(played(), true)
    rough = Line(MIDDLE, true.place_us + 30_000, int(speed * 1.003 * ONE))
    settled = settle(played(), known, rough)
    assert settled is not None
    counted = count(played(), known, settled.line)
    assert counted is not None
    assert counted.hits == counted.notes == sum(map(len, played().values()))
    assert counted.residual_us <= 2
    assert counted.line.place_us == pytest.approx(true.place_us, abs=3)
    assert counted.line.slope_q32 == pytest.approx(true.slope_q32, rel=1e-6)


def test_where_nothing_is_alike_nothing_is_found() -> None:
    line = Line(MIDDLE, 0, ONE)
    assert settle(played(), {}, line) is None
    assert settle(played(), {9: [1, 2, 3]}, line) is None
    far = Line(MIDDLE, 10**9, ONE)
    assert settle(played(), played(), far) is None
    assert count({0: list(range(LEAST_PAIRS - 1))}, {0: list(range(LEAST_PAIRS - 1))}, Line(0, 0, ONE)) is None


def test_notes_of_other_lanes_and_notes_beyond_reach_are_not_the_same() -> None:
    lanes = {0: [n * 1_000_000 for n in range(20)]}
    assert count(lanes, {1: lanes[0]}, Line(0, 0, ONE)) is None
    late = {0: [t + (PAIR_US + 1 if n % 2 else 0) for n, t in enumerate(lanes[0])]}
    found = count(lanes, late, Line(0, 0, ONE))
    assert found is not None and found.hits == 10


def test_one_note_is_not_found_twice() -> None:
    known = {0: [n * 1_000_000 for n in range(20)]}
    doubled = {0: sorted([*known[0], *(t + 5_000 for t in known[0])])}
    found = count(doubled, known, Line(0, 0, ONE))
    assert found is not None and (found.hits, found.notes) == (20, 40)


@given(st.integers(-(10**9), 10**9), st.integers(ONE // 2, 2 * ONE), st.integers(-(10**9), 10**9))
def test_a_line_goes_there_and_back(place: int, slope: int, t_us: int) -> None:
    line = Line(MIDDLE, place, slope)
    assert abs(line.back(line.of(t_us)) - t_us) <= 4


@given(lanes_of_times, lanes_of_times, st.integers(0, 10**8), st.integers(ONE // 2, 2 * ONE))
def test_any_lanes_can_be_laid_on_any(ours, theirs, place: int, slope: int) -> None:
    found = count(ours, theirs, Line(MIDDLE, place, slope))
    if found is not None:
        assert LEAST_PAIRS <= found.hits <= min(sum(map(len, ours.values())), sum(map(len, theirs.values())))
        assert found.residual_us >= 0


def test_fingerprints_do_not_see_shift_and_tempo() -> None:
    lanes = played()
    other = {lane: [9_876_543 + t * 3 for t in times] for lane, times in lanes.items()}
    assert [run.fingerprint for run in runs(other)] == [run.fingerprint for run in runs(lanes)]
    assert len(runs(lanes)) == sum(len(times) - 3 for times in lanes.values())
    assert runs({0: [5, 5, 5, 5], 1: [1, 2, 3]}) == []


def test_notes_from_one_time_to_another() -> None:
    assert between({0: [1, 2, 3, 4], 1: [9]}, 2, 3) == {0: [2, 3], 1: []}
