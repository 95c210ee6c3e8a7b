"""What another node's clock shows against ours (SPEC 5, notes/jam.md).

A node sends a peer probes and keeps, per probe, the two one-way differences: forward = their receipt - our sending,
backward = our receipt - their sending. Each is the clock offset plus or minus a delay that is never negative, so the
smallest of either kind is the best seen, half the difference of the two minima is the offset, and half their sum bounds
the error, however uneven the two ways are. A burst of a hundred probes makes one measurement, a handful while nobody
needs that clock. The first bursts follow each other fast, then every 30 s; over ten minutes they give the rate between
the clocks, by which probes of one burst are made comparable and a measurement is carried on to now. How wrong that rate
can be follows from the measurements' own bounds, and is added for every second that a measurement is old.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import combinations
from typing import Final, NamedTuple

PROBES_PER_BURST: Final = 100
IDLE_PROBES: Final = 8  # while nobody plays by this peer's clock: enough to show how far it is off
FIRST_ESTIMATE_PROBES: Final = 8  # enough for a first, rougher estimate
PROBE_GAP_US: Final = 3_000
PROBE_TIMEOUT_US: Final = 1_000_000
BURST_EVERY_US: Final = 30_000_000
BURST_SOON_US: Final = 250_000  # after the first burst, twice as long after each further one: drift is not known yet
BURST_MAX_US: Final = 10_000_000  # a burst whose probes get lost ends with fewer of them
RATE_WINDOW_US: Final = 600_000_000
RATE_MAX_PPB: Final = 200_000
_MEASUREMENTS_MAX: Final = 32
_WANDER_PPB: Final = 1_000  # what a crystal's own rate changes by, with its temperature
_USUAL_PPM: Final = 50.0  # how far two crystals are apart, before anything is known of these
_NOISE_SHARE: Final = 0.1  # of its bound is what a measurement is usually wrong by
_NOISE_MIN_US: Final = 5.0


class Measurement(NamedTuple):
    """One burst's result: when (our clock), their clock minus ours, and the bound on the error."""

    at_us: int
    offset_us: int
    uncertainty_us: int


class Rate(NamedTuple):
    """Their clock's rate against ours, parts per billion, and how wrong that can be."""

    ppb: int
    error_ppb: int


class Reading(NamedTuple):
    """Their clock minus ours at one moment, the bound on the error, and how both go on."""

    offset_us: int
    uncertainty_us: int
    rate: Rate

    def later(self, elapsed_us: int) -> Reading:
        """The same, so much later."""
        offset_us = self.offset_us + self.rate.ppb * elapsed_us // 1_000_000_000
        return Reading(offset_us, self.uncertainty_us + drift_us(self.rate.error_ppb, elapsed_us), self.rate)


UNKNOWN: Final = Rate(0, RATE_MAX_PPB)


