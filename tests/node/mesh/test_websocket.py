"""The second transport: who is let in, what is bounded, and that one transport stands in for the other."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, open_websocket_url

from crdt.errors import OperatingFailure, Reason
from crdt.keys import Identity
from crdt.limits import FRAME_MAX_BYTES, HANDSHAKES_PER_HOST_MAX
from crdt.types import NetworkId
from node.mesh import line as line_module
from node.mesh import websocket as websocket_module
from node.mesh.challenge import NONCE_BYTES, Handshake
from node.mesh.framing import encode
from node.mesh.websocket import WebSocketTransport, parse_url
from tests.node.mesh.helpers import NETWORK, Node, started, until


def url_of(node: Node) -> str:
    return f"ws://127.0.0.1:{node.mesh.websocket.port}" if node.mesh.websocket else ""


def ways(one: Node, other: Node) -> list[str]:
    return [link.transport for link in one.mesh.ways().get(other.player, [])]


@asynccontextmanager
async def web_pair(**options: Any) -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes, linked by WebSocket only."""
    async with started(a := Node(websocket_port=0)) as nursery:
        b = Node(peers=[url_of(a)], **options)
        await nursery.start(b.run)
        await until(lambda: ways(a, b) == ways(b, a) == ["websocket"], "the link")
        yield a, b


@asynccontextmanager
async def stranger(node: Node, identity: Identity | None = None, network: NetworkId = NETWORK) -> AsyncIterator[Any]:
    """A WebSocket whose owner has proved a key of its own."""
    handshake = Handshake(
        identity or Identity(secrets.token_bytes(32)), network, secrets.token_bytes(NONCE_BYTES), dialled=True
    )
    async with open_websocket_url(url_of(node), disconnect_timeout=1) as socket:
        await socket.send_message(handshake.challenge())
        await socket.send_message(handshake.answer(await socket.get_message()))
        handshake.finish(await socket.get_message())
        yield socket


async def test_frames_arrive_whole_and_in_order_both_ways() -> None:
    async with web_pair() as (a, b):
        frames = [secrets.token_bytes(size) for size in [1, FRAME_MAX_BYTES, 7] + [50] * 300]
        for frame in frames:
            assert a.send(b.player, frame)
            assert b.send(a.player, frame)
        await until(lambda: len(a.owner.frames) == len(b.owner.frames) == len(frames), "all frames")
        assert [frame for _, frame in b.owner.frames] == frames == [frame for _, frame in a.owner.frames]
        assert a.owner.violations == b.owner.violations == []
        await until(lambda: a.mesh.links()[b.player].rtt_us is not None, "the first ping")


async def test_one_transport_stands_in_for_the_other() -> None:
    """Joined once, never left, while TCP goes and comes back."""
    async with started(a := Node(websocket_port=0)) as nursery:
        b = Node(peers=[url_of(a), a.address])
        await nursery.start(b.run)
        await until(lambda: set(ways(a, b)) == set(ways(b, a)) == {"tcp", "websocket"}, "both links")
        first = ways(a, b)[0]
        for used, other in ((first, "tcp" if first == "websocket" else "websocket"), ("", first)):
            transport = a.mesh._transports[used or ways(a, b)[0]]
            transport.drop(b.player)
            await until(lambda other=other: ways(a, b)[0] == other, "the other way")
            count = len(b.owner.frames)
            assert a.send(b.player, b"still here")
            await until(lambda count=count: len(b.owner.frames) > count, "the frame")
            await until(lambda: set(ways(a, b)) == set(ways(b, a)) == {"tcp", "websocket"}, "both links again")
        assert a.owner.told(b.player)["joined"] == b.owner.told(a.player)["joined"] == 1
        assert a.owner.told(b.player)["left"] == b.owner.told(a.player)["left"] == 0
        assert a.mesh.counters["failovers"] == 2


async def test_it_is_told_once_when_all_are_gone() -> None:
    async with started(a := Node(websocket_port=0)) as nursery:
        b = Node(peers=[url_of(a), a.address])
        await nursery.start(b.run)
        await until(lambda: set(ways(a, b)) == {"tcp", "websocket"}, "both links")
        b.stop()
        await until(lambda: not a.mesh.links(), "the end")
        assert a.owner.told(b.player) == {"joined": 1, "left": 1}


@pytest.mark.parametrize("speak", ["text", "garbage", "their own", "another network", "nothing", "huge"])
async def test_who_proves_nothing_is_nobody(speak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_module, "HANDSHAKE_TIMEOUT_S", 0.5)
    async with web_pair() as (a, b):
        with pytest.raises(ConnectionClosed):
            async with open_websocket_url(url_of(a), disconnect_timeout=1) as socket:
                theirs = await socket.get_message()
                said: dict[str, str | bytes] = {
                    "text": "hello",
                    "garbage": b"\xc1" * 40,
                    "their own": theirs,
                    "another network": Handshake(
                        Identity(bytes(32)), NetworkId(bytes(32)), bytes(32), dialled=True
                    ).challenge(),
                    "huge": bytes(100_000),
                }
                if speak in said:
                    await socket.send_message(said[speak])
                with trio.fail_after(10):
                    await socket.get_message()
        assert set(a.mesh.links()) == {b.player}
        assert a.owner.violations == []


