"""A real take through one node and heard on the other; in full, and with its goal of a millisecond: `make latency`."""

from __future__ import annotations

from tests.groove import needs_groove, take
from tests.latency.groove import groove


@needs_groove
async def test_a_takes_timing_comes_through_as_well_as_is_stated() -> None:
    both = await groove(take("drummer1/session1/102_funk_95_beat_4-4"), 4.0)
    for found in both:
        assert found.notes > 15 and found.missing == 0
        assert found.max_ms <= found.stated_ms + 0.05  # on however busy a machine
