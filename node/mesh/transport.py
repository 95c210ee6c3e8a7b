"""libp2p's upgrade of a TCP connection, with what upstream leaves open closed.

Noise is the only security offered (upstream offers plaintext as well, and a plaintext dialler gets in) and Yamux the
only multiplexer. Added to Yamux are a bound on unread bytes, since upstream only warns when a peer ignores the receive
window; `abort`, since closing in good order waits for a peer that may be frozen; and the ends of the session's express
lane (node/mesh/session.py): `post` for what is written, `attach` for what is read.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import trio
from cryptography.exceptions import InvalidTag
from google.protobuf.message import DecodeError
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as new_noise_key
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.network.auto_connector import AutoConnector
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.connection.exceptions import RawConnError
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.exceptions import SwarmException
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from libp2p.protocol_muxer.exceptions import MultiselectClientError, MultiselectError
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import TYPE_DATA, YAMUX_HEADER_FORMAT, Yamux
from libp2p.transport.exceptions import MuxerUpgradeFailure, SecurityUpgradeFailure
from libp2p.transport.manager import TransportManager
from libp2p.transport.tcp.tcp import TCP
from libp2p.transport.upgrader import TransportUpgrader
from noise.exceptions import NoiseHandshakeError, NoiseInvalidMessage, NoiseValueError

from crdt.limits import (
    CONNECTIONS_PER_PEER_MAX,
    HANDSHAKES_MAX,
    HANDSHAKES_PER_HOST_MAX,
    MUX_BUFFER_MAX_BYTES,
    PEERS_MAX,
)
from node.mesh.doorman import Doorman
from node.mesh.guard import Guard
from node.mesh.session import Session, Sink

NEGOTIATE_TIMEOUT_S: Final = 5
_header: Final = struct.Struct(YAMUX_HEADER_FORMAT)
_HANDSHAKE_READ_MAX: Final = 65_535  # the longest Noise message
# What comes out of Noise and of what it carries, when the other side sends something else.
_BAD_NOISE: Final = (InvalidTag, NoiseInvalidMessage, NoiseHandshakeError, NoiseValueError, DecodeError, ValueError)
_CONNECTIONS_MAX: Final = PEERS_MAX * CONNECTIONS_PER_PEER_MAX


class BoundedYamux(Yamux):  # type: ignore[misc]
    """Yamux with a bound on what a peer can make us hold, and a way out that does not ask the peer."""

    socket: Any = None  # the TCP socket at the bottom
    born = 0.0  # trio's clock
    secured_conn: Session
    _bodies = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._attaching: dict[int, Sink] = {}  # by stream, until the reader is between two frames

    @property
    def heard(self) -> int:
        """Data frames that came in: a sign of life."""
        return self._bodies + self.secured_conn.express_frames

    def post(self, stream: Any, data: bytes) -> bool:
        """Write to a stream at once and without waiting; False when that cannot be, and nothing was done."""
        if stream.send_closed or stream.closed or stream.send_window < len(data) or self.event_shutting_down.is_set():
            return False
        if not self.secured_conn.post(_header.pack(0, TYPE_DATA, 0, stream.stream_id, len(data)) + data):
            return False
        stream.send_window -= len(data)
        return True

    def attach(self, stream: Any, sink: Sink) -> None:
        """Hand what comes on a stream to a sink from now on, what came already first. Its end still shows in `read`."""
        self._attaching[stream.stream_id] = sink
        self._hand_over_early(stream, sink)
        self.secured_conn.between_frames(lambda: self._attach(stream, sink))

    def _attach(self, stream: Any, sink: Sink) -> None:
        if self._attaching.get(stream.stream_id) is sink:
            self._hand_over_early(stream, sink)
        if self._attaching.get(stream.stream_id) is sink:  # the sink has not had enough
            del self._attaching[stream.stream_id]
            if stream.stream_id in self.streams:
                self.secured_conn.attach(stream.stream_id, sink, stream.recv_window)

    def _hand_over_early(self, stream: Any, sink: Sink) -> None:
        buffer = self.stream_buffers.get(stream.stream_id)
        if buffer:
            early = bytes(buffer)
            buffer.clear()
            sink(early)

    def detach(self, stream: Any) -> None:
        """Let what comes on a stream wait to be read again."""
        self._attaching.pop(stream.stream_id, None)
        window = self.secured_conn.detach(stream.stream_id)
        if window is not None:
            stream.recv_window = window

    async def _write_frame(self, data: bytes) -> None:
        """As upstream's, which formats a line of log for every frame."""
        await self.secured_conn.write(data)
        await trio.lowlevel.checkpoint()

    async def _measure_rtt_loop(self) -> None:
        """Upstream's pings are not needed, node/mesh/watchdog.py has its own; the task sends what waits instead."""
        await self.secured_conn.flush_forever()

    async def _read_data_body(self, length: int) -> bytes:
        self._bodies += 1
        held = sum(len(buffer) for buffer in self.stream_buffers.values())
        if held + length > MUX_BUFFER_MAX_BYTES:
            self.secured_conn.flooded("more sent than the windows allow")
            # the one error here that upstream answers by closing the connection
            raise trio.TooSlowError(f"{held} bytes unread and {length} more announced")
        return bytes(await super()._read_data_body(length))

    def abort(self) -> None:
        """Close the socket at once: reads and writes in progress fail, and upstream's clean-up follows."""
        if self.socket is not None:
            self.socket.close()

    @property
    def alive(self) -> bool:
        """Whether it can still carry streams, as far as is known here."""
        return not self.event_shutting_down.is_set() and (self.socket is None or self.socket.fileno() != -1)


