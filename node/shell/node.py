"""A running node: key, store, engine, mesh and hands, without a page or a process of its own around it.

Order of opening: the key, the store (verified), the engine out of the store, then the mesh. Order of ending is the
reverse: nothing more is said, what was said is synced, and a mark is left that the end was clean. Whoever opens one
holds the lock on the data directory (node/runtime.py).
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from consensus.params import network_id
from crdt.errors import OperatingFailure, Reason
from crdt.keys import Identity
from crdt.store.last_signed import LastSigned
from crdt.store.records import Item
from crdt.store.recover import Opened, close_clean, open_verified
from crdt.types import NO_NONCE, Nonce, PlayerId, Window
from node.engine.conduct import Conduct
from node.engine.documents import Stored
from node.engine.effects import Effect, Persist, Signed
from node.engine.engine import Engine
from node.engine.inputs import (
    FrameReceived,
    HintReceived,
    Input,
    PeerJoined,
    PeerLeft,
    PeerViolated,
    Play,
    Played,
    Probing,
    Tick,
)
from node.engine.proven import PROVEN_PREFIX
from node.engine.record import CHECKPOINT_KEY, RULES_KEY, checkpoint_in, rules_item
from node.engine.requests import REQUEST_PREFIX
from node.mesh.guard import Guard
from node.mesh.mesh import Mesh
from node.shell import remembered
from node.shell.beat import Beat
from node.shell.clock import NodeClock
from node.shell.config import Config, boot_id
from node.shell.hands import Hands
from node.shell.kin import kin
from node.shell.pump import Pump
from node.shell.restored import restored_until
from node.shell.status import Facts
from wallet import keystore

PROBE_JITTER_S = 0.002
_QUIET = (Tick, Probing, FrameReceived, HintReceived)  # these stir the node only by what is to be saved of them
PREFER_EVERY_S = 1.0
REMEMBER_EVERY_S = 60.0

log = logging.getLogger("symjam.node")


@dataclass(frozen=True, slots=True)
class Joined:
    """A direct link to a player is up."""

    player: PlayerId


@dataclass(frozen=True, slots=True)
class Left:
    """The direct link to a player is gone."""

    player: PlayerId


Told = Effect | Joined | Left


class Node:
    """Opened when made; `run` it in a nursery, then `close` it. `tell` hears what the engine has for its user.

    `fail` is called when the node cannot go on: nothing may be said that is not saved. Raises OperatingFailure.
    `clock`: another than the machine's, for trials. `identity`: the key, where it had to be unlocked.
    """

    def __init__(
        self,
        config: Config,
        tell: Callable[[Told], None],
        fail: Callable[[OperatingFailure], None],
        clock: NodeClock | None = None,
        identity: Identity | None = None,
    ) -> None:
        self.config = config
        self.clock = clock or NodeClock()
        self._failed = False
        self._beat = Beat()
        self.tell = tell
        self._fail = fail
        is_new = not keystore.exists(config.keys_path)
        identity = identity or keystore.load_or_create(config.keys_path)
        self._opened = _open_store(config, NO_NONCE if is_new else Nonce(secrets.token_bytes(8)))
        signed = LastSigned.load(config.signed_path)
        self._signed = {identity.player: signed}
        now_us = self.clock.now_us()
        epoch = config.params.epoch_of(config.params.window_at(now_us))
        self.engine = Engine(
            identity,
            config.params,
            now_us,
            stored=_stored(config, self._opened),
            nonce=self._opened.nonce,
            signed=_latest(signed, identity.player),
            trusted=config.checkpoint,
            conduct=Conduct(frozenset(config.refused)),
            restored=restored_until(config, epoch),
        )
        self.mesh = Mesh(
            identity,
            network_id(config.params),
            _Ears(self),
            interfaces=config.interfaces,
            port=config.port,
            static_peers=config.static_peers,
            remembered=remembered.load(config.remembered_path),
            mdns=config.mdns,
            websocket_port=config.websocket_port,
        )
        self.guard = Guard(self.mesh.guarded)
        store, counters = self._opened.store, self.engine.counters
        self.hands = Hands(store, self._signed, self.mesh, tell, self.give, self.fail, counters)
        self.pump = Pump(
            self.play_now, lambda: not self.engine.peers, lambda: self.engine.can_place(self.clock.now_us())
        )
        self.facts = self._facts(now_us)

    def give(self, event: Input) -> None:
        """Hand the engine an input and carry out what it asks for. Misuse for a local command that makes no sense."""
        effects = self.engine.handle(self.clock.now_us(), event)
        self.hands.execute(effects)
        if not isinstance(event, _QUIET) or any(isinstance(effect, Persist) for effect in effects):
            self._beat.stir()

    def admit(self, guest: Identity, signed_path: Path) -> None:
        """Give a guest a seat. `signed_path`: where what its key signed last is recorded.

        Misuse when all seats are taken; OperatingFailure when that record cannot be believed.
        """
        record = self._signed.get(guest.player) or LastSigned.load(signed_path)
        self.engine.seats.admit(guest, _latest(record, guest.player))
        self._signed[guest.player] = record

    def dismiss(self, guest: PlayerId, at_once: bool) -> None:
        """A guest leaves. What it has played is still proposed and judged, in two windows more, unless `at_once`."""
        now_us, params = self.clock.now_us(), self.config.params
        ends_us = now_us if at_once else params.window_start_us(Window(params.window_at(now_us) + 3))
        self.engine.seats.dismiss(guest, ends_us)

    def play_now(self, events: tuple[Played, ...], guest: PlayerId | None = None) -> None:
        """One entry of these events, signed, saved and handed to the links; a guest's, or this node's own player's.
        Misuse for events that cannot be of now, OperatingFailure when they cannot be saved."""
        self.give(Play(events, guest))
        if self.hands.failure is not None:
            raise self.hands.failure

    def fail(self, failure: OperatingFailure) -> None:
        """The store or the disk does not work any more."""
        self._failed = True
        self._fail(failure)

    def records(self) -> Iterator[Item]:
        """All that is in the store, at the moment of the first step. StoreDamaged where it cannot be read."""
        return self._opened.store.scan(b"")

    async def run(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """Take part until cancelled. OperatingFailure when the mesh cannot listen."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.hands.sync_forever)
            nursery.start_soon(self.guard.forever, "work", self.hands.work_forever)
            await nursery.start(self.mesh.run)
            nursery.start_soon(self.guard.forever, "tick", self._tick_forever)
            nursery.start_soon(self.guard.forever, "probe", self._probe_forever)
            nursery.start_soon(self.guard.forever, "pump", self.pump.run_forever)
            nursery.start_soon(self.guard.forever, "remember", self._remember_forever)
            nursery.start_soon(self.guard.forever, "prefer", self._prefer_forever)
            task_status.started()

    def close(self) -> None:
        """Sync what was said and let go of the store."""
        self._remember()
        if self._failed:
            self._opened.store.close()
        else:
            self.hands.flush()
            self._opened.store.write(self.engine.documents.proven.due(), sync=False)
            close_clean(self._opened.store)

    def _facts(self, started_us: int) -> Facts:
        return Facts(
            preset=self.config.preset,
            data_dir=str(self.config.data_dir),
            started_us=started_us,
            store_kind=self._opened.store.kind,
            store_recovered=self._opened.recovery.damaged,
            store_detail="; ".join(self._opened.recovery.words()),
            params=self.config.params,
        )

    async def _tick_forever(self) -> None:
        while True:
            self.give(Tick(self.mesh.listeners))
            await self._beat.wait()

    async def _probe_forever(self) -> None:
        """Probes leave apart from ticks, each stamped just before it is written, and at no fixed distance, lest they
        fall into step with what else is done at such on either side."""
        while True:
            self.give(Probing())
            now_us = self.clock.now_us()
            wait_s = (self.engine.next_probe_us(now_us) - now_us) / 1_000_000
            await trio.sleep(wait_s + random.uniform(0, PROBE_JITTER_S))

    async def _prefer_forever(self) -> None:
        while True:
            await trio.sleep(PREFER_EVERY_S)
            self.mesh.prefer(kin(self.engine, self.clock.now_us()))

    async def _remember_forever(self) -> None:
        while True:
            await trio.sleep(REMEMBER_EVERY_S)
            self._remember()
            if proven := self.engine.documents.proven.due():
                self.hands.execute([Persist(proven)])

    def _remember(self) -> None:
        reached = self.mesh.reachable()
        if reached:
            remembered.save(self.config.remembered_path, reached)


