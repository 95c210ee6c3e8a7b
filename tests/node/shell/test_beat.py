"""Ticks close together while things happen, far apart while nothing does."""

from __future__ import annotations

import trio
import trio.testing

from node.shell.beat import LIVELY_S, QUIET_TICK_S, TICK_S, Beat


async def _ticks(beat: Beat, count: int) -> list[float]:
    """How long each wait took."""
    took = []
    for _ in range(count):
        began = trio.current_time()
        await beat.wait()
        took.append(round(trio.current_time() - began, 6))
    return took


async def test_far_apart_until_something_happens(autojump_clock: trio.testing.MockClock) -> None:
    assert await _ticks(Beat(), 5) == [QUIET_TICK_S] * 5


async def test_who_stirs_ends_the_long_wait_at_once(autojump_clock: trio.testing.MockClock) -> None:
    beat = Beat()
    async with trio.open_nursery() as nursery:

        async def stir() -> None:
            await trio.sleep(QUIET_TICK_S / 4)
            beat.stir()

        nursery.start_soon(stir)
        assert await _ticks(beat, 3) == [QUIET_TICK_S / 4, TICK_S, TICK_S]


async def test_close_for_as_long_as_it_is_lively(autojump_clock: trio.testing.MockClock) -> None:
    beat = Beat()
    beat.stir()
    took = await _ticks(beat, round(LIVELY_S / TICK_S) + 3)
    assert set(took[: round(LIVELY_S / TICK_S)]) == {TICK_S}
    assert took[-2:] == [QUIET_TICK_S] * 2


async def test_each_stir_begins_the_time_anew(autojump_clock: trio.testing.MockClock) -> None:
    beat = Beat()
    for _ in range(4):
        beat.stir()
        assert set(await _ticks(beat, round(LIVELY_S / TICK_S / 2))) == {TICK_S}