class _Handshaking(RawConnection):  # type: ignore[misc]
    """A connection until it is encrypted. libp2p asks the kernel for as many bytes as the other side announces."""

    async def read(self, n: int | None = None) -> bytes:
        """As libp2p's; RawConnError for more than any handshake holds."""
        if n is not None and n > _HANDSHAKE_READ_MAX:
            raise RawConnError(f"{n} bytes announced in a handshake")
        return bytes(await super().read(n))


class MeshUpgrader(TransportUpgrader):  # type: ignore[misc]
    """Noise, then BoundedYamux."""

    async def upgrade_security(self, raw_conn: Any, is_initiator: bool, peer_id: ID | None = None) -> Any:
        """As libp2p's, with bounded reads, one kind of error whatever the other side sends, and the express lane."""
        conn = _Handshaking(raw_conn.stream, is_initiator)
        try:
            secured = await super().upgrade_security(conn, is_initiator, peer_id)
        except (*_BAD_NOISE, RawConnError) as error:
            raise SecurityUpgradeFailure(f"no handshake: {error!r}") from error
        return Session(secured, raw_conn.stream.stream)

    async def upgrade_connection(self, conn: Any, peer_id: ID) -> Any:
        """As libp2p's, with streams that are bounded."""
        try:
            await self.muxer_multistream.select_transport(conn)
        except (MultiselectError, MultiselectClientError) as error:
            raise MuxerUpgradeFailure("no multiplexer in common") from error
        muxed = BoundedYamux(conn, peer_id, is_initiator=conn.is_initiator)
        muxed.socket = conn.socket
        conn.is_muxed = True
        muxed.born = trio.current_time()
        return muxed


class _NoAutoConnector(AutoConnector):  # type: ignore[misc]
    """Upstream's dials whomever the peer store names until half of the allowed connections stand."""

    async def maybe_connect(self) -> None:
        """Nothing: dialling is the dialler's."""

    def record_disconnect(self, peer_id: ID) -> None:
        """Nothing."""


