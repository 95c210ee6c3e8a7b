"""Notices: what the node tells everyone who watches.

A watcher that cannot keep up must not make the node hold memory for it. Its queue is bounded in number and bytes; on
overflow all of it is dropped and the watcher is told to start again from a snapshot. Dropping single notices instead
would leave it wrong without knowing it. A notice is encoded once, however many watch.
"""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Any, NamedTuple

import msgspec
import trio

from crdt.limits import NOTICE_BYTES_PER_CLIENT_MAX, NOTICES_PER_CLIENT_MAX

encode_json = msgspec.json.Encoder().encode


def to_text(document: object) -> str:
    """JSON text of a document, as WebSocket text frames carry it."""
    return encode_json(document).decode()


class Batch(NamedTuple):
    """What waited for a watcher: notices in order, or `resync` when some were lost before them."""

    resync: bool
    texts: tuple[str, ...]


class Feed:
    """One watcher's queue. Used with `with`; leaving it unsubscribes."""

    def __init__(self, board: Board, max_notices: int, max_bytes: int) -> None:
        self._board = board
        self._max_notices, self._max_bytes = max_notices, max_bytes
        self._texts: deque[str] = deque()
        self._bytes = 0
        self._resync = False
        self._arrived = trio.Event()

    def put(self, text: str) -> None:
        """Queue one notice, or drop everything and mark the watcher for a resync."""
        if self._resync:
            return  # the snapshot to come will hold this too
        self._texts.append(text)
        self._bytes += len(text)
        if len(self._texts) > self._max_notices or self._bytes > self._max_bytes:
            self._texts.clear()
            self._bytes = 0
            self._resync = True
        self._arrived.set()

    async def take(self) -> Batch:
        """Wait for something, then hand over all that waits."""
        await self._arrived.wait()
        self._arrived = trio.Event()
        batch = Batch(self._resync, tuple(self._texts))
        self._texts.clear()
        self._bytes = 0
        self._resync = False
        return batch

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._board.leave(self)


class Board:
    """Where a backend publishes; anyone may watch."""

    def __init__(self, max_notices: int = NOTICES_PER_CLIENT_MAX, max_bytes: int = NOTICE_BYTES_PER_CLIENT_MAX) -> None:
        self._feeds: set[Feed] = set()
        self._max_notices, self._max_bytes = max_notices, max_bytes

    def __len__(self) -> int:
        return len(self._feeds)

    def publish(self, notice: dict[str, Any]) -> None:
        """Tell every watcher. Costs nothing when nobody watches."""
        if not self._feeds:
            return
        text = to_text(notice)
        for feed in self._feeds:
            feed.put(text)

    def subscribe(self) -> Feed:
        """A new watcher, who hears what is published from now on."""
        feed = Feed(self, self._max_notices, self._max_bytes)
        self._feeds.add(feed)
        return feed

    def leave(self, feed: Feed) -> None:
        """Forget a watcher."""
        self._feeds.discard(feed)
