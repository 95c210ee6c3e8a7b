"""Attacks on streams and their multiplexer, by a peer that has proved a key."""

from __future__ import annotations

import secrets
import struct
from typing import Any

import trio
from libp2p.exceptions import BaseLibp2pError

from consensus.params import MAIN, network_id
from crdt.types import Digest
from node.engine import frames
from node.mesh.gossip import PROTOCOLS
from tests.hostile.attacks.talk import asks, longest_log
from tests.hostile.site import Talker, framed
from tests.node.mesh.rawpeer import LIVE, MESHSUB, PING

IDENTIFY = "/ipfs/id/1.0.0"
_YAMUX = ">BBHII"
_DATA, _WINDOW, _PING = 0, 1, 2
_SYN = 1


async def malformed_pubsub(peer: Talker) -> None:
    """Protobuf that is none, and protobuf that is, with keys and signatures that are not."""
    await peer.hello()
    bad_key = b"\x12\x10" + b"\x0a\x02ab" + b"\x12\x02cd" + b"\x32\x06\x01\x02\x03\x04\x05\x06"
    while True:
        for raw in (b"\x05\xff\xff\xff\xff\xff", bytes([len(bad_key)]) + bad_key, b"\x02\x12\x7f"):
            if not await peer.meshsub(raw):
                raise BrokenPipeError("thrown out")
            peer.site.tally["streams"] += 1


async def garbage_everywhere(peer: Talker) -> None:
    """Random bytes on every protocol that the node speaks, and on some that it does not."""
    await peer.hello()
    while True:
        for protocol in (LIVE, *PROTOCOLS, PING, IDENTIFY, "/nothing/1.0.0"):
            try:
                stream = await peer.open(protocol)
                await stream.write(secrets.token_bytes(300))
            except BaseLibp2pError:
                peer.site.tally["streams-refused"] += 1
                if not peer.connected:
                    raise BrokenPipeError("thrown out") from None
                continue
            peer.site.tally["streams"] += 1


async def long_lengths(peer: Talker) -> None:
    """Length prefixes up to 4 GB on every protocol that has some, with a little of what they announce."""
    await peer.hello()
    while True:
        for protocol, prefix in (
            (LIVE, b"\xff\xff\xff\xff"),
            (LIVE, struct.pack(">I", 50_001)),
            (MESHSUB, b"\xff\xff\xff\xff\x0f"),
            (MESHSUB, b"\xff" * 9 + b"\x01"),
        ):
            try:
                stream = await peer.open(protocol)
                await stream.write(prefix + bytes(1_000))
            except BaseLibp2pError:
                if not peer.connected:
                    raise BrokenPipeError("thrown out") from None
                continue
            peer.site.tally["streams"] += 1


async def yamux_lengths(peer: Talker) -> None:
    """The multiplexer's own frames, announcing 4 GB and overrunning the window that was granted."""
    await peer.hello()
    stream = 2**31 + 1
    while True:
        await _raw(peer, struct.pack(_YAMUX, 0, _WINDOW, _SYN, stream, 0))
        for _ in range(200):
            await _raw(peer, struct.pack(_YAMUX, 0, _DATA, 0, stream, 60_000) + bytes(60_000))
        await _raw(peer, struct.pack(_YAMUX, 0, _DATA, 0, stream, 2**32 - 1) + bytes(1_000))


async def yamux_pings(peer: Talker) -> None:
    """The multiplexer's own pings, as fast as it goes: each is to be answered."""
    await peer.hello()
    many = b"".join(struct.pack(_YAMUX, 0, _PING, _SYN, 0, n) for n in range(4_000))
    while True:
        await _raw(peer, many)


async def yamux_nonsense(peer: Talker) -> None:
    """Frames of no known type, and frames for streams that never were: nothing is to be answered."""
    await peer.hello()
    many = b"".join(struct.pack(_YAMUX, 0, kind, 0, 77_777, 0) for kind in (9, _DATA, _WINDOW)) * 1_500
    while True:
        await _raw(peer, many)


async def _raw(peer: Talker, data: bytes) -> None:
    if not peer.connected:
        raise BrokenPipeError("thrown out")
    await peer.secured.write(data)
    peer.site.tally["bytes"] += len(data)


async def stream_flood(peer: Talker) -> None:
    """Opens streams as fast as it can and never says which protocol they are for."""
    await peer.hello()
    number = 2**20 + 1
    while True:
        many = b"".join(struct.pack(_YAMUX, 0, _WINDOW, _SYN, number + 2 * n, 0) for n in range(200))
        number += 400
        await _raw(peer, many)
        peer.site.tally["streams"] += 200
        await trio.sleep(0)


async def never_reads(peer: Talker) -> None:
    """Asks for all there is, again and again, and takes nothing of it off the wire."""
    await _slowly(peer, 0)


async def reads_slowly(peer: Talker) -> None:
    """The same, taking a byte a second."""
    await _slowly(peer, 1)


async def _slowly(peer: Talker, each_s: int) -> None:
    deaf = trio.Event()

    async def read(stream: Any) -> None:
        while not deaf.is_set():
            peer.received += await stream.read(4_096)
        while True:
            await trio.sleep(1)
            if each_s:
                await stream.read(each_s)

    peer.host.set_stream_handler(LIVE, read)
    await peer.hello()
    await trio.sleep(1)  # until there is something to ask for
    document, log = await longest_log(peer)
    deaf.set()
    request = 0
    while True:
        await peer.say(*asks(document, log, request, 60))
        request += 60
        await trio.sleep(0.01)


async def wrong_network(peer: Talker) -> None:
    """Says hello for another network, and goes on talking."""
    while True:
        await peer.say(frames.Hello(frames.PROTOCOL, network_id(MAIN), peer.player, "raw"))
        await trio.sleep(0.05)


async def reconnects(peer: Talker) -> None:
    """Connects, says hello and hangs up, and comes again under another name, without end."""
    await peer.hello()
    await trio.sleep(0.02)
    await peer.host.disconnect(peer.node)


async def no_hello(peer: Talker) -> None:
    """Talks without having said hello."""
    while True:
        await peer.write(framed(frames.pack(frames.Total(Digest(bytes(32))))) * 100)


ATTACKS = {
    "malformed-pubsub": malformed_pubsub,
    "garbage-everywhere": garbage_everywhere,
    "long-lengths": long_lengths,
    "yamux-lengths": yamux_lengths,
    "yamux-pings": yamux_pings,
    "yamux-nonsense": yamux_nonsense,
    "stream-flood": stream_flood,
    "never-reads": never_reads,
    "reads-slowly": reads_slowly,
    "wrong-network": wrong_network,
    "reconnects": reconnects,
    "no-hello": no_hello,
}
