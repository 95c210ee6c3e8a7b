"""The daemon: opens what a node needs, runs its tasks, ends cleanly.

Order of opening: the lock on the data directory, the key, the store (verified), the engine out of the store, then
the mesh and the page. Order of ending is the reverse: nobody can ask any more, nothing more is said, what was said is
synced, and a mark is left that the end was clean.
"""

from __future__ import annotations

import logging
import secrets
import signal
from collections.abc import Callable
from typing import Any

import trio

from consensus.params import network_id
from crdt.errors import OperatingFailure, Reason
from crdt.store.last_signed import LastSigned
from crdt.store.recover import Opened, close_clean, open_verified
from crdt.types import NO_NONCE, Nonce, PlayerId
from node.api.server import serve
from node.engine.documents import Stored
from node.engine.effects import Signed
from node.engine.engine import Engine
from node.engine.inputs import FrameReceived, HintReceived, Input, PeerJoined, PeerLeft, PeerViolated, Tick
from node.mesh.guard import Guard
from node.mesh.mesh import Mesh
from node.runtime import ApiAddress, Runtime
from node.shell import remembered
from node.shell.backend import DaemonBackend
from node.shell.clock import NodeClock
from node.shell.config import Config, boot_id
from node.shell.hands import Hands
from node.shell.status import Facts
from wallet import keystore

TICK_S = 0.02
REMEMBER_EVERY_S = 60.0
LAST_WORDS_S = 1.0

log = logging.getLogger("symjam.node")


class Daemon:
    """One running node. `run` returns when it was told to stop; OperatingFailure when it cannot go on."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = NodeClock()
        self.engine: Engine
        self.mesh: Mesh
        self._scope = trio.CancelScope()
        self._failure: OperatingFailure | None = None

    async def run(self, announce: Callable[[Daemon, ApiAddress], None]) -> None:
        """Run until stopped; `announce` is called once the page can be opened."""
        with Runtime(self.config.data_dir) as runtime:
            opened = self._open()
            try:
                with self._scope:
                    await self._serve(runtime, opened, announce)
            finally:
                self._close(opened)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Begin to end."""
        self._scope.cancel()

    def fail(self, failure: OperatingFailure) -> None:
        """End because something does not work any more: nothing may be said that is not saved."""
        self._failure = self._failure or failure
        self._scope.cancel()

    def _open(self) -> Opened:
        is_new = not keystore.exists(self.config.keys_path)
        identity = keystore.load_or_create(self.config.keys_path)
        params = self.config.params
        fresh = NO_NONCE if is_new else Nonce(secrets.token_bytes(8))
        opened = open_verified(self.config.store_path, network_id(params), boot_id(), fresh)
        for line in opened.recovery.words():
            log.warning("store: %s", line)
        self._signed = LastSigned.load(self.config.signed_path)
        latest = self._signed.latest
        signed = Signed(latest.document, latest.seq, latest.id) if latest else None
        stored = Stored(opened.entries(), opened.proofs)
        now_us = self.clock.now_us()
        self.engine = Engine(identity, params, now_us, stored=stored, nonce=opened.nonce, signed=signed)
        self.mesh = Mesh(
            identity,
            network_id(params),
            _Ears(self),
            interfaces=self.config.interfaces,
            port=self.config.port,
            static_peers=self.config.static_peers,
            remembered=remembered.load(self.config.remembered_path),
            mdns=self.config.mdns,
        )
        facts = Facts(
            preset=self.config.preset,
            data_dir=str(self.config.data_dir),
            started_us=now_us,
            store_kind=opened.store.kind,
            store_recovered=opened.recovery.damaged,
            store_detail="; ".join(opened.recovery.words()),
            params=params,
        )
        self.guard = Guard(self.mesh.guarded)
        self.backend = DaemonBackend(self.engine, self.clock, self.mesh, facts, self.stop)
        self.hands = Hands(
            opened.store, self._signed, self.mesh, self.backend.tell, self.give, self.fail, self.engine.counters
        )
        self.backend.hands = self.hands
        return opened

    async def _serve(self, runtime: Runtime, opened: Opened, announce: Callable[[Daemon, ApiAddress], None]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_signals)
            nursery.start_soon(self.hands.sync_forever)
            nursery.start_soon(self.guard.forever, "work", self.hands.work_forever)
            await nursery.start(self.mesh.run)
            nursery.start_soon(self.guard.forever, "tick", self._tick_forever)
            nursery.start_soon(self.guard.forever, "pump", self.backend.pump_forever)
            nursery.start_soon(self.guard.forever, "remember", self._remember_forever)
            wish, token = runtime.seat()
            port = await nursery.start(self._serve_page, self.config.api_port or wish, token)
            announce(self, runtime.publish(port, token))

    async def _serve_page(self, port: int, token: str, task_status: Any) -> None:
        await serve(self.backend, port=port, token=token, guard=self.guard, task_status=task_status)

    def give(self, event: Input) -> None:
        """Hand the engine an input and carry out what it asks for."""
        self.hands.execute(self.engine.handle(self.clock.now_us(), event))

    async def _tick_forever(self) -> None:
        while True:
            self.give(Tick())
            await trio.sleep(TICK_S)

    async def _remember_forever(self) -> None:
        while True:
            await trio.sleep(REMEMBER_EVERY_S)
            self._remember()

    def _remember(self) -> None:
        reached = self.mesh.reachable()
        if reached:
            remembered.save(self.config.remembered_path, reached)

    async def _watch_signals(self) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            async for _ in signals:
                self.stop()
                return

    def _close(self, opened: Opened) -> None:
        self._remember()
        if self._failure is None:
            self.hands.flush()
            close_clean(opened.store)
        else:
            opened.store.close()


class _Ears:
    """node.mesh.port.MeshEvents: what the mesh hears, as inputs to the engine."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def joined(self, player: PlayerId, address: str) -> None:
        self._daemon.give(PeerJoined(player))

    def left(self, player: PlayerId) -> None:
        self._daemon.give(PeerLeft(player))

    def frame(self, player: PlayerId, frame: bytes) -> None:
        self._daemon.give(FrameReceived(player, frame))

    def hint(self, data: bytes) -> None:
        self._daemon.give(HintReceived(data))

    def violated(self, player: PlayerId | None, reason: Reason, detail: str) -> None:
        log.info("a peer violated the protocol: %s (%s)", reason, detail)
        self._daemon.give(PeerViolated(player, reason, detail))
