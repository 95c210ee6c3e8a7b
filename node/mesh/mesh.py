"""The mesh as its owner sees it: players who join and leave, frames to and from them, hints to and from everybody."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import trio
from libp2p.abc import INotifee
from libp2p.peer.id import ID

from crdt.errors import Misuse, OperatingFailure, Reason, Violation
from crdt.keys import Identity
from crdt.limits import HINT_MAX_BYTES, PEERS_MAX
from crdt.types import NetworkId, PlayerId
from node.mesh.address import Address, parse
from node.mesh.addressbook import AddressBook, Source
from node.mesh.dialler import Dialler
from node.mesh.discovery import Discovery
from node.mesh.gossip import Gossip
from node.mesh.guard import Guard, leaves
from node.mesh.host import ANY, MeshHost, player_at
from node.mesh.links import Links
from node.mesh.peerid import peer_id_of, player_of_bytes
from node.mesh.port import Link, MeshEvents
from node.mesh.refusals import Refusals
from node.mesh.watchdog import Watchdog

__all__ = ["Link", "Mesh", "MeshEvents"]

_UNKNOWN_PEERS_MAX: Final = 8  # connected peers that are no players (other key types)


class Mesh:
    """One node's place in the mesh.

    `interfaces`: IP addresses to listen on, None for all. `static_peers`: multiaddrs that the user gave
    (OperatingFailure when one is malformed). `remembered`: addresses of earlier runs, taken as far as they parse.
    Everything but `run` is called in the trio thread and never blocks.
    """

    def __init__(
        self,
        identity: Identity,
        network: NetworkId,
        events: MeshEvents,
        *,
        interfaces: Sequence[str] | None,
        port: int = 0,
        static_peers: Sequence[str] = (),
        remembered: Sequence[str] = (),
        mdns: bool = True,
        chance: random.Random | None = None,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.guarded: Counter[str] = Counter()
        self.peer_id = peer_id_of(identity.player)
        self._events = events
        self._interfaces = interfaces
        self._wanted_port = port
        self._static = [_given(text) for text in static_peers]
        self._remembered = _parsed(remembered)
        self._mdns = mdns
        chance = chance or random.Random()
        self._guard = Guard(self.guarded)
        self._refusals = Refusals()
        self._host = MeshHost(identity, self._guard, self.counters)
        self._gossip = Gossip(
            self._host.basic, network, self._guard, self.counters, hint=events.hint, blame=self._blame
        )
        self._links = Links(self._host, self._guard, events, self.counters)
        self._watchdog = Watchdog(self._host, self._guard, self.counters)
        self._book = AddressBook(chance)
        self._dialler = Dialler(self._host, self._book, self._guard, self.counters, self._is_wanted)
        self._discovery = Discovery(
            identity.player, self._guard, self.counters, chance, found=self._found, moved=self._moved, wanted=interfaces
        )
        self._announced: list[Address] = []
        self._nursery: trio.Nursery | None = None
        self._host.swarm.admit = self._admits
        self._host.swarm.register_notifee(_Notifee(self))

    async def run(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """Take part until cancelled. OperatingFailure when the port or an interface cannot be listened on."""
        failure: OperatingFailure | None = None
        try:
            await self._run(task_status)
        except* OperatingFailure as group:
            failure = next(error for error in leaves(group) if isinstance(error, OperatingFailure))
        if failure is not None:
            raise failure

    async def _run(self, task_status: Any) -> None:
        async with self._host.running(), self._gossip.running(), trio.open_nursery() as nursery:
            self._nursery = nursery
            self._links.start(nursery)
            self._watchdog.start(nursery)
            await self._host.listen(self._interfaces or [ANY], self._wanted_port)
            self._moved()
            self._dialler.learn(self._static, Source.GIVEN)
            self._dialler.learn(self._remembered, Source.REMEMBERED)
            nursery.start_soon(self._guard.forever, "dialler", self._dialler.run)
            nursery.start_soon(self._guard.forever, "interfaces", self._discovery.watch_interfaces)
            if self._mdns:
                nursery.start_soon(self._guard.forever, "discovery", self._discovery.run, self._host.port)
            task_status.started()
            await trio.sleep_forever()

    @property
    def addresses(self) -> list[str]:
        """Multiaddrs at which this node can be dialled, with its peer id; empty before it listens."""
        return [str(address) for address in self._announced]

    def reachable(self) -> list[str]:
        """Addresses at which peers were reached: what to give as `remembered` next time."""
        return self._book.worked()

    def links(self) -> dict[PlayerId, Link]:
        """The direct links as they are now."""
        return {
            player: Link(
                peer_id=peer_id_of(player),
                address=self._links.address_of(writing.conn),
                rtt_us=self._watchdog.rtt_us(writing.conn),
                since=writing.since,
                queued=len(writing.outbox),
            )
            for player, writing in self._links.writing.items()
        }

    def connect(self, address: str) -> None:
        """Dial an address, now and whenever its peer is lost. OperatingFailure when it is malformed."""
        self._dialler.learn([_given(address)], Source.GIVEN)

    def send(self, player: PlayerId, frame: bytes) -> bool:
        """Queue a frame for a player; False when there is no link or its outbox is full."""
        return self._links.send(player, frame)

    def publish(self, data: bytes) -> None:
        """Gossip a hint; dropped, and counted, when the queue is full. Misuse when it is too large."""
        if not 0 < len(data) <= HINT_MAX_BYTES:
            raise Misuse(f"a hint has 1 to {HINT_MAX_BYTES} bytes, not {len(data)}")
        self._gossip.publish(data)

    def refuse(self, player: PlayerId, seconds_s: float) -> None:
        """Disconnect a player and keep it out for a time."""
        self._refusals.add(player, trio.current_time(), seconds_s)
        self.counters["refusals"] += 1
        for conn in self._host.connections(player):
            conn.muxed_conn.abort()

    def _is_wanted(self, player: PlayerId) -> bool:
        """Whom to dial."""
        room = len(self._host.swarm.connections) < PEERS_MAX
        return room and not self._refusals.is_refused(player, trio.current_time())

    def _admits(self, peer_id: ID) -> bool:
        """Whom to let in, once it has proved its key."""
        connected = self._host.swarm.connections
        player = _player(peer_id)
        if player is None:
            strangers = sum(_player(one) is None for one in connected)
            return peer_id in connected or strangers < _UNKNOWN_PEERS_MAX
        if self._refusals.is_refused(player, trio.current_time()):
            return False
        return peer_id in connected or len(connected) < PEERS_MAX

    def _found(self, addresses: list[Address]) -> None:
        self._dialler.learn(addresses, Source.ANNOUNCED)

    def _moved(self) -> None:
        """The machine's addresses are other ones now, or known for the first time."""
        self._announced = self._host.announce(self._discovery.hosts)
        self._dialler.network_changed()

    def _blame(self, peer_id: ID, reason: Reason, detail: str) -> None:
        self._guard.call("events.violated", self._events.violated, _player(peer_id), reason, detail)

    def connected(self, conn: Any) -> None:
        """libp2p has a new connection."""
        self.counters["connections"] += 1
        self._watchdog.connected(conn)
        self._links.connected(conn)

    def disconnected(self, conn: Any) -> None:
        """libp2p has lost one."""
        self.counters["disconnections"] += 1
        if conn.muxed_conn.peer_id not in self._host.swarm.connections:
            self._host.forget(conn.muxed_conn.peer_id)
        player = player_at(conn)
        if player is not None:
            self._dialler.lost(player)


