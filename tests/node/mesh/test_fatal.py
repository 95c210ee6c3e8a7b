"""The list "Fatal" of notes/libp2p.md: each row, sent by a raw peer, must not end the node.

"The node lives" means that it still exchanges frames and hints with an honest peer afterwards.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from typing import Any

import pytest
import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from libp2p.utils import encode_varint_prefixed
from multiaddr import Multiaddr

from crdt.errors import OperatingFailure, Reason
from crdt.limits import HANDSHAKES_PER_HOST_MAX, STREAMS_PER_PEER_MAX
from node.mesh import tcp as tcp_module
from node.mesh import transport
from node.mesh.gossip import topic_of
from node.mesh.mesh import Mesh
from tests.node.mesh.helpers import LOOPBACK, NETWORK, Node, Owner, pair, started, until
from tests.node.mesh.rawpeer import LIVE, PING, RawPeer


async def assert_lives(node: Node, honest: Node) -> None:
    """Frames and hints still go both ways between two nodes."""
    mark = secrets.token_bytes(8)
    await until(lambda: honest.player in node.mesh.links() and node.player in honest.mesh.links(), "the honest link")
    assert node.send(honest.player, mark)
    assert honest.send(node.player, mark)
    honest.mesh.publish(mark)
    await until(lambda: (node.player, mark) in honest.owner.frames, "a frame to the honest peer")
    await until(lambda: (honest.player, mark) in node.owner.frames, "a frame from the honest peer")
    await until(lambda: mark in node.owner.hints, "a hint from the honest peer")


def pubsub_message(**fields: bytes) -> bytes:
    """An RPC that publishes one message on the topic."""
    message = rpc_pb2.Message(topicIDs=[topic_of(NETWORK)], **fields)
    return encode_varint_prefixed(rpc_pb2.RPC(publish=[message]).SerializeToString())


async def test_malformed_protobuf_on_a_pubsub_stream() -> None:
    """Trap: five bytes of bad protobuf on /meshsub end the host (DecodeError leaves the stream handler)."""
    async with pair() as (a, b), RawPeer(a.address) as raw:
        await raw.meshsub(b"\x04\xff\xff\xff\xff")
        await until(lambda: (raw.player, Reason.GARBAGE) in a.owner.violations, "the violation")
        assert a.mesh.guarded["gossip.stream"] == 1
        await assert_lives(a, b)


async def test_a_message_whose_key_does_not_decode() -> None:
    """Trap: a pubsub message with an undecodable `key` ends the host (validators.py re-raises in a service task)."""
    async with pair() as (a, b), RawPeer(a.address) as raw:
        await raw.meshsub(pubsub_message(from_id=b"\x12\x20" + bytes(32), seqno=b"1", signature=b"s", key=b"\xff\xff"))
        await until(lambda: (raw.player, Reason.GARBAGE) in a.owner.violations, "the violation")
        await assert_lives(a, b)
        assert not a.owner.hints[:-1]


async def test_an_exception_in_any_stream_handler() -> None:
    """Trap: an exception that leaves a stream handler ends the host (basic_host awaits it in a service nursery)."""

    async def careless(stream: Any) -> None:
        raise ZeroDivisionError

    async with pair() as (a, b), RawPeer(a.address) as raw:
        a.mesh.tcp.host.handle("/careless/1", careless)  # not wrapped by its owner
        with contextlib.suppress(BaseLibp2pError):  # the reset may overtake the answer
            await raw.open("/careless/1")
        await until(lambda: a.mesh.guarded["stream"] == 1, "the guard")
        await assert_lives(a, b)


async def test_an_owner_that_raises() -> None:
    """Trap: the same, from the callbacks that our own handlers and validators call."""

    class Careless(Owner):
        def frame(self, player: Any, frame: bytes) -> None:
            super().frame(player, frame)
            raise ZeroDivisionError

        def hint(self, data: bytes) -> None:
            super().hint(data)
            raise ZeroDivisionError

    a = Node(owner=Careless())
    async with started(a) as nursery:
        b = Node(peers=[a.address])
        await nursery.start(b.run)
        await assert_lives(a, b)
        await assert_lives(a, b)
        assert a.mesh.guarded["events.frame"] == 2
        assert a.mesh.guarded["events.hint"] == 2


async def test_pubsub_runs_before_anyone_can_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: a Pubsub whose service has not started crashes when a peer connects."""
    node, seen = Node(), []
    listen = node.mesh.tcp.host.listen

    async def watched(*args: Any) -> None:
        pubsub = node.mesh.tcp.gossip.pubsub
        seen.append(pubsub.manager.is_running and list(pubsub.topic_ids) == [topic_of(NETWORK)])
        assert not node.mesh.tcp.host.swarm.listeners
        await listen(*args)

    monkeypatch.setattr(node.mesh.tcp.host, "listen", watched)
    async with started(node):
        assert seen == [True]


