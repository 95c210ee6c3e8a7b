"""Attacks below the secure channel: sockets, plaintext, handshakes that go wrong or nowhere."""

from __future__ import annotations

import secrets
import struct

import trio

from tests.hostile.site import Site

_MULTISTREAM = b"\x13/multistream/1.0.0\n"
_SOCKETS = 64  # opened at a time


async def _dial(site: Site) -> trio.SocketStream | None:
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", site.port)
    except OSError:
        site.tally["dials-failed"] += 1
        return None
    site.tally["dials"] += 1
    return stream


async def _say(site: Site, data: bytes, hold_s: float) -> None:
    """Dial, say something, read what comes for so long, hang up."""
    stream = await _dial(site)
    if stream is None:
        await trio.sleep(0.01)
        return
    async with stream:
        try:
            await stream.send_all(data)
            with trio.move_on_after(hold_s):
                while answer := await stream.receive_some(65_536):
                    if b"/plaintext" in answer or b"/yamux" in answer:
                        site.tally["let-in"] += 1
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            site.tally["cut"] += 1


async def plaintext(site: Site) -> None:
    """Offers to speak in the clear, and goes on to the multiplexer as if that had been agreed to."""
    wish = b"\x11/plaintext/2.0.0\n"
    yamux = b"\x0d/yamux/1.0.0\n"
    while True:
        await _say(site, _MULTISTREAM + wish + yamux, 0.05)


async def handshake_garbage(site: Site) -> None:
    """Agrees on Noise and then sends noise."""
    while True:
        wish = b"\x07/noise\n"
        await _say(site, _MULTISTREAM + wish + struct.pack(">H", 400) + secrets.token_bytes(400), 0.05)
        await _say(site, secrets.token_bytes(4_096), 0.05)


async def handshake_lengths(site: Site) -> None:
    """Announces messages of up to 4 GB where a handshake is expected."""
    while True:
        for start in (b"\xff\xff\xff\xff\x0f", b"\xff" * 9 + b"\x01", _MULTISTREAM + b"\xff\xff\xff\xff\x0f"):
            await _say(site, start + b"\x00" * 1_000, 0.05)


async def connection_flood(site: Site) -> None:
    """Opens sockets as fast as it can, says nothing, and keeps the newest thousand open."""
    kept: list[trio.SocketStream] = []
    try:
        while True:
            stream = await _dial(site)
            if stream is None:
                await trio.sleep(0.01)
                continue
            kept.append(stream)
            if len(kept) > 1_000 - _SOCKETS:
                for old in kept[:_SOCKETS]:
                    await trio.aclose_forcefully(old)
                del kept[:_SOCKETS]
    finally:
        for stream in kept:
            stream.socket.close()


ATTACKS = {
    "plaintext": plaintext,
    "handshake-garbage": handshake_garbage,
    "handshake-lengths": handshake_lengths,
    "connection-flood": connection_flood,
}
