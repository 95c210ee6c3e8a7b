"""The mesh as its owner sees it: players who join and leave, frames to and from them, hints to and from everybody.

Transports stand behind it. A player joins with the first of them and leaves with the last; in between, frames take
the best one (node/mesh/routes.py), and another at once when that one fails. Whom to be linked with is chosen here
(node/mesh/degree.py) for all transports together.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import trio

from crdt.errors import Misuse, OperatingFailure
from crdt.keys import Identity
from crdt.limits import HINT_MAX_BYTES, KNOWN_PEERS_MAX, LINKS_MAX, LINKS_MIN
from crdt.types import NetworkId, PlayerId
from node.mesh.addressbook import Source
from node.mesh.degree import Degree, Kin, Plan
from node.mesh.guard import Guard, leaves
from node.mesh.peerid import peer_id_of
from node.mesh.port import Link, MeshEvents, Surroundings, Transport
from node.mesh.refusals import Refusals
from node.mesh.routes import Routes
from node.mesh.tcp import TcpSettings, TcpTransport, given
from node.mesh.websocket import SCHEME, WebSocketSettings, WebSocketTransport

__all__ = ["Link", "Mesh", "MeshEvents"]

AWAY_S: Final = 60  # for how long a player that was asked to leave is not dialled, give or take a half
AWAY_MAX_S: Final = 600  # what another node may ask for
_JUST_S: Final = 5.0
_CHOOSE_EVERY_S: Final = 1.0
_NEWCOMERS: Final = 4  # tried beside the plan while links are few: a plan among invented players leads nowhere


class _Away(NamedTuple):
    """Since when and until when a player is not to be dialled."""

    since_s: float
    until_s: float


class Mesh:
    """One node's place in the mesh.

    `interfaces`: IP addresses to listen on, None for all. `static_peers`: multiaddrs that the user gave
    or `ws://` addresses (OperatingFailure when one is malformed). `remembered`: addresses of earlier runs, taken as far
    as they parse. `websocket_port`: where to listen for WebSockets, None for nowhere.
    `degree`: how many links are sought at least, and kept at most. Everything but `run` is called in the trio thread
    and never blocks.
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
        degree: tuple[int, int] = (LINKS_MIN, LINKS_MAX),
        websocket_port: int | None = None,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.guarded: Counter[str] = Counter()
        self.peer_id = peer_id_of(identity.player)
        self._events = events
        self._chance = chance or random.Random()
        self._guard = Guard(self.guarded)
        self._refusals = Refusals()
        self._routes = Routes()
        self._degree = Degree(identity.player, *degree)
        self._kin = Kin()
        self._away: dict[PlayerId, _Away] = {}
        self._planned: Plan | None = None
        self._planned_for = -1  # version of the address book
        self._reachable: frozenset[PlayerId] = frozenset()
        self._newcomers: frozenset[PlayerId] = frozenset()
        self._seeks_more = True
        urls = [text for text in static_peers if text.startswith(SCHEME)]
        multiaddrs = [text for text in static_peers if not text.startswith(SCHEME)]
        self._given = frozenset(given(text).player for text in multiaddrs)
        settings = TcpSettings(interfaces, port, multiaddrs, remembered, mdns)
        self.tcp = TcpTransport(
            identity,
            network,
            settings,
            _Side(self, TcpTransport.name, events),
            self._guard,
            self.counters,
            self._chance,
            wanted=self._is_wanted,
            hint=events.hint,
        )
        self._transports: dict[str, Transport] = {self.tcp.name: self.tcp}
        self.websocket: WebSocketTransport | None = None
        if urls or websocket_port is not None:
            self._add_websocket(identity, network, WebSocketSettings(interfaces, websocket_port, urls))

    def _add_websocket(self, identity: Identity, network: NetworkId, settings: WebSocketSettings) -> None:
        self.websocket = WebSocketTransport(
            identity,
            network,
            settings,
            _Side(self, WebSocketTransport.name, self._events),
            self._guard,
            self.counters,
            self._chance,
            may_dial=self._may_dial,
        )
        self._transports[self.websocket.name] = self.websocket

    async def run(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """Take part until cancelled. OperatingFailure when the port or an interface cannot be listened on."""
        failure: OperatingFailure | None = None
        try:
            async with trio.open_nursery() as nursery:
                for transport in self._transports.values():
                    await nursery.start(transport.run)
                nursery.start_soon(self._guard.forever, "choose", self._choose_forever)
                task_status.started()
        except* OperatingFailure as group:
            failure = next(error for error in leaves(group) if isinstance(error, OperatingFailure))
        if failure is not None:
            raise failure

    @property
    def addresses(self) -> list[str]:
        """Where this node can be dialled, with its peer id; empty before it listens. Multiaddrs first."""
        found = [str(address) for address in self.tcp.announced]
        if self.websocket is not None and self.websocket.port:
            at = [(address.host, self.websocket.port) for address in self.tcp.announced]
            found += [f"{SCHEME}{host}:{port}/p2p/{self.peer_id}" for host, port in at]
        return found

    def reachable(self) -> list[str]:
        """Addresses at which peers were reached: what to give as `remembered` next time."""
        return self.tcp.book.worked()

    def surroundings(self) -> Surroundings:
        """What was noticed while looking for peers: for `status` and `doctor`."""
        return self.tcp.surroundings()

    def links(self) -> dict[PlayerId, Link]:
        """For each player the link that its frames take."""
        return {player: ways[0] for player, ways in self.ways().items()}

    def ways(self) -> dict[PlayerId, list[Link]]:
        """For each player all links, the one in use first."""
        by_name = {name: transport.links() for name, transport in self._transports.items()}
        found = {}
        for player in self._routes.players():
            links = [by_name[name][player] for name in self._routes.ways(player) if player in by_name[name]]
            if links:
                found[player] = links
        return found

    def connect(self, address: str) -> None:
        """Dial a multiaddr, now and whenever its peer is lost. OperatingFailure when it is malformed."""
        peer = given(address)
        self._given |= {peer.player}
        self.tcp.dialler.learn([peer], Source.GIVEN)

    def send(self, player: PlayerId, frame: bytes) -> bool:
        """Queue a frame for a player; False when there is no link or its outbox is full."""
        used = self._routes.used(player)
        if used is None:
            self.counters["frames-refused"] += 1
            return False
        return self._transports[used].send(player, frame)

    def flush(self) -> None:
        """Have what was queued leave. To be called after sending."""
        for transport in self._transports.values():
            transport.flush()

    def publish(self, data: bytes) -> None:
        """Gossip a hint; dropped, and counted, when the queue is full. Misuse when it is too large."""
        if not 0 < len(data) <= HINT_MAX_BYTES:
            raise Misuse(f"a hint has 1 to {HINT_MAX_BYTES} bytes, not {len(data)}")
        self.tcp.gossip.publish(data)

    def prefer(self, kin: Kin) -> None:
        """Who plays in the same jam: linked before others, when there cannot be a link to everybody."""
        if kin != self._kin:
            self._kin = kin
            self._replan()
            self.tcp.dialler.look_again()

    @property
    def listeners(self) -> int:
        """How many connected peers, without a link or with one, follow new entries by gossip."""
        return self.tcp.gossip.listeners

    def publish_entries(self, frame: bytes) -> None:
        """Gossip new entries to them."""
        self.tcp.gossip.publish_entries(frame)

    def refuse(self, player: PlayerId, seconds_s: float) -> None:
        """Disconnect a player and keep it out for a time."""
        self._refusals.add(player, trio.current_time(), seconds_s)
        self.counters["refusals"] += 1
        self._replan()
        for transport in self._transports.values():
            transport.drop(player)

    # what transports tell, through _Side

    def joined(self, transport: str, player: PlayerId, address: str) -> None:
        """A player can be reached by a transport."""
        self._replan()
        if self._routes.joined(player, transport):
            self._guard.call("events.joined", self._events.joined, player, address)

    def left(self, transport: str, player: PlayerId) -> None:
        """No more."""
        self._replan()
        used = self._routes.used(player)
        if self._routes.left(player, transport):
            self._guard.call("events.left", self._events.left, player)
        elif used == transport:
            self.counters["failovers"] += 1

    def parted(self, player: PlayerId, away_s: int) -> None:
        """A player has links enough."""
        self.counters["parted-by-others"] += 1
        self._stay_away(player, min(max(1, away_s), AWAY_MAX_S))

    def admits(self, player: PlayerId) -> bool:
        """Whether a player may come in."""
        return not self._refusals.is_refused(player, trio.current_time())

    # whom to be linked with

    def _is_wanted(self, player: PlayerId) -> bool:
        """Whom to dial: given ones, those planned; while links are few also newcomers and who was not there lately."""
        now_s = trio.current_time()
        if self._refusals.is_refused(player, now_s):
            return False
        if player in self._plan(now_s).dial:
            return True
        if not self._may_dial(player):
            return False
        if player in self._given or player in self._routes:  # linked by another transport: this one as well
            return True
        return self._seeks_more and (player in self._newcomers or player not in self._reachable)

    def _may_dial(self, player: PlayerId) -> bool:
        now_s = trio.current_time()
        away = self._away.get(player)
        return not self._refusals.is_refused(player, now_s) and (away is None or away.until_s <= now_s)

    def _plan(self, now_s: float) -> Plan:
        if self._planned is None or self._planned_for != self.tcp.book.version:
            self._planned_for = self.tcp.book.version
            self._away = {one: away for one, away in self._away.items() if away.until_s > now_s}
            just_away = {one for one, away in self._away.items() if now_s - away.since_s < _JUST_S}
            self._reachable = self.tcp.book.reachable()
            self._newcomers = self.tcp.book.newcomers(_NEWCOMERS)
            welcome = (one for one in self._reachable if not self._refusals.is_refused(one, now_s))
            linked = self._linked()
            self._seeks_more = len(linked) < self._degree.least
            self._planned = self._degree.plan(linked, welcome, self._kin, self._away, just_away)
        return self._planned

    def _linked(self) -> list[PlayerId]:
        """The oldest first, at the end those who are connected and will join."""
        joined = self._routes.players()
        return [*joined, *self.tcp.connected_players().difference(joined)]

    def _replan(self) -> None:
        self._planned = None

    async def _choose_forever(self) -> None:
        while True:
            await trio.sleep(_CHOOSE_EVERY_S * self._chance.uniform(0.8, 1.2))
            for player, links in self.ways().items():
                if self._routes.measured(player, {link.transport: link for link in links}):
                    self.counters["routes-changed"] += 1
            self._replan()
            plan = self._plan(trio.current_time())
            if plan.dial:
                self.tcp.dialler.look_again()
            for player in plan.part:
                self.counters["parted"] += 1
                away_s = int(AWAY_S * self._chance.uniform(0.5, 1.5))
                self._stay_away(player, away_s)
                for transport in self._transports.values():
                    transport.part(player, away_s)

    def _stay_away(self, player: PlayerId, away_s: int) -> None:
        if player in self._away or len(self._away) < KNOWN_PEERS_MAX:
            now_s = trio.current_time()
            self._away[player] = _Away(now_s, now_s + away_s)
        self._replan()


class _Side:
    """node.mesh.port.TransportEvents: what one transport tells, with its name put to it."""

    def __init__(self, mesh: Mesh, name: str, events: MeshEvents) -> None:
        self._mesh = mesh
        self._name = name
        self.frame = events.frame
        self.violated = events.violated
        self.parted = mesh.parted
        self.admits = mesh.admits

    def joined(self, player: PlayerId, address: str) -> None:
        """Frames can be sent to this player over this transport."""
        self._mesh.joined(self._name, player, address)

    def left(self, player: PlayerId) -> None:
        """No more."""
        self._mesh.left(self._name, player)
