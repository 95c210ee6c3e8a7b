"""The beat grid in exact integers.

Step k of a session lies at k * 60e9 / (tempo_mbpm * subdivision) microseconds. That is rarely a whole number, and a
rounded step length would be off by its remainder times k: at 94 beats per minute a grid of 159,574 us is a
millisecond late after three minutes. So the grid is kept as a fraction and only the result is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from consensus.ops import SessionOpen

MINUTE_MBPM_US: Final = 60_000_000_000  # microseconds in a minute, for tempos in thousandths of a beat


class Grid(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a session declares: tempo in thousandths of a beat per minute, beats in a bar, steps in a beat."""

    tempo_mbpm: Annotated[int, Meta(ge=20_000, le=400_000)]
    beats_per_bar: Annotated[int, Meta(ge=1, le=32)]
    subdivision: Annotated[int, Meta(ge=1, le=12)]

    @property
    def steps_per_minute_e3(self) -> int:
        """The denominator of every position: thousandths of a step per minute."""
        return self.tempo_mbpm * self.subdivision

    @property
    def step_us(self) -> int:
        """Length of a step in whole microseconds, rounded down: for display and bounds, never to be summed."""
        return MINUTE_MBPM_US // self.steps_per_minute_e3

    @property
    def steps_per_bar(self) -> int:
        """Steps in a bar."""
        return self.beats_per_bar * self.subdivision

    def step(self, t_us: int) -> int:
        """Number of the step nearest to a session time (of two equally near, the later)."""
        return (2 * t_us * self.steps_per_minute_e3 + MINUTE_MBPM_US) // (2 * MINUTE_MBPM_US)

    def step_at_us(self, step: int) -> int:
        """Session time of a step, to the nearest microsecond."""
        return _rounded(step * MINUTE_MBPM_US, self.steps_per_minute_e3)

    def deviation_us(self, t_us: int) -> int:
        """How late a session time is against its nearest step (negative: early), to the nearest microsecond."""
        return self.nearest((t_us,))[0][1]

    def nearest(self, times_us: Iterable[int]) -> list[tuple[int, int]]:
        """Both for many times: the nearest step, and how late the time is against it."""
        scale, minute, found = self.steps_per_minute_e3, MINUTE_MBPM_US, []
        for t_us in times_us:
            place = t_us * scale
            step = (2 * place + minute) // (2 * minute)
            found.append((step, (2 * (place - step * minute) + scale) // (2 * scale)))
        return found


def grid_of(session: SessionOpen) -> Grid:
    """The grid that a session declared."""
    return Grid(session.tempo_mbpm, session.beats_per_bar, session.subdivision)


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
