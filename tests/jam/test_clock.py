"""The offset estimator: right within its own bound, whatever the delays, and never jumping."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jam.clock import BURST_EVERY_US, FIRST_ESTIMATE_PROBES, IDLE_PROBES, PROBES_PER_BURST, OffsetEstimator


def _burst(est: OffsetEstimator, at_us: int, offset_us: int, delays: list[tuple[int, int]], drift_ppm: int = 0) -> int:
    now = at_us
    for forward, backward in delays:
        while not est.wants_probe(now):
            now += 10_000
        true = offset_us + (now - at_us) * drift_ppm // 1_000_000
        est.probe_sent(now)
        there = now + forward + true
        est.echo(now, there, there + 50, now + forward + 50 + backward)
        now += forward + backward + 10_000
    return now


@settings(max_examples=60)
@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 30_000)), min_size=100, max_size=100),
)
def test_the_stated_uncertainty_covers_the_truth(offset_us: int, delays: list[tuple[int, int]]) -> None:
    est = OffsetEstimator()
    now = _burst(est, 10**12, offset_us, delays)
    reading = est.measurements[-1]
    assert abs(reading.offset_us - offset_us) <= reading.uncertainty_us + 1
    assert est.reading(now) is not None


def test_a_first_estimate_comes_early_and_the_burst_ends() -> None:
    est = OffsetEstimator()
    assert est.reading(0) is None
    _burst(est, 0, 500, [(100, 100)] * FIRST_ESTIMATE_PROBES)
    first = est.reading(1_000_000)
    assert first is not None and first.offset_us == 500
    now = _burst(est, 2_000_000, 500, [(100, 100)] * (PROBES_PER_BURST - FIRST_ESTIMATE_PROBES))
    assert not est.wants_probe(now)
    assert est.wants_probe(now + BURST_EVERY_US)


def test_a_clock_that_nobody_plays_by_is_measured_roughly_and_at_once_better_when_somebody_does() -> None:
    est, now, sent = OffsetEstimator(), 0, 0
    while est.wants_probe(now, is_needed=False):
        est.probe_sent(now, is_needed=False)
        est.echo(now, now + 600, now + 600, now + 200)
        now, sent = now + 10_000, sent + 1
    reading = est.reading(now)
    assert sent == IDLE_PROBES and reading is not None and reading.offset_us == 500
    assert est.wants_probe(now) and not est.wants_probe(now, is_needed=False)
    now = _burst(est, now, 500, [(100, 100)] * (PROBES_PER_BURST // 2))
    assert est.wants_probe(now, is_needed=False)  # a burst begun is ended
    now = _burst(est, now, 500, [(100, 100)] * (PROBES_PER_BURST // 2))
    assert not est.wants_probe(now) and len(est.measurements) == 2


def test_what_is_shown_moves_slowly_towards_what_is_measured() -> None:
    est = OffsetEstimator()
    now = _burst(est, 0, 0, [(100, 100)] * PROBES_PER_BURST)
    shown = est.reading(now)
    assert shown is not None and shown.offset_us == 0
    now = _burst(est, now + BURST_EVERY_US, 400_000, [(100, 100)] * PROBES_PER_BURST)
    previous = est.reading(now)
    assert previous is not None
    for _ in range(50):
        now += 20_000
        after = est.reading(now)
        assert after is not None
        assert 0 <= after.offset_us - previous.offset_us <= 20 + 1
        assert abs(400_000 - after.offset_us) <= after.uncertainty_us
        previous = after


def test_the_rate_between_two_clocks_is_found() -> None:
    est, chance, now = OffsetEstimator(), Random(1), 10**12
    start, ppm = now, 50
    for _ in range(10):
        offset = (now - start) * ppm // 1_000_000
        delays = [(chance.randint(100, 3_000), chance.randint(100, 3_000)) for _ in range(PROBES_PER_BURST)]
        now = max(now + BURST_EVERY_US, _burst(est, now, offset, delays, ppm))
    assert abs(est.rate_ppb() - 50_000) < 5_000


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
