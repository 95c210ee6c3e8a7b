"""The libp2p host of a player: one key, TCP, Noise, Yamux, identify and ping.

Its stream handlers all pass one guard, whoever registered them. Outbound identify is left out: it runs as a system
task, where an error ends the process, and writes a stranger's claims into the peer store; nothing here needs them.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from errno import EADDRINUSE
from typing import Any, Final

import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost, _IdentifyNotifee
from libp2p.host.ping import ID as PING
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify.identify import identify_handler_for
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from multiaddr import Multiaddr

from crdt.errors import Refused, Violation
from crdt.keys import Identity
from crdt.limits import STREAMS_PER_PEER_MAX
from crdt.types import PlayerId
from node.mesh.address import Address, at
from node.mesh.guard import Guard
from node.mesh.peerid import peer_id_bytes, player_of_bytes
from node.mesh.ping import answer_pings
from node.mesh.quiet import quieten
from node.mesh.service import running
from node.mesh.transport import NEGOTIATE_TIMEOUT_S, MeshSwarm

ANY: Final = "0.0.0.0"
_CLOSE_TIMEOUT_S: Final = 0.5


def id_of(player: PlayerId) -> ID:
    """libp2p's id of a player."""
    return ID(peer_id_bytes(player))


def player_at(conn: Any) -> PlayerId | None:
    """The player at the other end of a connection, None when its key is not an Ed25519 one."""
    try:
        return player_of_bytes(conn.muxed_conn.peer_id.to_bytes())
    except Violation:
        return None


class MeshHost:
    """The host and the few things that the mesh does with it."""

    def __init__(self, identity: Identity, guard: Guard, counters: Counter[str]) -> None:
        quieten()
        keys = create_new_key_pair(identity.seed())
        self.player = identity.player
        self.id = id_of(identity.player)
        self._guard = guard
        self._counters = counters
        self._announced: list[Multiaddr] = []
        self.swarm = MeshSwarm(self.id, keys, guard, counters)
        self.basic = BasicHost(
            self.swarm,
            default_protocols={PING: answer_pings},
            negotiate_timeout=NEGOTIATE_TIMEOUT_S,
            addrs_factory=lambda _: list(self._announced),
            disable_identify_address_discovery=True,
        )
        self.basic.set_stream_handler(IDENTIFY, identify_handler_for(self.basic, use_varint_format=True))
        self.swarm.notifees = [one for one in self.swarm.notifees if not isinstance(one, _IdentifyNotifee)]
        self.swarm.set_stream_handler(guard.handler("stream", self._accept))
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The swarm's service; sockets are closed when the block is left."""
        async with running(self.swarm, self._guard):
            await self.swarm.event_background_nursery_created.wait()
            try:
                yield
            finally:
                with trio.CancelScope(shield=True), trio.move_on_after(_CLOSE_TIMEOUT_S):
                    self.swarm.abort_all()
                    for listener in list(self.swarm.listeners.values()):
                        await self._guard.run("close", listener.close)

    async def listen(self, hosts: Sequence[str], port: int) -> None:
        """Listen at one port on all `hosts`; 0 lets the system choose. Refused when it cannot."""
        self.port = port
        for host in hosts:
            if self.port:
                _check_free(host, self.port)
            kind = "ip6" if ":" in host else "ip4"
            address = Multiaddr(f"/{kind}/{host}/tcp/{self.port}")
            if not await self.swarm.listen(address):
                raise _cannot_listen(host, self.port, "the address cannot be bound")
            bound = self.swarm.listeners[str(address)].get_addrs()[0]
            self.port = int(bound.value_for_protocol("tcp"))

    def announce(self, hosts: Sequence[str]) -> list[Address]:
        """Set the addresses that identify and pubsub's records name."""
        addresses = [at(host, self.port, self.player) for host in hosts]
        self._announced = [Multiaddr(address.transport) for address in addresses]
        return addresses

    async def dial(self, address: Address) -> bool:
        """Connect to one address; False when that did not work, for whatever reason in the world."""
        try:
            await self.swarm.dial_addr(Multiaddr(address.transport), id_of(address.player))
        except SwarmException:
            return False
        return True

    def connections(self, player: PlayerId) -> list[Any]:
        """Usable connections to a player, oldest first."""
        return self.swarm.live(id_of(player))

    async def open_stream(self, conn: Any, protocol: TProtocol, timeout_s: float = NEGOTIATE_TIMEOUT_S) -> Any:
        """A stream on this very connection.

        Raises ProtocolNotSupportedError when the peer says that it does not speak it, trio.TooSlowError when it says
        nothing, another BaseLibp2pError when stream or connection end.
        """
        stream = await conn.new_stream()
        agreed = False
        try:
            with trio.fail_after(timeout_s):
                communicator = MultiselectCommunicator(stream)
                await self.basic.multiselect_client.handshake(communicator)
                await self.basic.multiselect_client.try_select(communicator, protocol)
            stream.set_protocol(protocol)
            agreed = True
        finally:
            if not agreed:
                with trio.CancelScope(shield=True):
                    await self._guard.reset(stream)
        return stream

    def handle(self, protocol: str, handler: Callable[[Any], Any]) -> None:
        """Accept streams of a protocol."""
        self.basic.set_stream_handler(TProtocol(protocol), handler)

    def forget(self, peer_id: ID) -> None:
        """Drop what libp2p keeps about a peer that is gone."""
        if peer_id != self.id and self.swarm.peerstore.has_peer(peer_id):
            self.swarm.peerstore.clear_peerdata(peer_id)

    async def _accept(self, stream: Any) -> None:
        """Every inbound stream comes through here, before its protocol is known."""
        if stream.swarm_conn is not None and len(stream.swarm_conn.get_streams()) > STREAMS_PER_PEER_MAX:
            self._counters["streams-refused"] += 1
            await self._guard.reset(stream)
            return
        await self.basic._swarm_stream_handler(stream)


def _check_free(host: str, port: int) -> None:
    """libp2p listens with SO_REUSEPORT: a second node on the port would quietly take half of the connections."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            reason = "port-taken" if error.errno == EADDRINUSE else "cannot-listen"
            raise _cannot_listen(host, port, error.strerror or str(error), reason) from None


def _cannot_listen(host: str, port: int, why: str, reason: str = "cannot-listen") -> Refused:
    remedy = "Choose another port or interface, or end the program that uses it"
    return Refused(reason, f"cannot listen on {host} port {port}", why, remedy)
