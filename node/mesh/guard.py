"""The one place where a broad `except` stands: the edge of every task and stream handler.

py-libp2p runs stream handlers and pubsub messages in nurseries whose failure ends the host (notes/libp2p.md, "Fatal"),
so an error that reaches the edge of a task must stop there. It is counted under the task's name and logged;
cancellation passes.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, Protocol, TypeVar, TypeVarTuple

import trio

from crdt.errors import SymJamError

Args = TypeVarTuple("Args")
T = TypeVar("T", bound="Resettable")

_log = logging.getLogger("symjam.mesh")
RESTART_S: Final = 1.0
_RESET_TIMEOUT_S: Final = 1.0


class Resettable(Protocol):
    """A stream, as far as the guard cares."""

    async def reset(self) -> None:
        """Abandon the stream in both directions."""


class Guard:
    """Runs tasks so that none of them can take the node with it.

    `counts` holds, per task name, how often an exception reached the edge.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts

    def note(self, name: str, error: BaseException) -> None:
        """Count and log one error under a task's name."""
        self.counts[name] += 1
        expected = isinstance(error, SymJamError | OSError)
        _log.info("%s: %s: %s", name, type(error).__name__, error, exc_info=None if expected else error)

    async def run(self, name: str, task: Callable[[*Args], Awaitable[object]], *args: *Args) -> Exception | None:
        """Run a task to its end; returns the first error that it ended with, None when it ended well."""
        failed: Exception | None = None
        try:
            await task(*args)
        except* Exception as group:  # noqa: BLE001 - the guard itself
            failed = next((error for error in leaves(group) if isinstance(error, Exception)), group)
            self.note(name, failed)
        return failed

    async def forever(self, name: str, task: Callable[[*Args], Awaitable[object]], *args: *Args) -> None:
        """Run a task that should not end, and again after a pause whenever it fails. Ends when it ends well."""
        while await self.run(name, task, *args) is not None:
            await trio.sleep(RESTART_S)

    def call(self, name: str, function: Callable[[*Args], object], *args: *Args) -> None:
        """Call a synchronous callback."""
        try:
            function(*args)
        except Exception as error:  # noqa: BLE001 - the guard itself
            self.note(name, error)

    def handler(self, name: str, handle: Callable[[T], Awaitable[object]]) -> Callable[[T], Awaitable[None]]:
        """A stream handler that cannot fail: on an error the stream is reset."""

        async def guarded(stream: T) -> None:
            if await self.run(name, handle, stream) is not None:
                await self.reset(stream)

        return guarded

    async def reset(self, stream: Resettable) -> None:
        """Reset a stream, whatever state it and its connection are in."""
        with trio.move_on_after(_RESET_TIMEOUT_S):
            await self.run("reset", stream.reset)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors inside a group, however nested; a plain error is its own leaf."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error
