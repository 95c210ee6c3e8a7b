"""What is shown: it never goes back, and comes to what is measured."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jam.slew import ANEW_US, SET_US, SETTLING_US, SLEW_PPM, Slewed

_ELAPSED = st.one_of(st.integers(0, 5), st.integers(0, 2_000_000))
_STEPS = st.lists(st.tuples(_ELAPSED, st.integers(-ANEW_US // 2, ANEW_US // 2)), min_size=1, max_size=200)


def _settled() -> Slewed:
    shown = Slewed()
    shown.follow(0, 0)
    shown.follow(0, SETTLING_US)
    return shown


def test_a_rough_first_estimate_is_put_right_within_its_own_size() -> None:
    shown = Slewed()
    shown.follow(0, 0)
    assert shown.follow(3_000, 10) == 3_000
    assert shown.follow(1_000, 2_010) == 2_000
    assert shown.follow(1_000, 4_010) == 1_000


@given(_STEPS)
def test_time_never_goes_back_whatever_is_measured(steps: list[tuple[int, int]]) -> None:
    shown, now, before = Slewed(), 0, None
    for elapsed_us, target_us in steps:
        now += elapsed_us
        time_us = now + shown.follow(target_us, now)
        assert before is None or time_us >= before
        before = time_us


@given(st.integers(-SET_US, SET_US), st.lists(st.integers(0, 40_000), min_size=1, max_size=100))
def test_a_small_error_is_put_right_by_a_millisecond_a_second(wrong_us: int, steps: list[int]) -> None:
    """However often it is looked at: also more often than there are microseconds to move."""
    shown, now = _settled(), SETTLING_US
    for elapsed_us in steps:
        now += elapsed_us
        moved_us = shown.follow(wrong_us, now)
        assert abs(moved_us) <= min(abs(wrong_us), (now - SETTLING_US) * SLEW_PPM // 1_000_000)
    now += abs(wrong_us) * 1_000_000 // SLEW_PPM
    assert shown.follow(wrong_us, now) == wrong_us


def test_often_asked_it_still_moves() -> None:
    shown = _settled()
    for now in range(SETTLING_US, SETTLING_US + 10_001, 7):
        shown.follow(-1_000, now)
    assert -10 <= (shown.offset_us or 0) <= -9


def test_a_clock_that_was_set_is_followed_forward_at_once_backward_at_half_the_pace() -> None:
    shown = Slewed()
    shown.follow(0, 0)
    assert shown.follow(2_000_000, 10) == 2_000_000
    assert shown.follow(1_000_000, 1_000_010) == 1_500_000
    assert shown.follow(1_000_000, 3_000_010) == 1_000_000


def test_another_time_altogether_is_taken_as_it_is() -> None:
    shown = Slewed()
    shown.follow(0, 0)
    assert shown.follow(-ANEW_US - 1, 10) == -ANEW_US - 1