async def test_a_plaintext_dialler_is_refused() -> None:
    """Trap: plaintext and secio are offered by default, and a plaintext-only dialler gets in."""
    async with pair() as (a, b):
        keys = create_new_key_pair()
        plain: Any = new_host(key_pair=keys, sec_opt={TProtocol(PLAINTEXT_PROTOCOL_ID): InsecureTransport(keys)})
        async with plain.run([Multiaddr("/ip4/127.0.0.1/tcp/0")]):
            address = Multiaddr(a.address)
            with pytest.raises(SwarmException):
                await plain.get_network().dial_addr(address, ID.from_base58(address.value_for_protocol("p2p")))
        assert len(a.mesh.tcp.host.swarm.connections) == 1
        await assert_lives(a, b)


_HELLO = b"\x13/multistream/1.0.0\n"
NO_HANDSHAKES = {
    "4 GB": b"\xff\xff\xff\xff\x0f",
    "more than the kernel can count": b"\xff" * 9 + b"\x01",
    "4 GB after the greeting": _HELLO + b"\xff\xff\xff\xff\x0f",
    "no key": _HELLO + b"\x07/noise\n" + b"\x00\x20" + bytes(32) + bytes(200),
    "what nobody encrypted": _HELLO + b"\x07/noise\n" + b"\x01\x90" + b"\x07" * 400 + b"\x00\x40" + b"\x09" * 64,
    "garbage": b"\x99" * 4_096,
}


@pytest.mark.parametrize("said", NO_HANDSHAKES.values(), ids=NO_HANDSHAKES)
async def test_a_dialler_that_says_something_else_than_a_handshake(said: bytes) -> None:
    """Not in the notes: libp2p asks the kernel for what is announced, and what Noise raises goes through."""
    async with pair() as (a, b):
        stream = await trio.open_tcp_stream("127.0.0.1", a.mesh.tcp.host.port)
        await stream.send_all(said)
        await stream.send_eof()
        await until(lambda: a.mesh.counters["handshakes-failed"], "the failed handshake")
        await stream.aclose()
        await assert_lives(a, b)
        assert not a.mesh.guarded


@pytest.mark.parametrize("said", NO_HANDSHAKES.values(), ids=NO_HANDSHAKES)
async def test_a_listener_that_says_something_else_than_a_handshake(said: bytes) -> None:
    answered = trio.Event()

    async def answer(stream: trio.SocketStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.send_all(said)
            await stream.send_eof()
        answered.set()

    async with pair() as (a, b), trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, answer, [listener])
        port = listener.socket.getsockname()[1]
        stranger = Node(peers=[a.address.replace(f"/tcp/{a.mesh.tcp.host.port}/", f"/tcp/{port}/")])
        await nursery.start(stranger.run)
        await answered.wait()
        await until(lambda: stranger.mesh.counters["dials-failed"], "the failed dial")
        assert not stranger.mesh.guarded
        stranger.stop()
        await assert_lives(a, b)
        nursery.cancel_scope.cancel()


