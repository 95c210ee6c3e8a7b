"""A raw libp2p peer that breaks every rule it can reach: each kind is counted by its reason, and the node plays on."""

from __future__ import annotations

import struct
from collections.abc import Callable

import trio

from consensus.events import Event, encode_events
from consensus.params import MAIN, network_id
from crdt.entry import LogKey, first_body, sign
from crdt.limits import FRAME_MAX_BYTES
from crdt.types import NO_NONCE, Micros, NetworkId, SessionId, jam_document
from node.commands.processes import Process
from node.engine import frames
from node.engine.frames import pack
from node.feed import open_feed
from tests.node.mesh.rawpeer import RawPeer

DOCUMENT = jam_document(SessionId(bytes(32)))


def _framed(raw: bytes) -> bytes:
    return struct.pack(">I", len(raw)) + raw


def _entries(raw_peer: RawPeer, network: NetworkId, spoil: Callable[[bytes], bytes] = bytes) -> bytes:
    log = LogKey(raw_peer.player, NO_NONCE)
    payload = encode_events((Event(Micros(1), 0, 1, 60, 100),))
    entry = sign(raw_peer.identity, network, first_body(network, DOCUMENT, log, payload))
    return _framed(pack(frames.Entries(DOCUMENT, (spoil(entry.raw),), 0)))


def _hello(raw_peer: RawPeer, network: NetworkId) -> bytes:
    return _framed(pack(frames.Hello(frames.PROTOCOL, network, raw_peer.player, "raw")))


def _network(node: Process) -> NetworkId:
    return NetworkId(bytes.fromhex(node.client().status()["network"]))


async def _refused(node: Process, reason: str) -> int:
    """How often the node has refused something for this reason, once it has."""
    for _ in range(100):
        count = (await trio.to_thread.run_sync(node.client().status))["refused"].get(reason, 0)
        if count:
            return int(count)
        await trio.sleep(0.1)
    return 0


async def test_every_attack_is_counted_by_its_reason_and_the_node_plays_on(node: Process) -> None:
    address = node.client().status()["addresses"][0]
    ours, theirs = _network(node), network_id(MAIN)
    attacks: dict[str, Callable[[RawPeer], bytes]] = {
        "garbage": lambda _: _framed(b"\xff" * 40),
        "oversize": lambda _: struct.pack(">I", FRAME_MAX_BYTES + 1),
        "bad-signature": lambda raw: _entries(raw, ours, lambda r: bytes([r[0] ^ 1]) + r[1:]),
        "wrong-network": lambda raw: _entries(raw, theirs),
        "unexpected": lambda _: b"",
    }
    for reason, attack in attacks.items():
        async with RawPeer(address) as raw:
            if reason == "unexpected":
                await raw.live(_framed(pack(frames.Probe(Micros(1)))))
            else:
                await raw.live(_hello(raw, ours) + attack(raw))
            assert await _refused(node, reason), f"{reason} was not counted"
    async with RawPeer(address) as raw:
        await raw.live(_hello(raw, ours) + _entries(raw, ours)[:-7], close=True)
        assert await _refused(node, "truncated")
    async with RawPeer(address) as raw:
        await raw.meshsub(b"\x05\xff\xff\xff\xff\xff")
        await trio.sleep(0.5)
    assert node.is_alive()
    await _plays(node)


async def test_a_valid_entry_of_an_unknown_player_is_taken_in(node: Process) -> None:
    """The same bytes, unspoiled: so the attacks above fail for the reason they name."""
    status = node.client().status()
    async with RawPeer(status["addresses"][0]) as raw:
        await raw.live(_hello(raw, _network(node)) + _entries(raw, _network(node)))
        for _ in range(100):
            documents = (await trio.to_thread.run_sync(node.client().status))["documents"]
            if any(document["name"] == DOCUMENT for document in documents):
                break
            await trio.sleep(0.1)
        else:
            raise AssertionError("a valid entry was not taken in")
    assert not node.client().status()["refused"]


async def _plays(node: Process) -> None:
    async with trio.open_nursery() as nursery, open_feed(node.client().address, nursery) as feed:
        at_us = feed.node_us()
        await feed.play([(at_us, 0, 1, 60, 100), (at_us + 10, 1, 1, 60, 0)])
        await feed.drain()
        assert feed.saved_events == 2
        nursery.cancel_scope.cancel()
