"""The second transport: WebSockets, for networks that let nothing else through, and for browsers.

Off unless the user asks for it: a listener on a port of its own, and a dialler for `ws://HOST:PORT` peers. Both sides
prove who they are (node/mesh/challenge.py) before anything else is read.
"""

from __future__ import annotations

import random
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import trio
from trio_websocket import WebSocketConnection, WebSocketRequest, wrap_client_stream, wrap_server_stream

from crdt.errors import OperatingFailure, Reason, Violation
from crdt.keys import Identity
from crdt.limits import HANDSHAKES_MAX, HANDSHAKES_PER_HOST_MAX, PEERS_MAX
from crdt.types import NetworkId, PlayerId
from node.mesh.addressbook import FIRST_BACKOFF_S, NEAR_BACKOFF_MAX_S
from node.mesh.challenge import NONCE_BYTES, Handshake
from node.mesh.guard import Guard
from node.mesh.line import MESSAGE_MAX_BYTES, Line
from node.mesh.peerid import player_of
from node.mesh.port import Link, TransportEvents

SCHEME: Final = "ws://"
HANDSHAKE_TIMEOUT_S: Final = 5.0
DIAL_TIMEOUT_S: Final = 4.0
_TWINS_S: Final = 2.0  # within this time both sides dialled at once
_STABLE_S: Final = 5.0  # a link that lasted so long is dialled again without delay
_URL = re.compile(r"ws://([A-Za-z0-9.-]{1,128}):([1-9][0-9]{0,4})/?(?:p2p/([1-9A-HJ-NP-Za-km-z]{1,64}))?\Z")


@dataclass(frozen=True, slots=True)
class WebSocketSettings:
    """What a user may say about it. `port` None: only dial; 0: any free one."""

    interfaces: Sequence[str] | None
    port: int | None
    peers: Sequence[str]


@dataclass(slots=True)
class WsPeer:
    """A peer to dial. Who it is may be known from its address, and is from the first handshake on."""

    host: str
    port: int
    player: PlayerId | None
    backoff_s: float = FIRST_BACKOFF_S


def parse_url(text: str) -> WsPeer:
    """A peer from `ws://HOST:PORT` or `ws://HOST:PORT/p2p/PEER`. OperatingFailure when it is malformed."""
    match = _URL.match(text)
    try:
        if match is None or int(match[2]) > 65_535:
            raise Violation(Reason.GARBAGE, f"not a WebSocket address: {text[:80]!r}")
        return WsPeer(match[1], int(match[2]), player_of(match[3]) if match[3] else None)
    except Violation as violation:
        raise OperatingFailure(
            "cannot use the address of a peer",
            violation.detail,
            "It is written ws://HOST:PORT or ws://HOST:PORT/p2p/PEER",
        ) from None