def _open_store(config: Config, fresh_nonce: Nonce) -> Opened:
    opened = open_verified(config.store_path, network_id(config.params), boot_id(), fresh_nonce)
    for line in opened.recovery.words():
        log.warning("store: %s", line)
    if opened.store.get(RULES_KEY) is None:
        opened.store.write([rules_item(config.params)], sync=False)
    return opened


def _stored(config: Config, opened: Opened) -> Stored:
    requests, proven = opened.store.scan(REQUEST_PREFIX), opened.store.scan(PROVEN_PREFIX)
    return Stored(opened.entries(), opened.proofs, _checkpoint(config, opened), requests, proven)


def _checkpoint(config: Config, opened: Opened) -> bytes | None:
    value = opened.store.get(CHECKPOINT_KEY)
    raw = checkpoint_in(network_id(config.params), value)
    if value is not None and raw is None:
        log.warning("store: the final checkpoint in it is damaged; it is fetched again")
    return raw


def _latest(record: LastSigned, author: PlayerId) -> Signed | None:
    latest = record.latest
    return Signed(latest.document, latest.seq, latest.id, author) if latest else None


class _Ears:
    """node.mesh.port.MeshEvents: what the mesh hears, as inputs to the engine."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def joined(self, player: PlayerId, address: str) -> None:
        log.info("a link to %s is up, %s", player.hex(), address)
        self._node.give(PeerJoined(player))
        self._node.tell(Joined(player))

    def left(self, player: PlayerId) -> None:
        log.info("the link to %s is gone", player.hex())
        self._node.give(PeerLeft(player))
        self._node.tell(Left(player))

    def frame(self, player: PlayerId, frame: bytes) -> None:
        self._node.give(FrameReceived(player, frame))

    def hint(self, data: bytes) -> None:
        self._node.give(HintReceived(data))

    def violated(self, player: PlayerId | None, reason: Reason, detail: str) -> None:
        log.info("a peer violated the protocol: %s (%s)", reason, detail)
        self._node.give(PeerViolated(player, reason, detail))
