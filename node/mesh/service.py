"""Running libp2p's services so that no task of theirs can end them.

Swarm, Pubsub and GossipSub start every piece of their work through a manager, and that manager ends the service when
any task fails (notes/libp2p.md, "Fatal"). This one guards each task, starts daemons again, and keeps no tree of
finished tasks: libp2p's own refuses work after a thousand children.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import trio
from libp2p.tools.anyio_service import TrioManager
from libp2p.tools.anyio_service.exceptions import LifecycleError

from node.mesh.guard import Guard

Task = Callable[..., Awaitable[Any]]


class GuardedManager(TrioManager):  # type: ignore[misc]
    """A TrioManager whose tasks end at a guard."""

    def __init__(self, service: Any, guard: Guard) -> None:
        super().__init__(service)
        self._guard = guard
        self._label = type(service).__name__

    def run_task(
        self, async_fn: Task, *args: Any, daemon: bool = False, name: str | None = None, _internal: bool = False
    ) -> None:
        """Start a task; what it raises is counted under `<service>.<function>`."""
        nursery = cast("trio.Nursery | None", self._task_nursery)
        if nursery is None or not self.is_running:
            raise LifecycleError("the service has stopped")
        label = f"{self._label}.{getattr(async_fn, '__name__', 'task')}"
        runner = self._guard.forever if daemon else self._guard.run
        nursery.start_soon(runner, label, async_fn, *args)

    def run_daemon_task(self, async_fn: Task, *args: Any, name: str | None = None) -> None:
        """Start a task that is started again when it fails."""
        self.run_task(async_fn, *args, daemon=True, name=name)


@asynccontextmanager
async def running(service: Any, guard: Guard) -> AsyncIterator[None]:
    """Run a libp2p service for the duration of the block; on leaving it is cancelled, not asked."""
    manager = GuardedManager(service, guard)
    service._manager = manager
    async with trio.open_nursery() as nursery:
        nursery.start_soon(guard.run, type(service).__name__, manager.run)
        await manager.wait_started()
        try:
            yield
        finally:
            nursery.cancel_scope.cancel()