class WebSocketTransport:
    """node.mesh.port.Transport by WebSocket. `may_dial`: whether a player was not refused or asked to be left alone."""

    name = "websocket"

    def __init__(
        self,
        identity: Identity,
        network: NetworkId,
        settings: WebSocketSettings,
        events: TransportEvents,
        guard: Guard,
        counters: Counter[str],
        chance: random.Random,
        *,
        may_dial: Callable[[PlayerId], bool],
    ) -> None:
        self._identity = identity
        self._network = network
        self._events = events
        self._guard = guard
        self._counters = counters
        self._chance = chance
        self._hosts = settings.interfaces
        self._wanted_port = settings.port
        self._peers = [parse_url(text) for text in settings.peers]
        self._lines: dict[PlayerId, Line] = {}
        self._handshakes: Counter[str] = Counter()
        self._may_dial = may_dial
        self._nursery: trio.Nursery | None = None
        self.port = 0

    async def run(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """Take part until cancelled. OperatingFailure when the port cannot be listened on."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            if self._wanted_port is not None:
                listeners = await self._listen(self._wanted_port)
                nursery.start_soon(self._serve, listeners)
            for peer in self._peers:
                nursery.start_soon(self._guard.forever, "websocket.dial", self._dial_forever, peer)
            task_status.started()
            await trio.sleep_forever()

    def links(self) -> Mapping[PlayerId, Link]:
        """The links as they are now."""
        return {player: line.link(self.name) for player, line in self._lines.items()}

    def send(self, player: PlayerId, frame: bytes) -> bool:
        """Queue a frame; False when there is no link or its outbox is full."""
        line = self._lines.get(player)
        if line is None or not line.send(frame):
            self._counters["frames-refused"] += 1
            return False
        return True

    def flush(self) -> None:
        """Nothing to do: whatever waits goes in the next turn of the loop, together."""

    def drop(self, player: PlayerId) -> None:
        """Cut the player's connection at once."""
        line = self._lines.get(player)
        if line is not None:
            line.cut()

    def part(self, player: PlayerId, away_s: int) -> None:
        """Tell the player to stay away for a time, then cut."""
        line = self._lines.get(player)
        if line is not None and self._nursery is not None:
            self._nursery.start_soon(self._guard.run, "websocket.part", line.part, away_s)

    async def _listen(self, port: int) -> list[trio.SocketListener]:
        listeners: list[trio.SocketListener] = []
        hosts: Sequence[str | None] = self._hosts or [None]
        for host in hosts:
            try:
                listeners += await trio.open_tcp_listeners(self.port or port, host=host, backlog=HANDSHAKES_MAX)
            except OSError as error:
                where = f"{host or 'any address'} port {port}"
                remedy = "Choose another port with --websocket, or end the program that uses it"
                raise OperatingFailure(f"cannot listen on {where}", error.strerror or str(error), remedy) from error
            self.port = listeners[0].socket.getsockname()[1]
        return listeners

    async def _serve(self, listeners: list[trio.SocketListener]) -> None:
        async with trio.open_nursery() as nursery:
            await trio.serve_listeners(self._accept, listeners, handler_nursery=nursery)

    async def _accept(self, stream: trio.SocketStream) -> None:
        """One inbound connection, from its first byte to its last."""
        try:
            host, port = stream.socket.getpeername()[:2]
        except OSError:
            return
        if self._handshakes.total() >= HANDSHAKES_MAX or self._handshakes[host] >= HANDSHAKES_PER_HOST_MAX:
            self._counters["handshakes-refused"] += 1
            await trio.aclose_forcefully(stream)
            return
        await self._guard.run("websocket.inbound", self._inbound, stream, host, port)

    async def _inbound(self, stream: trio.SocketStream, host: str, port: int) -> None:
        try:
            async with trio.open_nursery() as nursery:
                self._handshakes[host] += 1
                try:
                    with trio.fail_after(HANDSHAKE_TIMEOUT_S):
                        request = await wrap_server_stream(
                            nursery, stream, message_queue_size=1, max_message_size=MESSAGE_MAX_BYTES
                        )
                        if not _is_of_here(request):
                            await request.reject(403)
                            nursery.cancel_scope.cancel()
                            return
                        socket = await request.accept()
                        player = await self._prove(socket, dialled=False, expected=None)
                finally:
                    self._handshakes[host] -= 1
                    if not self._handshakes[host]:
                        del self._handshakes[host]
                await self._link(
                    Line(socket, player, f"{SCHEME}{host}:{stream.socket.getpeername()[1]}", dialled=False)
                )
                nursery.cancel_scope.cancel()
        finally:
            await trio.aclose_forcefully(stream)

    async def _dial_forever(self, peer: WsPeer) -> None:
        while True:
            if self._is_missing(peer):
                began_s = trio.current_time()
                self._counters["websocket-dials"] += 1
                await self._guard.run("websocket.dial", self._dial, peer)
                if trio.current_time() - began_s > _STABLE_S:
                    peer.backoff_s = FIRST_BACKOFF_S
            await trio.sleep(peer.backoff_s * self._chance.uniform(0.5, 1.5))
            peer.backoff_s = min(2 * peer.backoff_s, NEAR_BACKOFF_MAX_S)

    def _is_missing(self, peer: WsPeer) -> bool:
        return peer.player is None or (peer.player not in self._lines and self._may_dial(peer.player))

    async def _dial(self, peer: WsPeer) -> None:
        with trio.fail_after(DIAL_TIMEOUT_S):
            stream = await trio.open_tcp_stream(peer.host, peer.port)
        try:
            async with trio.open_nursery() as nursery:
                with trio.fail_after(HANDSHAKE_TIMEOUT_S):
                    socket = await wrap_client_stream(
                        nursery,
                        stream,
                        f"{peer.host}:{peer.port}",
                        "/",
                        message_queue_size=1,
                        max_message_size=MESSAGE_MAX_BYTES,
                    )
                    peer.player = await self._prove(socket, dialled=True, expected=peer.player)
                await self._link(Line(socket, peer.player, f"{SCHEME}{peer.host}:{peer.port}", dialled=True))
                nursery.cancel_scope.cancel()
        finally:
            await trio.aclose_forcefully(stream)

    async def _prove(self, socket: WebSocketConnection, *, dialled: bool, expected: PlayerId | None) -> PlayerId:
        """Both challenges, then both proofs. Violation when the other side has none."""
        handshake = Handshake(
            self._identity, self._network, secrets.token_bytes(NONCE_BYTES), dialled=dialled, expected=expected
        )
        await socket.send_message(handshake.challenge())
        await socket.send_message(handshake.answer(_binary(await socket.get_message())))
        return handshake.finish(_binary(await socket.get_message()))

    async def _link(self, line: Line) -> None:
        """One life of a link: joined, frames, left."""
        player = line.player
        if not self._makes_way(line):
            self._counters["connections-refused"] += 1
            return
        self._lines[player] = line
        self._guard.call("events.joined", self._events.joined, player, line.link(self.name).address)
        try:
            await line.run(self._events, self._guard, self._counters)
        except* Violation as group:
            for violation in (one for one in group.exceptions if isinstance(one, Violation)):
                self._guard.call("events.violated", self._events.violated, player, violation.reason, violation.detail)
        finally:
            if self._lines.get(player) is line:
                del self._lines[player]
                self._guard.call("events.left", self._events.left, player)

    def _makes_way(self, line: Line) -> bool:
        """Whether a new line may be; an older one to the same player ends for it, but for one that was dialled at the
        same time from the other side, of which both sides keep the one that the lesser key dialled."""
        old = self._lines.get(line.player)
        if old is None:
            return self._events.admits(line.player) and len(self._lines) < PEERS_MAX
        if line.born_s - old.born_s < _TWINS_S and old.dialled != line.dialled:
            ours_is_less = self._identity.player < line.player
            if old.dialled == ours_is_less:
                return False
        del self._lines[line.player]
        self._guard.call("events.left", self._events.left, line.player)
        old.cut()
        return True


def _binary(message: str | bytes) -> bytes:
    if not isinstance(message, bytes):
        raise Violation(Reason.GARBAGE, "a message of text")
    return message


def _is_of_here(request: WebSocketRequest) -> bool:
    """Whether no page of another site, shown by a browser on this network, is asking."""
    origin = next((value for name, value in request.headers if name.lower() == b"origin"), None)
    return origin is None or origin.removeprefix(b"http://") == request._event.host.encode()
