"""What every attack has at hand: where the node is, a peer that says whatever it likes, and a record of its fate."""

from __future__ import annotations

import secrets
import struct
import time
from collections import Counter
from typing import Any, NamedTuple

import trio
from libp2p.exceptions import BaseLibp2pError

from consensus.events import Event, encode_events
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Violation
from crdt.keys import Identity
from crdt.types import NO_NONCE, DocumentName, Micros, NetworkId, Nonce, SessionId, jam_document
from node.engine import frames
from node.engine.frames import Frame, pack, unpack
from node.mesh.framing import Decoder
from tests.node.mesh.rawpeer import RawPeer

WRITE_BYTES = 48_000  # frames are sent joined: the dearest for the node is what is the cheapest for the attacker


class Site(NamedTuple):
    """The node under attack, and what became of the attackers."""

    address: str
    network: NetworkId
    tally: Counter[str]

    @property
    def port(self) -> int:
        """Its TCP port on loopback."""
        return int(self.address.split("/")[4])


def framed(raw: bytes) -> bytes:
    """A frame as it goes over the live stream."""
    return struct.pack(">I", len(raw)) + raw


def said(*said_frames: Frame) -> bytes:
    """Frames as they go over the live stream."""
    return b"".join(framed(pack(frame)) for frame in said_frames)


def some_jam() -> DocumentName:
    """A document that nobody has heard of."""
    return jam_document(SessionId(secrets.token_bytes(32)))


class Author:
    """Somebody who signs entries of one log, valid ones, as many as asked for."""

    def __init__(
        self, network: NetworkId, document: DocumentName, identity: Identity | None = None, nonce: Nonce = NO_NONCE
    ) -> None:
        self.identity = identity or Identity(secrets.token_bytes(32))
        self.log = LogKey(self.identity.player, nonce)
        self.network, self.document = network, document
        self.last: Entry | None = None

    def write(self, payload: bytes) -> Entry:
        """The next entry."""
        body = next_body(self.last, payload) if self.last else first_body(*self._first(), payload)
        self.last = sign(self.identity, self.network, body)
        return self.last

    def instead(self, payload: bytes) -> Entry:
        """Another entry in the place of the next: a fork."""
        body = next_body(self.last, payload) if self.last else first_body(*self._first(), payload)
        return sign(self.identity, self.network, body)

    def _first(self) -> tuple[NetworkId, DocumentName, LogKey]:
        return self.network, self.document, self.log


def notes(count: int, number: int = 0) -> bytes:
    """A payload of so many events."""
    return encode_events(tuple(Event(Micros(number * 1_000 + i), 0, 1, 60, 100) for i in range(count)))


class Talker(RawPeer):
    """A raw peer that says hello, reads what the node says, and notices that it was thrown out."""

    def __init__(self, site: Site, *, seed: bytes | None = None, silent: bool = False) -> None:
        super().__init__(site.address, seed=seed)
        self.site = site
        self._silent = silent
        self._decoder = Decoder()

    async def hello(self) -> None:
        """Enter as an honest node would."""
        await self.say(frames.Hello(frames.PROTOCOL, self.site.network, self.player, "raw"))

    async def say(self, *said_frames: Frame) -> None:
        """Send frames. Ends in BrokenPipeError when the node has thrown us out."""
        await self.write(said(*said_frames))

    async def write(self, raw: bytes) -> None:
        """Send bytes on the live stream, in writes of WRITE_BYTES."""
        for start in range(0, len(raw), WRITE_BYTES):
            part = raw[start : start + WRITE_BYTES]
            if not await self.live(part):
                raise BrokenPipeError("thrown out")
            self.site.tally["bytes"] += len(part)
        self.site.tally["writes"] += 1

    def heard(self) -> list[Frame]:
        """The frames that came since this was last asked."""
        data, self.received = bytes(self.received), bytearray()
        out: list[Frame] = []
        for raw in self._decoder.feed(data):
            try:
                out.append(unpack(raw))
            except Violation:
                self.site.tally["unread"] += 1
        return out

    @property
    def secured(self) -> Any:
        """The encrypted connection beneath the multiplexer."""
        return self.host.get_network().get_connections(self.node)[0].muxed_conn.secured_conn


async def is_kept_out(site: Site, seed: bytes) -> bool:
    """Whether the node refuses the connection of this key: it ends within a second, or never comes about."""
    try:
        async with RawPeer(site.address, seed=seed) as raw:
            until = time.monotonic() + 1.0
            while time.monotonic() < until:
                if not raw.connected:
                    return True
                await trio.sleep(0.05)
            return False
    except (BaseLibp2pError, OSError, trio.TooSlowError):
        return True