async def test_a_restart_within_the_second_does_not_reuse_sequence_numbers() -> None:
    """Trap: pubsub counts from int(time.time()), so a restarted node's messages look seen (8 of 300 delivered)."""
    async with started(a := Node()) as nursery:
        seed = secrets.token_bytes(32)
        for life in range(3):
            b = Node(seed=seed, peers=[a.address])
            await nursery.start(b.run)
            await until(lambda b=b: a.mesh.tcp.gossip.pubsub.peer_topics.get(topic_of(NETWORK)), "the subscription")
            await until(lambda b=b: b.mesh.tcp.gossip.router.mesh[topic_of(NETWORK)], "the gossip mesh")
            hints = [b"%d/%d" % (life, n) for n in range(40)]
            for hint in hints:
                b.mesh.publish(hint)
            await until(lambda hints=hints: set(hints) <= set(a.owner.hints), f"the hints of life {life}")
            b.stop()
            await until(lambda: not a.mesh.tcp.host.swarm.connections, "the end of that life")


async def test_silent_connections_do_not_lock_others_out() -> None:
    """Not in the notes: a connection that never shakes hands holds a slot; held are a bounded few."""
    async with started(a := Node()):
        host, port = "127.0.0.1", a.mesh.tcp.host.port
        silent = [await trio.open_tcp_stream(host, port) for _ in range(HANDSHAKES_PER_HOST_MAX + 4)]
        await until(lambda: a.mesh.counters["handshakes-refused"] >= 4, "the refusals")
        for stream in silent:
            await stream.aclose()
        async with RawPeer(a.address):
            pass


async def test_reconnections_do_not_use_up_inbound_slots() -> None:
    """Not in the notes: swarm.py keeps an inbound slot until the swarm ends, so the 251st connection is refused."""
    async with started(a := Node()):
        a.mesh.tcp.host.swarm._inbound_limiter.total_tokens = 2
        for _ in range(4):
            async with RawPeer(a.address) as raw:
                await until(lambda raw=raw: raw.player in a.mesh.links(), "the link")


async def test_streams_of_one_peer_are_bounded() -> None:
    """Not in the notes: nothing upstream limits how many streams a peer opens."""
    async with pair() as (a, b), RawPeer(a.address) as raw:
        await until(lambda: raw.player in a.mesh.links(), "the link")
        for _ in range(2 * STREAMS_PER_PEER_MAX):
            with trio.move_on_after(1):
                try:
                    await raw.open(PING)
                except BaseLibp2pError:
                    break
        await until(lambda: a.mesh.counters["streams-refused"], "the refusal")
        await assert_lives(a, b)


async def test_a_peer_that_ignores_flow_control_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the notes: yamux only warns when a peer overruns its window, and buffers without end."""
    monkeypatch.setattr(transport, "MUX_BUFFER_MAX_BYTES", 200_000)
    async with pair() as (a, b), RawPeer(a.address, linked=False) as raw:
        stream = await raw.open(LIVE)
        await stream.write(b"\x00\x00\x00\x01x" * 2)  # held back: this peer has not joined
        muxed = stream.muxed_stream
        muxed.send_window = 10_000_000
        with trio.move_on_after(5):
            with contextlib.suppress(BaseLibp2pError):
                while a.mesh.tcp.host.connections(raw.player):
                    await muxed.write(bytes(60_000))
        await until(lambda: not a.mesh.tcp.host.connections(raw.player), "the cut")
        await assert_lives(a, b)


async def test_strangers_beyond_the_limit_are_not_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_module, "PEERS_MAX", 2)
    async with started(a := Node()), RawPeer(a.address) as one, RawPeer(a.address) as two:
        await until(lambda: len(a.mesh.links()) == 2, "two links")
        third = RawPeer(a.address)
        async with third:
            await until(lambda: a.mesh.counters["connections-refused"], "the refusal")
            await until(lambda: not third.connected, "the disconnection")
        assert set(a.mesh.links()) == {one.player, two.player}


async def test_a_port_in_use_is_said_so() -> None:
    """Not in the notes: libp2p listens with SO_REUSEPORT, and a second node would share the port silently."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        node = Node(port=other.getsockname()[1])
        with pytest.raises(OperatingFailure) as caught, trio.fail_after(10):
            await node.mesh.run()
    assert caught.value.remedy


def test_a_malformed_address_of_a_peer_is_said_so() -> None:
    async def make() -> None:
        Mesh(Node().identity, NETWORK, Owner(), interfaces=LOOPBACK, static_peers=["10.0.0.1:4001"])

    with pytest.raises(OperatingFailure) as caught:
        trio.run(make)
    assert "/ip4/" in caught.value.remedy
