"""Pings between a node and a plain libp2p host: answered as upstream would, and no more than an honest peer needs."""

from __future__ import annotations

import secrets

import pytest
import trio
from libp2p.host.ping import PING_LENGTH
from libp2p.io.utils import read_exactly

from node.mesh import ping, watchdog
from node.mesh.mesh import Mesh
from tests.node.mesh.helpers import Node, started, until
from tests.node.mesh.rawpeer import PING, RawPeer


async def test_upstreams_ping_is_answered_with_the_same_bytes() -> None:
    async with started(a := Node()), RawPeer(a.address) as raw:
        stream = await raw.open(PING)
        for _ in range(3):
            sent = secrets.token_bytes(PING_LENGTH)
            await stream.write(sent)
            with trio.fail_after(5):
                assert await read_exactly(stream, PING_LENGTH) == sent


async def test_a_ping_in_pieces_is_answered_when_it_is_whole() -> None:
    async with started(a := Node()), RawPeer(a.address) as raw:
        stream, sent = await raw.open(PING), secrets.token_bytes(PING_LENGTH)
        for part in (sent[:1], sent[1:20], sent[20:]):
            await stream.write(part)
            await trio.sleep(0.02)
        with trio.fail_after(5):
            assert await read_exactly(stream, PING_LENGTH) == sent


async def test_who_pings_too_often_is_not_answered_each_time() -> None:
    async with started(a := Node()), RawPeer(a.address) as raw:
        stream = await raw.open(PING)
        await stream.write(secrets.token_bytes(100 * PING_LENGTH))
        got = bytearray()
        with trio.move_on_after(1.0):
            while True:
                got += await stream.read(PING_LENGTH)
        assert ping._AT_ONCE <= len(got) // PING_LENGTH <= ping._AT_ONCE + 4
        assert len(got) % PING_LENGTH == 0
        await trio.sleep(1 / ping._PER_S)
        sent = secrets.token_bytes(PING_LENGTH)
        await stream.write(sent)
        with trio.fail_after(5):
            assert await read_exactly(stream, PING_LENGTH) == sent


async def test_an_end_in_the_middle_of_a_ping_leaves_the_link_alone() -> None:
    async with started(a := Node()), RawPeer(a.address) as raw:
        stream = await raw.open(PING)
        await stream.write(b"half")
        await stream.close()
        await until(lambda: not _pinging(a.mesh), "the end of the stream")
        assert raw.connected


def _pinging(mesh: Mesh) -> int:
    """Streams of the protocol that were opened by the other side."""
    conns = mesh.tcp.host.swarm.get_connections()
    return sum(
        stream.get_protocol() == PING and not stream.muxed_stream.is_initiator
        for conn in conns
        for stream in conn.get_streams()
    )


@pytest.mark.parametrize("answer", [b"\x00" * PING_LENGTH, secrets.token_bytes(2 * PING_LENGTH)], ids=["zeros", "more"])
async def test_an_answer_that_is_none_ends_the_pings_and_then_the_link(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "PING_EVERY_S", 0.1)
    asked = 0
    async with started(a := Node()), RawPeer(a.address) as raw:

        async def lie(stream: object) -> None:
            nonlocal asked
            await read_exactly(stream, PING_LENGTH)
            asked += 1
            await stream.write(answer)

        raw.host.set_stream_handler(PING, lie)
        await until(lambda: a.mesh.counters["peers-unresponsive"] == 1, "that it does not answer")
        assert asked == 1
