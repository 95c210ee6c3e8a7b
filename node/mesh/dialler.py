"""Dialling: every known address of every peer that is wanted and not connected, in parallel, each at its own pace.

libp2p's `connect` takes 250 ms at least, tries one address only and blocks a peer for a minute after a failure
(notes/libp2p.md); dialling an address directly takes 18 ms. When two nodes discover each other at once, the one with
the greater key waits a moment, so that usually one connection arises and not two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import trio

from crdt.limits import DIALS_MAX
from crdt.types import PlayerId
from node.mesh.address import Address
from node.mesh.addressbook import AddressBook, Place, Source
from node.mesh.guard import Guard
from node.mesh.host import MeshHost

DIAL_TIMEOUT_S: Final = 4.0
POLITE_S: Final = 0.4
_IDLE_S: Final = 5.0
_BREATH_S: Final = 0.05  # a look through a full book takes milliseconds: a flood of news is looked at in lots
_EXPIRE_S: Final = 30.0


class Dialler:
    """Works through an address book. `wanted` says whom to connect to, besides those connected already."""

    def __init__(
        self,
        host: MeshHost,
        book: AddressBook,
        guard: Guard,
        counters: Counter[str],
        wanted: Callable[[PlayerId], bool],
    ) -> None:
        self._host = host
        self._book = book
        self._guard = guard
        self._counters = counters
        self._wanted = wanted
        self._wake = trio.Event()
        self._dialling = 0
        self._attempts: dict[PlayerId, set[trio.CancelScope]] = {}

    def learn(self, addresses: Iterable[Address], source: Source) -> None:
        """Take in addresses; new ones are dialled at once, or a moment later by the greater key."""
        now = trio.current_time()
        for address in addresses:
            if address.player != self._host.player:
                wait = self._politeness(address.player) if source is Source.ANNOUNCED else 0.0
                self._book.add(address, source, now, wait)
        self._wake.set()

    def lost(self, player: PlayerId) -> None:
        """A connection to a player ended."""
        self._book.lost(player, trio.current_time(), self._politeness(player))
        self._wake.set()

    def network_changed(self) -> None:
        """Try everybody again now."""
        self._book.all_due(trio.current_time())
        self._wake.set()

    def look_again(self) -> None:
        """Whom to dial may have changed."""
        self._wake.set()

    async def run(self) -> None:
        """Dial for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._expire)
            while True:
                self._wake = trio.Event()
                for place in self._book.due(trio.current_time(), self._is_missing):
                    if self._dialling >= DIALS_MAX:
                        break
                    place.dialling = True
                    self._dialling += 1
                    nursery.start_soon(self._guard.run, "dial", self._dial, place)
                due = self._book.next_due_s(self._is_missing) if self._dialling < DIALS_MAX else None
                pause = _IDLE_S if due is None else max(0.01, due - trio.current_time())
                with trio.move_on_after(min(pause, _IDLE_S)):
                    await self._wake.wait()
                await trio.sleep(_BREATH_S)

    async def _dial(self, place: Place) -> None:
        worked = False
        self._counters["dials"] += 1
        attempts = self._attempts.setdefault(place.address.player, set())
        try:
            with trio.move_on_after(DIAL_TIMEOUT_S) as attempt:
                attempts.add(attempt)
                worked = await self._host.dial(place.address)
            for other in attempts if worked else ():
                other.cancel()  # one connection is enough
        finally:
            attempts.discard(attempt)
            if not attempts:
                self._attempts.pop(place.address.player, None)
            self._dialling -= 1
            self._counters["dials-failed"] += not worked
            self._book.ended(place, worked, trio.current_time())
            self._wake.set()

    async def _expire(self) -> None:
        while True:
            await trio.sleep(_EXPIRE_S)
            self._book.expire(trio.current_time(), lambda player: bool(self._host.connections(player)))

    def _is_missing(self, player: PlayerId) -> bool:
        return self._wanted(player) and not self._host.connections(player)

    def _politeness(self, player: PlayerId) -> float:
        return POLITE_S if self._host.player > player else 0.0
