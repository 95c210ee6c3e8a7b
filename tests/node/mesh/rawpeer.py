"""A raw libp2p host with a key of its own, to say to a node whatever a node itself would never say.

    async with RawPeer(address) as raw:
        await raw.live(b"\\x00\\x00\\x00\\x05hello")   # bytes on the live stream, framing included by the caller
        await raw.meshsub(b"garbage")                 # bytes on a new pubsub stream

Several streams are several calls of `open`. What the node sends on its own live stream is kept in `received`.
"""

from __future__ import annotations

import secrets
from types import TracebackType
from typing import Any

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as new_noise_key
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.peer.id import ID
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as Noise
from multiaddr import Multiaddr

from crdt.keys import Identity
from crdt.types import PlayerId
from node.mesh.quiet import quieten

LIVE = "/symjam/live/1"
MESHSUB = "/meshsub/1.1.0"
PING = "/ipfs/ping/1.0.0"


class RawPeer:
    """Connects on entering, disconnects on leaving. `linked=False`: it does not speak the live protocol itself, so
    that the node never considers it joined."""

    def __init__(self, address: str, *, seed: bytes | None = None, linked: bool = True) -> None:
        quieten()
        self.identity = Identity(seed or secrets.token_bytes(32))
        self.player: PlayerId = self.identity.player
        keys = create_new_key_pair(self.identity.seed())
        self.host: Any = new_host(
            key_pair=keys, sec_opt={NOISE: Noise(keys, noise_privkey=new_noise_key().private_key)}
        )
        if linked:
            self.host.set_stream_handler(TProtocol(LIVE), self._read)
        self.received = bytearray()
        self.closed = trio.Event()  # the node has ended its live stream to us
        self._address = Multiaddr(address)
        self._running: Any = None
        self._live: Any = None

    async def __aenter__(self) -> RawPeer:
        self._running = self.host.run([Multiaddr("/ip4/127.0.0.1/tcp/0")])
        await self._running.__aenter__()
        peer_id = self._address.value_for_protocol("p2p")
        self.node = ID.from_base58(peer_id)
        try:
            await self.host.get_network().dial_addr(self._address, self.node)
        except BaseLibp2pError:  # refused: whoever did not get in will not be asked to leave either
            await self._running.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with trio.move_on_after(2):
            await self.host.disconnect(self.node)
        await self._running.__aexit__(kind, error, trace)

    @property
    def connected(self) -> bool:
        """Whether the connection to the node stands."""
        return any(not conn.is_closed for conn in self.host.get_network().get_connections(self.node))

    async def open(self, protocol: str) -> Any:
        """A new stream to the node."""
        return await self.host.new_stream(self.node, [TProtocol(protocol)])

    async def live(self, data: bytes, *, close: bool = False) -> bool:
        """Write bytes on the live stream, opened at the first call; `close` ends it there. False when the node has
        reset the stream or closed the connection; the next call opens another."""
        try:
            if self._live is None:
                self._live = await self.open(LIVE)
            if data:
                await self._live.write(data)
            if close:
                await self._live.close_write()
                self._live = None
        except BaseLibp2pError:
            self._live = None
            return False
        return True

    async def meshsub(self, data: bytes) -> bool:
        """Write bytes on a new pubsub stream; False when the node will not have them."""
        try:
            stream = await self.open(MESHSUB)
            await stream.write(data)
        except BaseLibp2pError:
            return False
        return True

    async def _read(self, stream: Any) -> None:
        try:
            while data := await stream.read(65_536):
                self.received += data
        except BaseLibp2pError:
            pass
        self.closed.set()
