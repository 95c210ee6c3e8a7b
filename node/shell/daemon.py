"""The daemon: a node with a page, in a process of its own.

It holds the lock on the data directory before anything in it is opened, and ends within two seconds of being told to:
first nobody can ask any more, then the node says nothing more, then what was said is synced.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from typing import Any

import trio

from crdt.errors import OperatingFailure
from crdt.keys import Identity
from node.api.server import serve
from node.engine.engine import Engine
from node.mesh.guard import leaves
from node.mesh.mesh import Mesh
from node.runtime import ApiAddress, Runtime
from node.shell import supervisor
from node.shell.backend import DaemonBackend
from node.shell.collector import no_collecting, spare_what_stands
from node.shell.config import Config
from node.shell.health import Watch
from node.shell.logbook import ENDS
from node.shell.node import Node, Told
from node.shell.status import VERSION

HEALTH_EVERY_S = 10.0

log = logging.getLogger("symjam.daemon")


class Daemon:
    """One running node. `run` returns when it was told to stop; OperatingFailure when it cannot go on.

    `identity`: the key, where it had to be unlocked.
    """

    def __init__(self, config: Config, identity: Identity | None = None) -> None:
        self.config = config
        self._identity = identity
        self.node: Node
        self.backend: DaemonBackend
        self._scope = trio.CancelScope()
        self._failure: OperatingFailure | None = None

    @property
    def engine(self) -> Engine:
        """The protocol core."""
        return self.node.engine

    @property
    def mesh(self) -> Mesh:
        """The links to others."""
        return self.node.mesh

    async def run(self, announce: Callable[[Daemon, ApiAddress], None]) -> None:
        """Run until stopped; `announce` is called once the page can be opened."""
        with Runtime(self.config.data_dir) as runtime:
            with no_collecting():
                self.node = Node(self.config, self._tell, self.fail, identity=self._identity)
            self.backend = DaemonBackend(self.node, self.stop)
            log.info("symjam %s begins as %s", VERSION, self.engine.player.hex())
            try:
                with self._scope:
                    await self._serve(runtime, announce)
            except* OperatingFailure as group:  # what its parts could not begin with: a port, an interface
                self.fail(next(one for one in leaves(group) if isinstance(one, OperatingFailure)))
            finally:
                self.node.close()
        log.info("it has ended")
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Begin to end."""
        supervisor.tell("STOPPING=1")
        self._scope.cancel()

    def fail(self, failure: OperatingFailure) -> None:
        """End because something does not work any more: nothing may be said that is not saved."""
        log.error("%s: %s. %s", failure.what, failure.why, failure.remedy, extra={ENDS: True})
        self._failure = self._failure or failure
        self._scope.cancel()

    def _tell(self, effect: Told) -> None:
        self.backend.tell(effect)

    async def _serve(self, runtime: Runtime, announce: Callable[[Daemon, ApiAddress], None]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_signals)
            await nursery.start(self.node.run)
            nursery.start_soon(self.node.guard.forever, "score", self.backend.scorer.run_forever)
            nursery.start_soon(self.node.guard.forever, "guests", self.backend.door.run_forever)
            wish, token, read_token = runtime.seat()
            port = await nursery.start(self._serve_page, self.config.api_port or wish, token, read_token)
            nursery.start_soon(self.node.guard.forever, "health", self._watch_health)
            log.info("listening at %s, page at port %d", ", ".join(self.mesh.addresses), port)
            spare_what_stands()
            self.backend.door.load()
            if self.config.guests:
                await self._invite()
            announce(self, runtime.publish(port, token, read_token))
            supervisor.tell("READY=1", f"STATUS=page at port {port}")

    async def _invite(self) -> None:
        try:
            await self.backend.door.invite()
        except OperatingFailure as failure:  # without a network one can still play alone
            log.warning("%s: %s. %s", failure.what, failure.why, failure.remedy)

    async def _serve_page(self, port: int, token: str, read_token: str, task_status: Any) -> None:
        guard = self.node.guard
        await serve(self.backend, port=port, token=token, read_token=read_token, guard=guard, task_status=task_status)

    async def _watch_health(self) -> None:
        """Write down what begins and ceases to be wrong."""
        watch = Watch()
        while True:
            await trio.sleep(HEALTH_EVERY_S)
            for level, words in watch.news(self.backend.checks()):
                log.log(level, "%s", words)

    async def _watch_signals(self) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            async for _ in signals:
                self.stop()
                return