async def test_a_replayed_proof_is_refused() -> None:
    async with started(a := Node(websocket_port=0)):
        thief = Handshake(Identity(bytes(32)), NETWORK, secrets.token_bytes(NONCE_BYTES), dialled=True)
        victim = Identity(secrets.token_bytes(32))
        async with open_websocket_url(url_of(a), disconnect_timeout=1) as socket:
            theirs = await socket.get_message()
            elder = Handshake(victim, NETWORK, secrets.token_bytes(NONCE_BYTES), dialled=True)
            await socket.send_message(Handshake(victim, NETWORK, secrets.token_bytes(32), dialled=True).challenge())
            await socket.send_message(elder.answer(theirs))  # signed for other nonces
            await socket.get_message()
            with pytest.raises(ConnectionClosed), trio.fail_after(10):
                await socket.get_message()
        assert a.mesh.links() == {}
        assert thief.challenge()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("text", Reason.GARBAGE),
        (encode(b"whole")[:-1], Reason.TRUNCATED),
        (b"\xff\xff\xff\xff", Reason.OVERSIZE),
        (b"\0\0\0\0", Reason.GARBAGE),
    ],
    ids=["text", "cut", "huge", "empty"],
)
async def test_what_no_node_sends_is_a_violation(said: str | bytes, reason: Reason) -> None:
    async with web_pair() as (a, b), stranger(a) as socket:
        await socket.send_message(said)
        await until(lambda: a.owner.violations, "the violation")
        assert [why for _, why in a.owner.violations] == [reason]
        assert b.player in a.mesh.links()


async def test_pages_of_other_sites_are_turned_away() -> None:
    async with started(a := Node(websocket_port=0)):
        origin = [(b"Origin", b"http://evil.example")]
        with pytest.raises(ConnectionRejected):
            async with open_websocket_url(url_of(a), extra_headers=origin, disconnect_timeout=1) as socket:
                await socket.get_message()
        assert a.mesh.links() == {}


async def test_handshakes_that_go_nowhere_are_bounded_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_module, "HANDSHAKE_TIMEOUT_S", 1.0)
    async with web_pair() as (a, b):
        assert a.mesh.websocket
        streams = [await trio.open_tcp_stream("127.0.0.1", a.mesh.websocket.port) for _ in range(40)]
        await until(lambda: a.mesh.counters["handshakes-refused"] >= 40 - HANDSHAKES_PER_HOST_MAX, "refusals")
        await until(lambda: a.mesh.websocket and not a.mesh.websocket._handshakes, "the end of patience")
        for stream in streams:
            await trio.aclose_forcefully(stream)
        assert a.send(b.player, b"still here")
        await until(lambda: b.owner.frames, "the frame")


async def test_a_peer_that_does_not_read_slows_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "WRITE_TIMEOUT_S", 0.5)
    async with web_pair() as (a, b), stranger(a) as socket:
        await until(lambda: len(a.mesh.links()) == 2, "the link")
        deaf = next(one for one in a.mesh.links() if one != b.player)
        sent = 0
        with trio.fail_after(15):
            while deaf in a.mesh.links():
                a.send(deaf, bytes(FRAME_MAX_BYTES))
                sent += a.send(b.player, b"meanwhile")
                await trio.sleep(0.002)
        await until(lambda: len(b.owner.frames) == sent, "what went to the other")
        assert socket


async def test_both_sides_dial_at_once() -> None:
    ports = []
    for _ in range(2):
        with trio.socket.socket() as probe:
            await probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    nodes = [Node(websocket_port=ports[i], peers=[f"ws://127.0.0.1:{ports[1 - i]}"]) for i in range(2)]
    async with started(*nodes):
        await until(lambda: ways(*nodes) == ways(nodes[1], nodes[0]) == ["websocket"], "the link")
        await trio.sleep(1)
        assert ways(*nodes) == ways(nodes[1], nodes[0]) == ["websocket"]
        assert nodes[0].owner.told(nodes[1].player)["joined"] <= 2


async def test_a_polite_farewell_by_websocket() -> None:
    async with web_pair() as (a, b):
        assert a.mesh.websocket and b.mesh.websocket
        a.mesh.websocket.part(b.player, 30)
        await until(lambda: not a.mesh.links() and not b.mesh.links(), "the end")
        assert b.mesh.counters["parted-by-others"] == 1
        dials = b.mesh.counters["websocket-dials"]
        await trio.sleep(1)
        assert b.mesh.counters["websocket-dials"] == dials


async def test_a_refused_player_comes_in_by_no_transport() -> None:
    async with web_pair() as (a, b):
        a.mesh.refuse(b.player, 60)
        await until(lambda: not a.mesh.links(), "the end")
        await trio.sleep(0.7)
        assert a.mesh.links() == {}
        assert a.owner.told(b.player)["joined"] == 1


@pytest.mark.parametrize(
    "text", ["ws://", "ws://h", "ws://h:0", "ws://h:65536", "wss://h:1", "ws://h:1/x", "ws://h:1/p2p/abc", "ws://h h:1"]
)
def test_malformed_addresses_are_explained(text: str) -> None:
    with pytest.raises(OperatingFailure, match=r"cannot use the address"):
        parse_url(text)


def test_addresses_with_and_without_a_player() -> None:
    node = Node()
    assert parse_url("ws://localhost:9000").player is None
    assert parse_url(f"ws://10.0.0.1:9000/p2p/{node.mesh.peer_id}").player == node.player
    assert WebSocketTransport.name == "websocket"


async def test_a_port_in_use_is_explained() -> None:
    async with started(a := Node(websocket_port=0)):
        assert a.mesh.websocket
        with pytest.raises(OperatingFailure, match="cannot listen"):
            await Node(websocket_port=a.mesh.websocket.port).run()
