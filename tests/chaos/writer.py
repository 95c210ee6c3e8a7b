"""Somebody who plays into one node for as long as the soak lasts, and keeps what the node acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from threading import Event as Flag

import trio
from trio_websocket import ConnectionClosed, HandshakeError

from consensus.events import Kind
from crdt.errors import OperatingFailure
from node.client import Client
from node.feed import Event, PlayFeed, open_feed
from tests.chaos.tags import note, number_of

_RETRY_S = 0.1
_DRAIN_S = 15.0  # a node that was frozen answers after it is thawed


class Writer:
    """Plays numbered events at random moments, `rate` a second on average; comes back whenever its node does."""

    def __init__(self, data_dir: Path, seed: str, rate: float, kind: Kind) -> None:
        self.sent: set[int] = set()
        self.acknowledged: set[int] = set()
        self.refused: list[str] = []
        self.connected = 0
        self._data_dir = data_dir
        self._chance = Random(seed)
        self._rate = rate
        self._kind = kind
        self._next = 0
        self._over = Flag()
        self.busy = False  # an answer may still come

    def stop(self) -> None:
        """Begin no more events; what was sent is still waited for."""
        self._over.set()

    def run(self) -> None:
        """Play until stopped."""
        trio.run(self._play_on)

    async def _play_on(self) -> None:
        self.busy = True
        while not self._over.is_set():
            try:
                async with trio.open_nursery() as nursery:
                    async with open_feed(Client.of(self._data_dir).address, nursery, self._saved) as feed:
                        self.connected += 1
                        await self._play(feed)
                    nursery.cancel_scope.cancel()
            except* (OperatingFailure, ConnectionClosed, HandshakeError):
                await trio.sleep(_RETRY_S)
        self.busy = False

    async def _play(self, feed: PlayFeed) -> None:
        try:
            while not self._over.is_set():
                await trio.sleep(self._chance.expovariate(self._rate))
                number, self._next = self._next, self._next + 1
                self.sent.add(number)
                await feed.play([(feed.node_us(), *note(number, self._kind))])
            with trio.move_on_after(_DRAIN_S):
                await feed.drain()
        finally:
            self.refused.extend(str(refusal) for refusal in feed.refusals)

    def _saved(self, events: Sequence[Event]) -> None:
        self.acknowledged.update(number_of(*event[2:5]) for event in events)
