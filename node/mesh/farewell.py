"""Parting politely: a stream that says for how long the other node need not dial again.

A connection that is merely cut is dialled again within a second, and a mesh in which everybody has links enough would
spend its time on that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import trio
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.io.utils import read_exactly

from crdt.types import PlayerId
from node.mesh.guard import Guard
from node.mesh.host import MeshHost, player_at

PART: Final = TProtocol("/symjam/part/1")
_BYTES: Final = 2  # big-endian seconds
_SAY_TIMEOUT_S: Final = 1.0
_LEAVE_TIMEOUT_S: Final = 0.5  # for the other side to hang up, having understood


class Farewells:
    """Says and hears the protocol."""

    def __init__(self, host: MeshHost, guard: Guard, parted: Callable[[PlayerId, int], None]) -> None:
        self._host = host
        self._guard = guard
        self._parted = parted
        host.handle(PART, guard.handler("part", self._hear))

    async def say(self, player: PlayerId, away_s: int) -> None:
        """Say it on the newest connection, then cut all of them."""
        connections = self._host.connections(player)
        with trio.move_on_after(_SAY_TIMEOUT_S):
            try:
                stream = await self._host.open_stream(connections[-1], PART) if connections else None
                if stream is not None:
                    await stream.write(away_s.to_bytes(_BYTES, "big"))
                    with trio.move_on_after(_LEAVE_TIMEOUT_S):
                        await connections[-1].muxed_conn.event_shutting_down.wait()
            except (BaseLibp2pError, trio.TooSlowError):
                pass  # it is gone already, or does not understand
        for conn in self._host.connections(player):
            conn.muxed_conn.abort()

    async def _hear(self, stream: Any) -> None:
        player = player_at(stream)
        away_s = int.from_bytes(await read_exactly(stream, _BYTES), "big")
        if player is None:
            return
        self._guard.call("parted", self._parted, player, away_s)
        for conn in self._host.connections(player):
            conn.muxed_conn.abort()
