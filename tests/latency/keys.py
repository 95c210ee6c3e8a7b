"""From a key to the sound it makes: the key's own time stamp to the moment at which its sound is to begin.

A second trial presses on one node's page and waits for the note on another node's.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import trio

from node.commands.processes import Process
from tests.browser import Chromium
from tests.latency.figures import Spread, beyond, spread
from tests.latency.watched import Watched, watched

GAP_S = (0.06, 0.16)
ARRIVED_S = 10.0


class OwnSound(NamedTuple):
    """Key to own sound. `output_ms` is what the browser says it takes after that, by itself."""

    keys: int
    unheard: int
    latency: Spread
    output_ms: float

    def faults(self) -> list[str]:
        """Goals that were missed."""
        lost = [f"{self.unheard} keys made no sound"] if self.unheard else []
        return lost + beyond("p95 from key to own sound", self.latency.p95, 10)


class Crossing(NamedTuple):
    """Key on one node's page to the event on another's."""

    keys: int
    missing: int
    latency: Spread

    def faults(self) -> list[str]:
        """Goals that were missed."""
        lost = [f"{self.missing} notes did not arrive"] if self.missing else []
        return [*lost, *beyond("p50 page to page", self.latency.p50, 8), *beyond("p99", self.latency.p99, 30)]


async def _strikes(page: Watched, keys: int, chance: Random) -> None:
    for _ in range(keys):
        await page.strike(chance.randrange(10))
        await trio.sleep(chance.uniform(*GAP_S))


async def own_sound(browser: Chromium, nodes: Sequence[Process], keys: int, seed: int) -> OwnSound:
    """Press so many keys on one page."""
    async with trio.open_nursery() as nursery, watched(browser, nodes[0], nursery, len(nodes)) as page:
        await _strikes(page, 3, Random(seed))
        await trio.sleep(0.3)
        await page.drain()
        await _strikes(page, keys, Random(seed))
        await trio.sleep(0.3)
        keyed = (await page.drain())["keyed"]
        nursery.cancel_scope.cancel()
    return OwnSound(keys, keys - len(keyed), spread([ms for ms, _ in keyed]), round(keyed[-1][1], 2))


async def crossing(browser: Chromium, nodes: Sequence[Process], keys: int, seed: int) -> Crossing:
    """Press so many keys on the first node's page, and see them come on the second's."""
    async with (
        trio.open_nursery() as nursery,
        watched(browser, nodes[0], nursery, len(nodes)) as here,
        watched(browser, nodes[1], nursery, len(nodes)) as there,
    ):
        await _strikes(here, 3, Random(seed))
        await there.page.until("symjam.app.world.session?.clock", ARRIVED_S)
        await trio.sleep(0.5)
        await here.drain()
        await there.drain()
        await _strikes(here, keys, Random(seed))
        sent = [at_ms + here.origin_ms for off, _, at_ms in (await here.drain())["own"] if not off]
        told: list[float] = []
        with trio.move_on_after(ARRIVED_S):
            while len(told) < len(sent):
                await trio.sleep(0.1)
                for player, _, kind, _, at_ms in (await there.drain())["told"]:
                    if player == nodes[0].player and kind == 0:
                        told.append(at_ms + there.origin_ms)
        nursery.cancel_scope.cancel()
    taken = [come - gone for gone, come in zip(sent, told, strict=False)]  # one player's notes come in their order
    return Crossing(keys, keys - len(told), spread(taken))
