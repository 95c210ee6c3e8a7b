"""Attacks on the page's port, from this machine and without a token: any program of it can open a socket there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from tests.hostile.site import Site

IDLE = 1_000
SLOW = 50
_PAUSE_S = 2.0  # before who was let go comes back


async def crowd(site: Site) -> None:
    """A thousand connections that say nothing, and fifty that say a request's head by a byte each second."""
    async with trio.open_nursery() as nursery:
        for number in range(IDLE + SLOW):
            nursery.start_soon(_holds_on, site, number >= IDLE)


async def returning(site: Site) -> None:
    """Fifty at a time that connect, say half a request and connect again, as fast as they can."""
    async with trio.open_nursery() as nursery:
        for _ in range(SLOW):
            nursery.start_soon(_comes_and_goes, site)


async def _holds_on(site: Site, is_slow: bool) -> None:
    while True:
        try:
            async with await trio.open_tcp_stream("127.0.0.1", site.port) as stream:
                site.tally["dials"] += 1
                await (_speaks_slowly(site, stream) if is_slow else _until_let_go(stream))
                site.tally["let-go"] += 1
        except OSError:
            site.tally["refused"] += 1
        except trio.BrokenResourceError:
            site.tally["let-go"] += 1
        await trio.sleep(_PAUSE_S)


async def _until_let_go(stream: trio.SocketStream) -> None:
    while await stream.receive_some(4_096):
        pass


async def _speaks_slowly(site: Site, stream: trio.SocketStream) -> None:
    head = f"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nX: ".encode() + b"x" * 4_096
    for place in range(len(head)):
        await stream.send_all(head[place : place + 1])
        await trio.sleep(1)


async def _comes_and_goes(site: Site) -> None:
    while True:
        try:
            async with await trio.open_tcp_stream("127.0.0.1", site.port) as stream:
                site.tally["dials"] += 1
                await stream.send_all(b"POST /api/operations HTTP/1.1\r\nHost:")
        except (OSError, trio.BrokenResourceError):
            site.tally["refused"] += 1
            await trio.sleep(_PAUSE_S)


ATTACKS: dict[str, Callable[[Site], Awaitable[None]]] = {"page-crowd": crowd, "page-returning": returning}