class MeshSwarm(Swarm):  # type: ignore[misc]
    """A Swarm that dials nobody by itself and holds a bounded number of connections and handshakes.

    `admit` says whether a peer, once authenticated, may connect.
    """

    def __init__(self, peer_id: ID, keys: KeyPair, guard: Guard, counters: Counter[str]) -> None:
        peerstore = PeerStore()
        peerstore.add_key_pair(peer_id, keys)
        noise = NoiseTransport(keys, noise_privkey=new_noise_key().private_key)
        super().__init__(
            peer_id,
            peerstore,
            MeshUpgrader({NOISE: noise}, {TProtocol(YAMUX): Yamux}, NEGOTIATE_TIMEOUT_S),
            transports=[TCP()],
            retry_config=RetryConfig(max_retries=0),
            connection_config=ConnectionConfig(
                max_connections=_CONNECTIONS_MAX,
                high_watermark=_CONNECTIONS_MAX,
                low_watermark=0,
                min_connections=0,
                max_connections_per_peer=CONNECTIONS_PER_PEER_MAX,
                inbound_upgrade_timeout=NEGOTIATE_TIMEOUT_S,
                outbound_upgrade_timeout=NEGOTIATE_TIMEOUT_S,
                inbound_stream_protocol_negotiation_timeout=NEGOTIATE_TIMEOUT_S,
                outbound_stream_protocol_negotiation_timeout=NEGOTIATE_TIMEOUT_S,
            ),
            transport_manager=TransportManager(),
        )
        self.auto_connector = _NoAutoConnector(self)
        self.admit: Callable[[ID], bool] = lambda _: True
        self.doorman = Doorman()
        self.flooded: Callable[[ID, str], None] = lambda _, __: None
        self._guard = guard
        self._counters = counters
        self._handshakes: Counter[str] = Counter()
        self._inbound_limiter.total_tokens = math.inf  # replaced by the two limits below

    def live(self, peer_id: ID) -> list[Any]:
        """A peer's usable connections, oldest first."""
        return [conn for conn in self.connections.get(peer_id, ()) if not conn.is_closed and conn.muxed_conn.alive]

    async def _handle_inbound_connection(self, read_write_closer: Any, maddr: Any) -> None:
        await self._guard.run("inbound", self._accept, read_write_closer, maddr)

    async def _accept(self, read_write_closer: Any, maddr: Any) -> None:
        """Upstream keeps an inbound slot and a task until the *swarm* ends: 250 reconnections and nobody gets in.

        Here both last as long as the connection, and handshakes are bounded in total and per host.
        """
        remote = read_write_closer.get_remote_address()
        host = remote[0] if remote else "?"
        if not self.doorman.lets_in(host, trio.current_time()):
            self._counters["handshakes-too-often"] += 1
            return
        if self._handshakes.total() >= HANDSHAKES_MAX or self._handshakes[host] >= HANDSHAKES_PER_HOST_MAX:
            self._counters["handshakes-refused"] += 1
            return
        self._handshakes[host] += 1
        try:
            muxed = await self._admitted(read_write_closer, maddr)
        finally:
            self._handshakes[host] -= 1
            if not self._handshakes[host]:
                del self._handshakes[host]
        if muxed is not None:
            await muxed.event_closed.wait()

    async def _admitted(self, read_write_closer: Any, maddr: Any) -> Any:
        """The connection of a peer that proved its key and was let in, None of any other."""
        try:
            return await self.upgrade_inbound_raw_conn(RawConnection(read_write_closer, False), maddr)
        except (BaseLibp2pError, trio.BrokenResourceError, trio.ClosedResourceError):
            self._counters["handshakes-failed"] += 1
            return None

    async def add_conn(self, muxed_conn: BoundedYamux, direction: str = "unknown") -> Any:
        """Let an authenticated connection in, or close it; more than a few per peer push out the oldest."""
        peer_id = muxed_conn.peer_id
        if not self.admit(peer_id):
            self._counters["connections-refused"] += 1
            muxed_conn.abort()
            muxed_conn.event_closed.set()
            raise SwarmException(f"{peer_id} is not admitted")
        muxed_conn.secured_conn.flooded = partial(self.flooded, peer_id)
        for old in self.live(peer_id)[: -(CONNECTIONS_PER_PEER_MAX - 1)]:
            old.muxed_conn.abort()
        return await super().add_conn(muxed_conn, direction)

    def _select_connection(self, connections: list[Any], peer_id: ID) -> Any:
        """The newest: it is the one that a peer which came back is surely at the other end of."""
        usable = [conn for conn in connections if conn.muxed_conn.alive] or connections
        return max(usable, key=lambda conn: conn.muxed_conn.born)

    async def dial_peer(self, peer_id: ID) -> list[Any]:
        """Dialling is the dialler's business, never a side effect of opening a stream."""
        raise SwarmException(f"{peer_id} is not connected")

    def abort_all(self) -> None:
        """Close every socket at once."""
        for conns in list(self.connections.values()):
            for conn in list(conns):
                conn.muxed_conn.abort()
