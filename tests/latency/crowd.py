"""Eight pages on four nodes, all playing: whether each hears all of it, says what came late, and stays as it was.

Each page sounds and draws what everybody plays, as each would on a machine of its own; here all share one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import Any, NamedTuple

import trio

from node.commands.processes import Process
from tests.browser import Chromium
from tests.latency.watched import Watched, watched

NODES = 4
PAGES_A_NODE = 2
JITTER_S = 0.04
DRAIN_S = 1.0
SETTLE_S = 15.0
WARM_S = 20.0  # until memory is looked at first, or a sixth of the time
GROWTH_MAX = 0.10
GROWTH_MAX_BYTES = 1_000_000

Told = tuple[str, int, int, int]  # player, session time, kind, lane


class Crowd(NamedTuple):
    """What came of it. `wanted` keys down and up, of which the pages have `played` those that the browser gave them in
    time: it holds back what a page is too busy to take. `missing` and `foreign`: what pages were not told, or told
    and never played, of all that was `told` there; `heard`: notes of others that came to sound, `late` of them
    after their moment, `unnoticed` ones without being counted so, `stale` too late to sound at all. `cut`: how
    often a page lost its node, or read so slowly that news was dropped, and so missed some. Memory of the largest
    page, bytes."""

    pages: int
    seconds: float
    wanted: int
    played: int
    recorded: int
    told: int
    missing: int
    foreign: int
    heard: int
    late: int
    unnoticed: int
    stale: int
    cut: int
    heap: tuple[int, int, int]
    growth: float  # of the page that grew most, from the first look at its memory to the last

    def faults(self) -> list[str]:
        """Goals that were missed."""
        found = []
        if self.recorded != self.played:
            found.append(f"{self.played} events were played, and {self.recorded} are in the recordings")
        if self.missing or self.foreign:
            found.append(f"{self.missing} events are missing on a page, {self.foreign} were never played")
        if self.unnoticed:
            found.append(f"{self.unnoticed} late notes counted as in time")
        if self.growth > GROWTH_MAX and self.heap[2] - self.heap[0] > GROWTH_MAX_BYTES:
            found.append(f"a page grew by {self.growth:.0%}")
        return found


class _Seat:
    """One page, what was played at it and what it was told."""

    def __init__(self, page: Watched) -> None:
        self.page = page
        self.played = 0
        self.told: Counter[Told] = Counter()
        self.last: dict[str, Any] = {}
        self.heap: list[int] = []

    async def drain(self) -> None:
        self.last = await self.page.drain()
        self.played += len(self.last["own"])
        self.told.update((player, t_us, kind, lane) for player, t_us, kind, lane, _ in self.last["told"])

    async def play(self, seconds: float, rate: float, chance: Random) -> None:
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for number in range(int(seconds * rate)):
                await trio.sleep_until(began + number / rate + chance.uniform(0, JITTER_S))
                nursery.start_soon(self.page.strike, chance.randrange(10))

    async def drain_for(self, seconds: float) -> None:
        """So that what was seen does not pile up in the page, whose memory is looked at."""
        until = trio.current_time() + seconds
        while trio.current_time() < until:
            await trio.sleep(DRAIN_S)
            await self.drain()


def _recordings(nodes: Sequence[Process]) -> list[Counter[Told]]:
    found = []
    for node in nodes:
        takes = node.client().recording()["takes"]
        rows = ((take["player"], t_us, kind, lane) for take in takes for t_us, kind, lane, *_ in take["events"])
        found.append(Counter(row for row in rows if row[2] <= 1))
    return found


async def crowd(browser: Chromium, nodes: Sequence[Process], seconds: float, rate: float, seed: int) -> Crowd:
    """Open the pages, play on all of them for so long, wait for the last note, count."""
    async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
        seats = []
        for node in (*nodes,) * PAGES_A_NODE:
            page = await stack.enter_async_context(watched(browser, node, nursery, len(nodes)))
            seats.append(_Seat(page))
        await seats[0].page.strike(0)  # opens the jam
        for seat in seats:
            await seat.page.page.until("symjam.app.world.session?.clock", SETTLE_S)
        await trio.sleep(1)
        for seat in seats:
            await seat.drain()
        async with trio.open_nursery() as players:
            for number, seat in enumerate(seats):
                players.start_soon(seat.play, seconds, rate, Random(seed + number))
                players.start_soon(seat.drain_for, seconds)
            await _watch_memory(seats, seconds)
        recorded = await _settled(nodes, seats)
        outcome = _outcome(seats, seconds, rate, recorded)
        nursery.cancel_scope.cancel()
    return outcome


async def _watch_memory(seats: Sequence[_Seat], seconds: float) -> None:
    began, warm_s = trio.current_time(), min(WARM_S, seconds / 6)
    for at_s in (warm_s, (warm_s + seconds) / 2, seconds):
        await trio.sleep_until(began + at_s)
        for seat in seats:
            seat.heap.append(await seat.page.heap_bytes())


async def _settled(nodes: Sequence[Process], seats: Sequence[_Seat]) -> list[Counter[Told]]:
    """The recordings, once they are the same and every page was told all of them, or it has taken too long."""
    until = trio.current_time() + SETTLE_S
    while True:
        await trio.sleep(0.5)
        for seat in seats:
            await seat.drain()
        recorded = await trio.to_thread.run_sync(_recordings, nodes)
        if all(seat.told == recorded[0] for seat in seats) and all(one == recorded[0] for one in recorded):
            return recorded
        if trio.current_time() > until:
            return recorded


def _outcome(seats: Sequence[_Seat], seconds: float, rate: float, recorded: Sequence[Counter[Told]]) -> Crowd:
    whole = recorded[0]
    missing = sum((whole - seat.told).total() for seat in seats) + sum((whole - one).total() for one in recorded)
    foreign = sum((seat.told - whole).total() for seat in seats)
    growth = max((seat.heap[-1] - seat.heap[0]) / seat.heap[0] for seat in seats)
    first, middle, last = (max(seat.heap[n] for seat in seats) for n in range(3))
    return Crowd(
        len(seats),
        seconds,
        2 * len(seats) * int(seconds * rate),
        sum(seat.played for seat in seats),
        whole.total(),
        sum(seat.told.total() for seat in seats),
        missing,
        foreign,
        *(sum(seat.last[name] for seat in seats) for name in ("notes", "late", "unnoticed", "stale", "cut")),
        (first, middle, last),
        round(growth, 4),
    )