class _Notifee(INotifee):  # type: ignore[misc]
    """What libp2p's network tells, passed on without waiting."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    async def connected(self, network: Any, conn: Any) -> None:
        self._mesh.connected(conn)

    async def disconnected(self, network: Any, conn: Any) -> None:
        self._mesh.disconnected(conn)

    async def opened_stream(self, network: Any, stream: Any) -> None:
        """Of no interest."""

    async def closed_stream(self, network: Any, stream: Any) -> None:
        """Of no interest."""

    async def listen(self, network: Any, multiaddr: Any) -> None:
        """Of no interest."""

    async def listen_close(self, network: Any, multiaddr: Any) -> None:
        """Of no interest."""


def _given(text: str) -> Address:
    try:
        return parse(text)
    except Violation as violation:
        raise OperatingFailure(
            "cannot use the address of a peer", violation.detail, "It is written /ip4/HOST/tcp/PORT/p2p/PEER"
        ) from None


def _parsed(texts: Sequence[str]) -> list[Address]:
    found = []
    for text in texts:
        try:
            found.append(parse(text))
        except Violation:
            continue  # written by an older version, or damaged: a remembered address is only a chance
    return found


def _player(peer_id: ID) -> PlayerId | None:
    try:
        return player_of_bytes(peer_id.to_bytes())
    except Violation:
        return None
