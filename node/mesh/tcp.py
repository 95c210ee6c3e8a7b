"""The first transport: libp2p over TCP, with everything that finds, dials, watches and keeps its peers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import trio
from libp2p.abc import INotifee
from libp2p.peer.id import ID

from crdt.errors import OperatingFailure, Reason, Violation
from crdt.keys import Identity
from crdt.limits import PEERS_MAX
from crdt.types import NetworkId, PlayerId
from node.mesh.address import Address, parse
from node.mesh.addressbook import ANNOUNCED_S, AddressBook, Source
from node.mesh.dialler import Dialler
from node.mesh.discovery import Discovery
from node.mesh.farewell import Farewells
from node.mesh.gossip import Gossip
from node.mesh.guard import Guard
from node.mesh.host import ANY, MeshHost, player_at
from node.mesh.links import Links
from node.mesh.peerid import peer_id_of, player_of_bytes
from node.mesh.port import Link, Surroundings, TransportEvents
from node.mesh.watchdog import Watchdog

_ECHO_S: Final = 5.0  # by then one's own announcement has come back, where multicast works
_UNKNOWN_PEERS_MAX: Final = 8  # connected peers that are no players (other key types)


@dataclass(frozen=True, slots=True)
class TcpSettings:
    """What a user may say about it: see Mesh."""

    interfaces: Sequence[str] | None = None
    port: int = 0
    static_peers: Sequence[str] = ()
    remembered: Sequence[str] = ()
    mdns: bool = True


class TcpTransport:
    """node.mesh.port.Transport by libp2p. `wanted` says whom to dial; `hint` is called with gossip."""

    name = "tcp"

    def __init__(
        self,
        identity: Identity,
        network: NetworkId,
        settings: TcpSettings,
        events: TransportEvents,
        guard: Guard,
        counters: Counter[str],
        chance: random.Random,
        *,
        wanted: Callable[[PlayerId], bool],
        hint: Callable[[bytes], None],
    ) -> None:
        self._settings = settings
        self._static = [given(text) for text in settings.static_peers]
        self._events = events
        self._guard = guard
        self._counters = counters
        self.host = MeshHost(identity, guard, counters)
        self.gossip = Gossip(self.host.basic, network, guard, counters, hint=hint, blame=self._blame)
        self.live = Links(self.host, guard, events, counters)
        self.watchdog = Watchdog(self.host, guard, counters)
        self.book = AddressBook(chance)
        self.dialler = Dialler(self.host, self.book, guard, counters, self._is_wanted)
        self.farewells = Farewells(self.host, guard, events.parted)
        self.discovery = Discovery(
            identity.player,
            guard,
            counters,
            chance,
            network=network,
            found=self._found,
            moved=self._moved,
            wanted=settings.interfaces,
        )
        self.announced: list[Address] = []
        self._wanted = wanted
        self._nursery: trio.Nursery | None = None
        self.host.swarm.admit = self._admits
        self.host.swarm.flooded = self._flooded
        self.host.swarm.register_notifee(_Notifee(self))

    async def run(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """Take part until cancelled. OperatingFailure when the port or an interface cannot be listened on."""
        async with self.host.running(), self.gossip.running(), trio.open_nursery() as nursery:
            self._nursery = nursery
            self.live.start(nursery)
            self.watchdog.start(nursery)
            await self.host.listen(self._settings.interfaces or [ANY], self._settings.port)
            self._moved()
            self.dialler.learn(self._static, Source.GIVEN)
            self.dialler.learn(_parsed(self._settings.remembered), Source.REMEMBERED)
            nursery.start_soon(self._guard.forever, "dialler", self.dialler.run)
            nursery.start_soon(self._guard.forever, "interfaces", self.discovery.watch_interfaces)
            if self._settings.mdns:
                nursery.start_soon(self._guard.forever, "discovery", self.discovery.run, self.host.port)
            task_status.started()
            await trio.sleep_forever()

    def links(self) -> Mapping[PlayerId, Link]:
        """The links as they are now."""
        return {
            player: Link(
                peer_id=peer_id_of(player),
                address=self.live.address_of(writing.conn),
                rtt_us=self.watchdog.rtt_us(writing.conn),
                since=writing.since,
                queued=len(writing.outbox),
                transport=self.name,
                loss_permille=self.watchdog.loss_permille(writing.conn),
            )
            for player, writing in self.live.writing.items()
        }

    def surroundings(self) -> Surroundings:
        """What discovery has noticed."""
        seen = self.discovery
        if seen.opened_s is None:
            return Surroundings(multicast=None, silent=(), twins=())
        now_s = trio.current_time()
        early = now_s - seen.opened_s < _ECHO_S
        silent = self.book.silent(now_s, lambda player: bool(self.host.connections(player)))
        return Surroundings(
            multicast=True if seen.echoed else None if early else False,
            silent=tuple(address.transport for address in silent),
            twins=tuple(place for place, seen_s in seen.twins.items() if now_s - seen_s < ANNOUNCED_S),
        )

    def send(self, player: PlayerId, frame: bytes) -> bool:
        """Queue a frame; False when there is no link or its outbox is full."""
        return self.live.send(player, frame)

    def flush(self) -> None:
        """Have what was queued leave."""
        self.live.flush()

    def drop(self, player: PlayerId) -> None:
        """Cut the player's connections at once; its host comes to the door less often for a while."""
        for conn in self.host.connections(player):
            remote = conn.muxed_conn.get_remote_address()
            if remote is not None:
                self.host.swarm.doorman.offended(remote[0], trio.current_time())
            conn.muxed_conn.abort()

    def part(self, player: PlayerId, away_s: int) -> None:
        """Tell the player to stay away for a time, then cut."""
        if self._nursery is not None:
            self._nursery.start_soon(self._guard.run, "part", self.farewells.say, player, away_s)

    def connected_players(self) -> set[PlayerId]:
        """Whoever is connected, linked or about to be."""
        return {player for peer_id in self.host.swarm.connections if (player := _player(peer_id)) is not None}

    def _is_wanted(self, player: PlayerId) -> bool:
        return len(self.host.swarm.connections) < PEERS_MAX and self._wanted(player)

    def _admits(self, peer_id: ID) -> bool:
        """Whom to let in, once it has proved its key."""
        connected = self.host.swarm.connections
        player = _player(peer_id)
        if player is None:
            strangers = sum(_player(one) is None for one in connected)
            return peer_id in connected or strangers < _UNKNOWN_PEERS_MAX
        if not self._events.admits(player):
            return False
        return peer_id in connected or len(connected) < PEERS_MAX

    def _found(self, addresses: list[Address]) -> None:
        self.dialler.learn(addresses, Source.ANNOUNCED)

    def _moved(self) -> None:
        """The machine's addresses are other ones now, or known for the first time."""
        self.announced = self.host.announce(self.discovery.hosts)
        self.dialler.network_changed()

    def _flooded(self, peer_id: ID, detail: str) -> None:
        self._blame(peer_id, Reason.FLOOD, detail)

    def _blame(self, peer_id: ID, reason: Reason, detail: str) -> None:
        self._guard.call("events.violated", self._events.violated, _player(peer_id), reason, detail)

    def connected(self, conn: Any) -> None:
        """libp2p has a new connection."""
        self._counters["connections"] += 1
        self.watchdog.connected(conn)
        self.live.connected(conn)

    def disconnected(self, conn: Any) -> None:
        """libp2p has lost one."""
        self._counters["disconnections"] += 1
        if conn.muxed_conn.peer_id not in self.host.swarm.connections:
            self.host.forget(conn.muxed_conn.peer_id)
        player = player_at(conn)
        if player is not None:
            self.dialler.lost(player)


class _Notifee(INotifee):  # type: ignore[misc]
    """What libp2p's network tells, passed on without waiting."""

    def __init__(self, transport: TcpTransport) -> None:
        self._transport = transport

    async def connected(self, network: Any, conn: Any) -> None:
        self._transport.connected(conn)

    async def disconnected(self, network: Any, conn: Any) -> None:
        self._transport.disconnected(conn)

    async def opened_stream(self, network: Any, stream: Any) -> None:
        """Of no interest."""

    async def closed_stream(self, network: Any, stream: Any) -> None:
        """Of no interest."""

    async def listen(self, network: Any, multiaddr: Any) -> None:
        """Of no interest."""

    async def listen_close(self, network: Any, multiaddr: Any) -> None:
        """Of no interest."""


def given(text: str) -> Address:
    """The address of a peer that the user gave. OperatingFailure when it is malformed."""
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