class _Burst:
    """Probes that become one measurement. Differences are kept as of its beginning, by the rate known then."""

    def __init__(self, start_us: int, goal: int, rate: Rate) -> None:
        self.start_us = start_us
        self.goal = goal
        self.probes = 0
        self._rate = rate
        self._forward_us = self._backward_us = 0

    def add(self, forward_us: int, backward_us: int, at_us: int) -> None:
        """One probe's differences."""
        drifted_us = self._rate.ppb * (at_us - self.start_us) // 1_000_000_000
        forward_us, backward_us = forward_us - drifted_us, backward_us + drifted_us
        self._forward_us = min(self._forward_us, forward_us) if self.probes else forward_us
        self._backward_us = min(self._backward_us, backward_us) if self.probes else backward_us
        self.probes += 1

    def result(self, at_us: int) -> Measurement:
        """What it comes to so far, as of its middle."""
        half_us = (at_us - self.start_us) // 2
        offset_us = (self._forward_us - self._backward_us) // 2 + self._rate.ppb * half_us // 1_000_000_000
        bound_us = max(0, (self._forward_us + self._backward_us + 1) // 2)
        return Measurement(self.start_us + half_us, offset_us, bound_us + drift_us(self._rate.error_ppb, half_us))


class OffsetEstimator:
    """Offset of one peer's clock against ours. Times are microseconds of the node clocks, and never go back."""

    def __init__(self) -> None:
        self.measurements: deque[Measurement] = deque(maxlen=_MEASUREMENTS_MAX)
        self.rate = UNKNOWN
        self._burst: _Burst | None = None
        self._ended_us: int | None = None  # the last burst
        self._goal = 0  # of the burst under way, or of the last one
        self._full = 0  # bursts of the full size since the clock was last found to be another
        self._sent_us = 0  # the last probe
        self._is_waiting = False  # for its echo
        self._best: Measurement | None = None

    def probe_due_us(self, is_needed: bool = True) -> int:
        """When to send the next probe: within a burst, when the next one is due, or at once where a rough measurement
        does no longer do because this clock `is_needed` to play by. While an echo is awaited: when it is given up."""
        if self._burst is not None:
            return self._sent_us + (PROBE_TIMEOUT_US if self._is_waiting else PROBE_GAP_US)
        if self._ended_us is None or (is_needed and self._goal < PROBES_PER_BURST):
            return 0
        if not is_needed or not self._full:
            return self._ended_us + BURST_EVERY_US
        return self._ended_us + min(BURST_EVERY_US, BURST_SOON_US << min(self._full - 1, 16))

    def wants_probe(self, now_us: int, is_needed: bool = True) -> bool:
        """Whether to send a probe now."""
        return self.probe_due_us(is_needed) <= now_us

    def look_us(self, now_us: int, is_needed: bool = True) -> int:
        """When to ask again whether a probe is due: while an echo is awaited sooner than it would be given up."""
        due_us = self.probe_due_us(is_needed)
        if self._burst is None or not self._is_waiting:
            return max(now_us, due_us)
        return min(max(now_us, due_us), now_us + max(PROBE_GAP_US, (now_us - self._sent_us) // 4))

    def probe_sent(self, now_us: int, is_needed: bool = True) -> None:
        """A probe left at `now_us`; the next waits for its echo or for the time-out."""
        if self._burst is None:
            self._burst = _Burst(now_us, IDLE_PROBES, self.rate)
        if is_needed:
            self._burst.goal = PROBES_PER_BURST
        self._goal = self._burst.goal
        self._sent_us, self._is_waiting = now_us, True

    def echo(self, sent_us: int, received_there_us: int, sent_there_us: int, received_us: int) -> None:
        """Take one answered probe in. Answers that go back in time, or were not asked for, are ignored."""
        burst = self._burst
        if burst is None or not self._is_waiting or sent_us != self._sent_us:
            return
        if received_us < sent_us or sent_there_us < received_there_us:
            return
        self._is_waiting = False
        burst.add(received_there_us - sent_us, received_us - sent_there_us, sent_us)
        if burst.probes == FIRST_ESTIMATE_PROBES and not self.measurements:
            self._best = burst.result(received_us)
        is_late = received_us - burst.start_us > BURST_MAX_US and burst.probes >= FIRST_ESTIMATE_PROBES
        if burst.probes >= burst.goal or is_late:
            self._end(burst, received_us)

    def _end(self, burst: _Burst, now_us: int) -> None:
        found = burst.result(now_us)
        self._burst, self._ended_us = None, now_us
        before = self.reading(found.at_us) if self.measurements else None
        if before is not None and not _agree(found, before):
            self.measurements.clear()  # that clock was set, or the way is another: what was known is of no use
            self.rate, self._full = UNKNOWN, 0
        self._full += burst.goal >= PROBES_PER_BURST
        self.measurements.append(found)
        recent = [m for m in self.measurements if found.at_us - m.at_us <= RATE_WINDOW_US]
        self.rate = rate_of(recent)
        # The best does not change while they all grow older: each second adds the same to all.
        self._best = min(recent, key=lambda m: m.uncertainty_us + drift_us(self.rate.error_ppb, found.at_us - m.at_us))

    def reading(self, now_us: int) -> Reading | None:
        """That clock now, by the measurement that says most of it; None before the first estimate."""
        best = self._best
        if best is None:
            return None
        return Reading(best.offset_us, best.uncertainty_us, self.rate).later(max(0, now_us - best.at_us))


def drift_us(error_ppb: int, elapsed_us: int) -> int:
    """What an error in a rate comes to in a time, rounded up."""
    return -(-error_ppb * elapsed_us // 1_000_000_000)


def rate_of(points: Sequence[Measurement]) -> Rate:
    """The rate that measurements, the oldest first, show: weighted least squares, drawn towards no rate at all while
    they say little. Each measurement's bound holds for certain, so each pair of them bounds the true rate as well."""
    if len(points) < 2:
        return UNKNOWN
    spread = [max(_NOISE_MIN_US, m.uncertainty_us * _NOISE_SHARE) for m in points]
    weights = [1.0 / s**2 for s in spread]
    origin, total = points[0], sum(weights)
    t_s = [(m.at_us - origin.at_us) / 1e6 for m in points]
    offset_us = [float(m.offset_us - origin.offset_us) for m in points]
    mean_t = sum(w * t for w, t in zip(weights, t_s, strict=True)) / total
    mean_offset = sum(w * o for w, o in zip(weights, offset_us, strict=True)) / total
    cov = sum(w * (t - mean_t) * (o - mean_offset) for w, t, o in zip(weights, t_s, offset_us, strict=True))
    var = sum(w * (t - mean_t) ** 2 for w, t in zip(weights, t_s, strict=True))
    ppb = round(1_000 * cov / (var + 1 / _USUAL_PPM**2))
    ppb = max(-RATE_MAX_PPB, min(RATE_MAX_PPB, ppb))
    errors = (_error_ppb(ppb, one, other) for one, other in combinations(points, 2) if other.at_us > one.at_us)
    return Rate(ppb, min(RATE_MAX_PPB, _WANDER_PPB + min(errors, default=RATE_MAX_PPB)))


def _agree(found: Measurement, before: Reading) -> bool:
    return abs(found.offset_us - before.offset_us) <= found.uncertainty_us + before.uncertainty_us


def _error_ppb(ppb: int, one: Measurement, other: Measurement) -> int:
    """How far a rate can be from the true one, as far as two measurements can tell."""
    elapsed_us = other.at_us - one.at_us
    slope_ppb = (other.offset_us - one.offset_us) * 1_000_000_000 // elapsed_us
    return abs(ppb - slope_ppb) + (one.uncertainty_us + other.uncertainty_us) * 1_000_000_000 // elapsed_us
