"""A player that is a program: `symjam jam` sends its events through the WebSocket that the page uses too.

The caller asks for the node's clock and stamps events with it. Plays are acknowledged once saved; at most
FEED_IN_FLIGHT_MAX are on their way at a time, so a node that is slow to save slows the sender instead of filling up.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, HandshakeError, WebSocketConnection, open_websocket_url

from crdt.errors import OperatingFailure
from crdt.limits import EVENTS_PER_ENTRY_MAX, FEED_IN_FLIGHT_MAX
from node.runtime import ApiAddress, NoNode

Event = tuple[int, int, int, int, int]  # at_us on the node's clock, kind, lane, pitch, velocity
_PROBES: Final = 16
_MESSAGE_MAX_BYTES: Final = 32_000_000  # a hello of a long evening
_TIMEOUT_S: Final = 10.0


class PlayFeed:
    """An open connection to the node for playing. Made by `open_feed`."""

    def __init__(self, websocket: WebSocketConnection, on_saved: Callable[[Sequence[Event]], None]) -> None:
        self._websocket = websocket
        self._on_saved = on_saved
        self._offset_us = 0
        self._next_id = 0
        self._waiting: dict[int, Sequence[Event]] = {}  # by play id
        self._slots = trio.Semaphore(FEED_IN_FLIGHT_MAX)
        self._settled = trio.Event()
        self._pongs: dict[int, tuple[int, int]] = {}
        self._pong = trio.Event()
        self._lost: OperatingFailure | None = None
        self.hello: dict[str, Any] = {}
        self.saved_events = 0
        self.refusals: list[OperatingFailure] = []

    def node_us(self) -> int:
        """The node's clock now, in Unix microseconds."""
        return time.monotonic_ns() // 1_000 + self._offset_us

    async def play(self, events: Sequence[Event]) -> None:
        """Send events; returns when they are on their way. OperatingFailure when the node is gone."""
        for start in range(0, len(events), EVENTS_PER_ENTRY_MAX):
            await self._slots.acquire()
            self._raise_if_lost()
            part = events[start : start + EVENTS_PER_ENTRY_MAX]
            self._next_id += 1
            self._waiting[self._next_id] = part
            self._settled = trio.Event()
            await self._send({"type": "play", "id": self._next_id, "events": part})

    async def drain(self) -> None:
        """Wait until everything played was answered: saved (`saved_events`) or refused (`refusals`)."""
        while self._waiting:
            self._raise_if_lost()
            await self._settled.wait()
        self._raise_if_lost()

    async def learn_clock(self) -> int:
        """Measure the node's clock: half of (min forward - min backward). Returns the uncertainty, microseconds."""
        forward: list[int] = []
        backward: list[int] = []
        for _ in range(_PROBES):
            self._next_id += 1
            sent = time.monotonic_ns() // 1_000
            await self._send({"type": "ping", "id": self._next_id})
            while self._next_id not in self._pongs:
                self._raise_if_lost()
                await self._pong.wait()
            node_us, received = self._pongs.pop(self._next_id)
            forward.append(node_us - sent)
            backward.append(received - node_us)
        self._offset_us = (min(forward) - min(backward)) // 2
        return (min(forward) + min(backward) + 1) // 2

    async def listen(self) -> None:
        """Take in the node's messages until the connection ends (a background task of `open_feed`)."""
        try:
            while True:
                self._take(json.loads(await self._websocket.get_message()))
        except ConnectionClosed:
            self._lost = OperatingFailure("the node is gone", "it closed the connection", "Start it with `symjam up`.")
            self._slots.release()
            self._settled.set()
            self._pong.set()

    def _take(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "hello":
            self.hello = message
        elif kind == "pong":
            self._pongs[message["id"]] = (message["node_us"], time.monotonic_ns() // 1_000)
            self._pong.set()
            self._pong = trio.Event()
        elif kind in ("played", "error") and message.get("id") in self._waiting:
            events = self._waiting.pop(message["id"])
            if kind == "played":
                self.saved_events += len(events)
                self._on_saved(events)
            else:
                self.refusals.append(OperatingFailure(message["what"], message["why"], message["remedy"]))
            self._slots.release()
            self._settled.set()

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._websocket.send_message(json.dumps(message))
        except ConnectionClosed:
            self._raise_if_lost()
            raise OperatingFailure("the node is gone", "the connection ended", "Start it with `symjam up`.") from None

    def _raise_if_lost(self) -> None:
        if self._lost is not None:
            raise self._lost


@asynccontextmanager
async def open_feed(
    address: ApiAddress, nursery: trio.Nursery, on_saved: Callable[[Sequence[Event]], None] = lambda _: None
) -> AsyncIterator[PlayFeed]:
    """A connection for playing, its clock measured; it listens in the caller's nursery and ends with the block.

    `on_saved` is called with the events of every play that the node acknowledges, in the order of the answers.
    NoNode when nothing listens, OperatingFailure when the node refuses or does not answer.
    """
    async with open_socket(address) as websocket:
        feed = PlayFeed(websocket, on_saved)
        nursery.start_soon(feed.listen)
        with trio.move_on_after(_TIMEOUT_S) as scope:
            await feed.learn_clock()
        if scope.cancelled_caught:
            raise OperatingFailure("the node does not answer", f"silent for {_TIMEOUT_S:g} s", "Restart it.")
        yield feed


@asynccontextmanager
async def open_socket(address: ApiAddress) -> AsyncIterator[WebSocketConnection]:
    """The live WebSocket of a node. NoNode when nothing listens, OperatingFailure when the node refuses."""
    connection = open_websocket_url(
        f"ws://127.0.0.1:{address.port}/ws",
        subprotocols=["symjam", f"token.{address.token}"],
        max_message_size=_MESSAGE_MAX_BYTES,
        connect_timeout=_TIMEOUT_S,
        disconnect_timeout=_TIMEOUT_S,
    )
    try:
        async with connection as websocket:
            yield websocket
    except HandshakeError as error:
        raise _refused(address, error) from error


def _refused(address: ApiAddress, error: HandshakeError) -> OperatingFailure:
    if isinstance(error.__cause__, OSError):
        return NoNode(f"nothing listens on port {address.port}")
    if not isinstance(error, ConnectionRejected):
        return OperatingFailure("the node does not answer", str(error) or type(error).__name__, "Restart it.")
    try:
        words = json.loads(error.body or b"")
        return OperatingFailure(str(words["what"]), str(words["why"]), str(words["remedy"]))
    except (ValueError, KeyError, TypeError):
        return OperatingFailure("the node refuses to be played", f"HTTP status {error.status_code}", "Restart it.")
