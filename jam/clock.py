"""Session time: whose clock it is, and how the others know it (SPEC 5, notes/jam.md).

A jam's time is its creator's clock. Everyone else sends the creator probes and keeps, per probe, the two one-way
differences: forward = their receipt - our sending, backward = our receipt - their sending. Each is the clock offset
plus or minus a delay that is never negative, so the smallest of either kind is the best seen, and half the
difference of the two minima is the offset; half their sum bounds the error, and is published beside it. A burst of
a hundred probes makes one measurement, a handful while nobody needs that clock; measurements over ten minutes give
the rate between the clocks. What is shown moves towards what is measured by at most a millisecond a second, so that
beats never jump.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

PROBES_PER_BURST: Final = 100
IDLE_PROBES: Final = 8  # while nobody plays by this peer's clock: enough to show how far it is off
FIRST_ESTIMATE_PROBES: Final = 8  # enough for a first, rougher estimate
BURST_EVERY_US: Final = 30_000_000
PROBE_TIMEOUT_US: Final = 1_000_000
RATE_WINDOW_US: Final = 600_000_000
RATE_SPAN_MIN_US: Final = 60_000_000
RATE_MAX_PPM: Final = 200
SLEW_PPM: Final = 1_000


class Measurement(NamedTuple):
    """One burst's result: when (our clock), their clock minus ours, and the bound on the error."""

    at_us: int
    offset_us: int
    uncertainty_us: int


class OffsetEstimator:
    """Offset of one peer's clock against ours. Times are microseconds of the node clocks."""

    def __init__(self) -> None:
        self._forward_us: int | None = None
        self._backward_us: int | None = None
        self._probes = 0
        self._goal = 0  # probes in the burst under way, or in the last one
        self._burst_started_us: int | None = None
        self._last_probe_us: int | None = None
        self.measurements: deque[Measurement] = deque(maxlen=32)
        self._shown: Measurement | None = None

    def wants_probe(self, now_us: int, is_needed: bool = True) -> bool:
        """Whether to send a probe now: within a burst, when the next one is due, or when a rough measurement does no
        longer do because this clock `is_needed` to play by."""
        if self._burst_started_us is None:
            last = self.measurements[-1].at_us if self.measurements else None
            is_rough = is_needed and self._goal < PROBES_PER_BURST
            return last is None or is_rough or now_us - last >= BURST_EVERY_US
        waiting = self._last_probe_us is not None and now_us - self._last_probe_us < PROBE_TIMEOUT_US
        return not waiting

    def probe_sent(self, now_us: int, is_needed: bool = True) -> None:
        """A probe left at `now_us`; the next waits for its echo or for the time-out."""
        if is_needed:
            self._goal = PROBES_PER_BURST
        elif self._burst_started_us is None:
            self._goal = IDLE_PROBES
        if self._burst_started_us is None:
            self._burst_started_us = now_us
            self._forward_us = self._backward_us = None
            self._probes = 0
        self._last_probe_us = now_us

    def echo(self, sent_us: int, received_there_us: int, sent_there_us: int, received_us: int) -> None:
        """Take one answered probe in. Answers that go back in time, or were not asked for, are ignored."""
        if self._burst_started_us is None or sent_us != self._last_probe_us:
            return
        if received_us < sent_us or sent_there_us < received_there_us:
            return
        forward, backward = received_there_us - sent_us, received_us - sent_there_us
        self._forward_us = forward if self._forward_us is None else min(self._forward_us, forward)
        self._backward_us = backward if self._backward_us is None else min(self._backward_us, backward)
        self._probes += 1
        self._last_probe_us = None
        if self._probes == FIRST_ESTIMATE_PROBES and self._shown is None:
            self._shown = self._measure(received_us)
        if self._probes >= self._goal:
            self.measurements.append(self._measure(received_us))
            self._burst_started_us = None
            if self._shown is None or abs(self.measurements[-1].offset_us - self._shown.offset_us) > 1_000_000:
                self._shown = self.measurements[-1]

    def _measure(self, at_us: int) -> Measurement:
        assert self._forward_us is not None and self._backward_us is not None
        forward, backward = self._forward_us, self._backward_us
        return Measurement(at_us, (forward - backward) // 2, max(0, (forward + backward + 1) // 2))

    def rate_ppb(self) -> int:
        """Their clock's rate against ours in parts per billion, by least squares over ten minutes; 0 if unknown."""
        if len(self.measurements) < 3:
            return 0
        newest = self.measurements[-1].at_us
        points = [m for m in self.measurements if newest - m.at_us <= RATE_WINDOW_US]
        if len(points) < 3 or newest - points[0].at_us < RATE_SPAN_MIN_US:
            return 0
        mean_at = sum(m.at_us for m in points) // len(points)
        mean_offset = sum(m.offset_us for m in points) // len(points)
        covariance = sum((m.at_us - mean_at) * (m.offset_us - mean_offset) for m in points)
        variance = sum((m.at_us - mean_at) ** 2 for m in points)
        limit = RATE_MAX_PPM * 1_000
        return max(-limit, min(limit, covariance * 1_000_000_000 // variance)) if variance else 0

    def reading(self, now_us: int) -> Measurement | None:
        """The offset to use now, slewed, with its uncertainty; None before the first estimate."""
        if self._shown is None:
            return None
        if self.measurements:
            self._slew(now_us)
        return self._shown

    def _slew(self, now_us: int) -> None:
        assert self._shown is not None
        latest = self.measurements[-1]
        target = latest.offset_us + (now_us - latest.at_us) * self.rate_ppb() // 1_000_000_000
        room = max(0, now_us - self._shown.at_us) * SLEW_PPM // 1_000_000
        step = max(-room, min(room, target - self._shown.offset_us))
        if step or target == self._shown.offset_us:
            remaining = abs(target - self._shown.offset_us - step)
            self._shown = Measurement(now_us, self._shown.offset_us + step, latest.uncertainty_us + remaining)
