"""The offset estimator: right within its own bound, whatever the delays and the drift, and soon near the truth."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jam.clock import (
    BURST_EVERY_US,
    BURST_MAX_US,
    BURST_SOON_US,
    FIRST_ESTIMATE_PROBES,
    IDLE_PROBES,
    PROBE_GAP_US,
    PROBE_TIMEOUT_US,
    PROBES_PER_BURST,
    RATE_MAX_PPB,
    Measurement,
    OffsetEstimator,
    rate_of,
)

Delays = Callable[[], tuple[int, int]]
START_US = 10**12


def _true_us(at_us: int, offset_us: int, ppm: int) -> int:
    return offset_us + (at_us - START_US) * ppm // 1_000_000


def _burst(
    est: OffsetEstimator, at_us: int, offset_us: int, delays: Delays, ppm: int = 0, is_needed: bool = True
) -> int:
    """One burst from when it is due; the time after it."""
    now, began = max(at_us, est.probe_due_us(is_needed)), False
    while not began or est.probe_due_us(is_needed) - now <= PROBE_GAP_US:
        began, now = True, max(now, est.probe_due_us(is_needed))
        forward, backward = delays()
        est.probe_sent(now, is_needed)
        received = now + forward
        there = received + _true_us(received, offset_us, ppm)
        est.echo(now, there, there + 50, received + 50 + backward)
        now = received + 50 + backward
    return now


def _always(forward_us: int, backward_us: int) -> Delays:
    return lambda: (forward_us, backward_us)


def _wireless(seed: int) -> Delays:
    chance = Random(seed)
    return lambda: (1_000 + int(chance.expovariate(1 / 2_000)), 1_000 + int(chance.expovariate(1 / 2_000)))


@settings(max_examples=60)
@given(
    st.integers(-(10**9), 10**9),
    st.integers(-100, 100),
    st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 30_000)), min_size=1, max_size=100),
    st.integers(1, 6),
    st.integers(0, 60_000_000),
)
def test_the_stated_uncertainty_covers_the_truth(
    offset_us: int, ppm: int, delays: list[tuple[int, int]], bursts: int, later_us: int
) -> None:
    """Under any drift that two crystals have, in any network, at any time, before a rate is known and after."""
    est, now, at = OffsetEstimator(), START_US, 0

    def next_delays() -> tuple[int, int]:
        nonlocal at
        at += 1
        return delays[at % len(delays)]

    for _ in range(bursts):
        now = _burst(est, now, offset_us, next_delays, ppm)
    for when in (now, now + later_us):
        reading = est.reading(when)
        assert reading is not None
        assert abs(reading.offset_us - _true_us(when, offset_us, ppm)) <= reading.uncertainty_us + 2


@pytest.mark.parametrize("ppm", [-100, -50, 0, 50, 100])
def test_wireless_and_drifting_it_is_within_half_a_millisecond(ppm: int) -> None:
    est, delays, now = OffsetEstimator(), _wireless(ppm), START_US
    errors = []
    for _ in range(25):
        now = _burst(est, now, 7_000_000, delays, ppm)
        for when in range(now, est.probe_due_us(), 100_000):
            reading = est.reading(when)
            if when - START_US > 5_000_000 and reading is not None:
                errors.append(abs(reading.offset_us - _true_us(when, 7_000_000, ppm)))
    assert len(errors) > 5_000
    assert sorted(errors)[len(errors) * 95 // 100] < 500


def test_the_rate_between_two_clocks_is_found() -> None:
    est, delays, now = OffsetEstimator(), _wireless(1), START_US
    for _ in range(12):
        now = _burst(est, now, 0, delays, 50)
    assert abs(est.rate.ppb - 50_000) < 3_000
    assert abs(est.rate.ppb - 50_000) <= est.rate.error_ppb < 50_000


def test_no_rate_is_known_from_one_measurement_nor_from_two_at_one_time() -> None:
    one = Measurement(5, 10, 20)
    assert rate_of([]).error_ppb == rate_of([one]).error_ppb == rate_of([one, one]).error_ppb == RATE_MAX_PPB


def test_a_first_estimate_comes_early_and_bursts_follow_ever_more_slowly() -> None:
    est, now = OffsetEstimator(), START_US
    assert est.reading(now) is None
    for _ in range(FIRST_ESTIMATE_PROBES):
        est.probe_sent(now)
        est.echo(now, now + 600, now + 600, now + 200)
        now += 10_000
    first = est.reading(now)
    assert first is not None and first.offset_us == 500 and not est.measurements
    now = _burst(est, now, 500, _always(100, 100))
    waits = []
    for _ in range(9):
        waits.append(est.probe_due_us() - now)
        now = _burst(est, now, 500, _always(100, 100))
    assert waits[:3] == [BURST_SOON_US, 2 * BURST_SOON_US, 4 * BURST_SOON_US]
    assert waits[-1] == BURST_EVERY_US


def test_a_clock_that_nobody_plays_by_is_measured_roughly_and_at_once_better_when_somebody_does() -> None:
    est, now, sent = OffsetEstimator(), 0, 0
    while est.wants_probe(now, is_needed=False):
        est.probe_sent(now, is_needed=False)
        est.echo(now, now + 600, now + 600, now + 200)
        now, sent = now + 10_000, sent + 1
    reading = est.reading(now)
    assert sent == IDLE_PROBES and reading is not None and reading.offset_us == 500
    assert est.probe_due_us(is_needed=False) == now - 10_000 + 200 + BURST_EVERY_US
    assert est.wants_probe(now)
    est.probe_sent(now)
    est.echo(now, now + 600, now + 600, now + 200)
    now = _burst(est, now + 10_000, 500, _always(100, 100), is_needed=False)  # a burst begun is ended
    assert len(est.measurements) == 2 and not est.wants_probe(now)


def test_a_clock_that_was_set_is_believed_and_what_was_known_before_forgotten() -> None:
    est, now = OffsetEstimator(), START_US
    for _ in range(6):
        now = _burst(est, now, 0, _always(100, 100), 80)
    assert est.rate.ppb > 50_000
    now = _burst(est, now, 3_000_000, _always(100, 100))
    reading = est.reading(now)
    assert reading is not None and abs(reading.offset_us - 3_000_000) <= 1
    assert reading.rate.ppb == 0 and est.probe_due_us() - now == BURST_SOON_US


def test_probes_that_get_lost_are_given_up_and_a_burst_of_too_few_ends() -> None:
    est, now, sent = OffsetEstimator(), 0, 0
    while not est.measurements:
        est.probe_sent(now)
        sent += 1
        if sent % 2:
            assert est.probe_due_us() == now + PROBE_TIMEOUT_US
            assert now < est.look_us(now) < now + PROBE_TIMEOUT_US
            now += PROBE_TIMEOUT_US
        else:
            est.echo(now, now + 100, now + 100, now + 200)
            now += 200
        assert now < 3 * BURST_MAX_US
    assert sent < PROBES_PER_BURST


@pytest.mark.parametrize(
    ("sent", "there", "left", "back"),
    [(5, 10, 20, 30), (0, 20, 10, 30), (0, 10, 20, -1)],
    ids=["never asked", "left before it came", "back before it was sent"],
)
def test_impossible_echoes_are_ignored(sent: int, there: int, left: int, back: int) -> None:
    est = OffsetEstimator()
    for _ in range(FIRST_ESTIMATE_PROBES):
        est.probe_sent(0)
        est.echo(sent, there, left, back)
    assert est.reading(100) is None


def test_an_echo_counts_once() -> None:
    est = OffsetEstimator()
    est.probe_sent(0)
    for _ in range(FIRST_ESTIMATE_PROBES):
        est.echo(0, 10, 20, 30)
    assert est.reading(100) is None
