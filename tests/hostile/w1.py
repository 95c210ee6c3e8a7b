"""W1: one author plays an event every 20 ms; how long until each is at the other node's listener.

Both ends are WebSockets of one process, so one clock times both: from just before the call that plays to the
arrival of the notice at the other node.
"""

from __future__ import annotations

import json
import time
from typing import NamedTuple

import trio
from trio_websocket import ConnectionClosed, open_websocket_url

from node.feed import open_feed
from node.runtime import ApiAddress

EVERY_S = 0.02
SETTLE_S = 5.0
_WARM_UP = 25  # events before any is timed: the jam is opened with the first
_MESSAGE_MAX_BYTES = 64_000_000


class Latency(NamedTuple):
    """Milliseconds from play to arrival, and how many of the played never arrived."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    played: int
    missing: int


class _Played:
    """When each event left and came, by its number, which stands in its pitch and velocity."""

    def __init__(self) -> None:
        self.left_ns: dict[int, int] = {}
        self.came_ns: dict[int, int] = {}

    def note(self, number: int) -> tuple[int, int]:
        return number % 128, number // 128 % 128

    def take(self, text: str, author: str, now_ns: int) -> None:
        message = json.loads(text)
        if message.get("type") != "event" or message["player"] != author:
            return
        for event in message["events"]:
            self.came_ns.setdefault(event[3] + 128 * event[4], now_ns)

    def latency(self, first: int) -> Latency:
        took = sorted(
            (self.came_ns[number] - left) / 1e6
            for number, left in self.left_ns.items()
            if number >= first and number in self.came_ns
        )
        missing = len(self.left_ns.keys() - self.came_ns.keys())
        if not took:
            return Latency(0.0, 0.0, 0.0, len(self.left_ns), missing)
        at = [took[min(len(took) - 1, len(took) * share // 100)] for share in (50, 99)]
        return Latency(at[0], at[1], took[-1], len(self.left_ns), missing)


async def measure(author: ApiAddress, listener: ApiAddress, player: str, seconds: float) -> Latency:
    """Play for so many seconds and listen; then wait, for some seconds at most, for what is still on its way."""
    played = _Played()
    url, protocols = f"ws://127.0.0.1:{listener.port}/ws", ["symjam", f"token.{listener.token}"]
    async with (
        open_websocket_url(url, subprotocols=protocols, max_message_size=_MESSAGE_MAX_BYTES) as websocket,
        trio.open_nursery() as nursery,
    ):

        async def listen() -> None:
            try:
                while True:
                    text = await websocket.get_message()
                    played.take(text, player, time.monotonic_ns())
            except ConnectionClosed:
                return

        nursery.start_soon(listen)
        async with open_feed(author, nursery) as feed:
            begins = trio.current_time()
            for number in range(_WARM_UP + int(seconds / EVERY_S)):
                await trio.sleep_until(begins + number * EVERY_S)
                played.left_ns[number] = time.monotonic_ns()
                await feed.play([(feed.node_us(), 0, 1, *played.note(number))])
            with trio.move_on_after(SETTLE_S):
                await feed.drain()
                while played.left_ns.keys() - played.came_ns.keys():
                    await trio.sleep(0.02)
        nursery.cancel_scope.cancel()
    return played.latency(_WARM_UP)
