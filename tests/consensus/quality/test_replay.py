"""Copies are found at any place and speed; playing the same groove again is not a copy."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings

from consensus.events import Onset
from consensus.params import MAIN, ONE_Q16, SMALL
from consensus.quality.fingerprint import runs
from consensus.quality.replay import Match, ReplayIndex, _span
from crdt.limits import REPLAY_VOTES_MAX
from crdt.types import Micros, Window
from tests.consensus.quality.material import GRID, human_windows, jittered, moved, onset, onset_lists


def known_from(windows, key: bytes = b"take") -> ReplayIndex:
    known = ReplayIndex()
    for number, onsets in enumerate(windows):
        known.add(key, Window(number), onsets)
    return known


def slice_of(windows, start_us: int, length_us: int) -> tuple[Onset, ...]:
    return tuple(o for w in windows for o in w if start_us <= o.t_us < start_us + length_us)


@pytest.mark.parametrize("start_us", [0, 3_700_123, 16_543_210])
@pytest.mark.parametrize("speed", [1.0, 1.07, 0.93])
@pytest.mark.parametrize("jitter_ms", [0, 2, 5])
def test_a_copy_is_found_across_windows_whatever_its_place_speed_and_jitter(start_us, speed, jitter_ms) -> None:
    windows = human_windows(SMALL)
    copy = slice_of(windows, start_us, SMALL.window_us)
    replayed = jittered(moved(copy, lambda t: (t - start_us) / speed + 987_654_321), jitter_ms)
    match = known_from(windows).find(SMALL, replayed)
    assert match is not None
    assert match.key == b"take"
    assert match.t_us == pytest.approx(min(copy).t_us, abs=15_000)
    assert match.speed_q16 == pytest.approx(speed * ONE_Q16, rel=0.005)
    assert match.coverage_q16 > 0.9 * ONE_Q16


def test_honest_windows_are_not_replays_of_the_same_drummer_or_another() -> None:
    windows = human_windows(SMALL)
    known = known_from(human_windows(SMALL, seed=2), b"other")
    for number, onsets in enumerate(windows):
        assert known.find(SMALL, onsets, grid=GRID) is None
        known.add(b"take", Window(number), onsets)


def test_a_copy_with_notes_left_out_and_others_put_in_is_still_one() -> None:
    windows = human_windows(SMALL)
    chance = Random(5)
    kept = [o for o in windows[2] if chance.random() > 0.1]
    added = [onset(chance.randrange(20_000_000, 30_000_000), 3) for _ in range(len(kept) // 8)]
    assert known_from(windows[:4]).find(SMALL, kept + added) is not None


def test_long_windows_betray_a_copy_by_how_it_drags() -> None:
    windows = human_windows(MAIN, windows=1)
    chance = Random(2)
    added = [onset(20_000_000 + chance.randrange(MAIN.window_us), 9) for _ in range(len(windows[0]) // 4)]
    replayed = [*jittered(moved(windows[0], lambda t: t + 20_000_000), 9), *added]
    known = known_from(windows)
    match = known.find(MAIN, replayed, grid=GRID)
    assert match is not None
    assert match.residual_us >= MAIN.replay_residual_us
    assert match.coverage_q16 < MAIN.replay_whole_q16
    assert known.find(MAIN, replayed) is None  # the residual alone lets it pass
    assert known.find(msgspec.structs.replace(MAIN, replay_correlation_q16=ONE_Q16), replayed, grid=GRID) is None


@pytest.mark.parametrize("speed", [1.0, 1.02, 0.98])
@pytest.mark.parametrize("jitter_ms", [2, 5, 10])
def test_in_long_windows_ten_milliseconds_of_jitter_hide_nothing(speed: float, jitter_ms: int) -> None:
    known = ReplayIndex()
    for seed in range(2, 8):
        for number, onsets in enumerate(human_windows(MAIN, seed=seed, windows=2)):
            known.add(b"take%d" % seed, Window(number), onsets)
    source = human_windows(MAIN, seed=4, windows=2)[1]
    replayed = jittered(moved(source, lambda t: t / speed + 3_700_123), jitter_ms)
    match = known.find(MAIN, replayed)
    assert match is not None
    assert match.key == b"take4"
    assert match.coverage_q16 > MAIN.replay_whole_q16
    assert known.find(MAIN, human_windows(MAIN, seed=9, windows=1)[0]) is None


def test_only_earlier_windows_are_compared_with() -> None:
    windows = human_windows(SMALL)
    known = known_from(windows)
    assert known.find(SMALL, windows[2], before=Window(2)) is None
    assert known.find(SMALL, windows[2], before=Window(3)) is not None
    assert known.find(SMALL, windows[2], before=Window(0)) is None


def test_the_answer_does_not_depend_on_the_order_of_adding_nor_on_what_comes_after() -> None:
    windows = human_windows(SMALL)
    again = jittered(slice_of(windows, 13_000_000, SMALL.window_us), 3)
    first, second = known_from(windows[:5]), ReplayIndex()
    for number in (4, 1, 3, 0, 2, 1, 5):
        second.add(b"take", Window(number), windows[number][::-1])
    expected = first.closest(SMALL, again, grid=GRID)
    assert expected is not None
    assert second.closest(SMALL, again[::-1], before=Window(5), grid=GRID) == expected


def test_the_oldest_windows_are_forgotten_and_leave_nothing_behind() -> None:
    windows = human_windows(SMALL)
    known = ReplayIndex(capacity=sum(len(w) for w in windows[4:]))
    for number, onsets in enumerate(windows):
        known.add(b"take", Window(number), onsets)
        assert len(known) <= known._capacity
    assert known.find(SMALL, windows[0]) is None
    assert known.find(SMALL, windows[5]) is not None
    for number in range(6):
        known.add(b"take", Window(number), ())  # nothing was played after all
    assert (len(known), known._takes, known._postings, known._windows) == (0, {}, {}, [])


def test_a_window_too_large_to_hold_is_not_held() -> None:
    known = ReplayIndex(capacity=10)
    known.add(b"take", Window(0), [onset(i) for i in range(11)])
    assert len(known) == 0


def test_nothing_is_like_nothing() -> None:
    assert ReplayIndex().closest(SMALL, ()) is None
    assert known_from(human_windows(SMALL)).closest(SMALL, ()) is None
    assert known_from(human_windows(SMALL)).find(SMALL, [onset(5)]) is None


@settings(max_examples=60, deadline=None)
@given(onset_lists, onset_lists)
def test_anything_can_be_looked_for_in_anything(played, other) -> None:
    known = ReplayIndex()
    known.add(b"a", Window(0), other)
    known.add(b"b", Window(1), played)
    match = known.closest(SMALL, played, grid=GRID)
    if match is not None:
        assert 0 < match.hits <= len(played)
        assert 0 <= match.coverage_q16 <= ONE_Q16
        assert match.residual_us >= 0
        assert -ONE_Q16 <= match.correlation_q16 <= ONE_Q16


def test_a_flood_of_equal_fingerprints_is_bounded() -> None:
    ticking = [Onset(Micros(i * 50_000), 0, 80) for i in range(4_000)]
    known = ReplayIndex()
    for number in range(4):
        known.add(b"tick", Window(number), moved(ticking, lambda t, n=number: t + n * 200_000_000))
    played = ticking[:200]
    votes = known._votes(runs({0: [o.t_us for o in played]}), 5_000_000, _span(SMALL, None), REPLAY_VOTES_MAX)
    assert sum(len(v) for v in votes.values()) <= REPLAY_VOTES_MAX
    assert known.closest(SMALL, played) is not None


def test_knowing_more_never_makes_a_window_more_original() -> None:
    windows = human_windows(SMALL)
    known = ReplayIndex()
    least = 0
    for number, onsets in enumerate([*human_windows(SMALL, seed=2), *human_windows(SMALL, seed=3), *windows[:5]]):
        known.add(b"take%d" % (number // 6), Window(number), onsets)
        match = known.closest(SMALL, windows[5])
        likeness = 0 if match is None else match.likeness_q16(SMALL)
        assert likeness >= least
        least = likeness
    assert least > 0


CLOSE = Match(b"", 0, ONE_Q16, MAIN.replay_min_hits, MAIN.replay_coverage_q16, MAIN.replay_residual_us - 1)
LOOSE = CLOSE._replace(residual_us=MAIN.replay_whole_residual_us)


@pytest.mark.parametrize(
    ("match", "is_one"),
    [
        (CLOSE, True),
        (CLOSE._replace(hits=CLOSE.hits - 1), False),
        (CLOSE._replace(coverage_q16=CLOSE.coverage_q16 - 1), False),
        (CLOSE._replace(residual_us=MAIN.replay_residual_us), False),
        (LOOSE._replace(coverage_q16=MAIN.replay_whole_q16, residual_us=LOOSE.residual_us - 1), True),
        (LOOSE._replace(coverage_q16=MAIN.replay_whole_q16 - 1, residual_us=LOOSE.residual_us - 1), False),
        (LOOSE._replace(coverage_q16=MAIN.replay_whole_q16), False),
        (LOOSE._replace(shared_q16=CLOSE.coverage_q16, correlation_q16=MAIN.replay_correlation_q16 + 1), True),
        (LOOSE._replace(shared_q16=CLOSE.coverage_q16 - 1, correlation_q16=MAIN.replay_correlation_q16 + 1), False),
        (LOOSE._replace(shared_q16=CLOSE.coverage_q16, correlation_q16=MAIN.replay_correlation_q16), False),
    ],
)
def test_what_makes_a_replay_to_the_microsecond(match: Match, is_one: bool) -> None:
    assert match.is_replay(MAIN) == is_one
