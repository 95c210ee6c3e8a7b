"""The switch: guests are let in, or they are not.

Switched on, the node listens at its addresses on the LAN with a second door (node/guests/door.py); all else of the
daemon stays on loopback. The port is the last one again, so that a phone that was here finds its key in the browser's
storage, which goes by address and port.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import segno
import trio

from crdt.errors import OperatingFailure
from crdt.limits import GUEST_CONNECTIONS_PER_HOST_MAX, GUESTS_MAX
from crdt.store.atomic import read_small, replace_file
from crdt.types import PlayerId
from node.api.backend import Backend
from node.api.server import Server, bind
from node.guests import lan
from node.guests.door import build_door
from node.guests.keys import GuestKeys
from node.guests.party import Party
from node.mesh.doorman import Doorman
from node.shell.node import Node

SCHEMA: Final = "symjam.guests/1"
_BORDER: Final = 2  # modules of white around the code
UNKNOWN: Final = OperatingFailure("cannot let guests in", "the door did not open", "See the node's log.")

log = logging.getLogger("symjam.guests")


class _Open(NamedTuple):
    """What there is while guests are let in."""

    party: Party
    hosts: tuple[str, ...]
    scope: trio.CancelScope


class Guests:
    """The guests of one node. `run_forever` is a task of the daemon's; the rest is called from its others."""

    def __init__(self, node: Node, owner: Backend) -> None:
        self.renewed: Callable[[], None] = _nothing  # another invitation holds, or none
        self._node = node
        self._owner = owner
        self._directory = node.config.data_dir / "guests"
        self._keys: GuestKeys | None = None
        self._open: _Open | None = None
        self._switched = trio.Event()
        self._changed = trio.Event()
        self._wanted = False
        self._failure: OperatingFailure | None = None

    async def run_forever(self) -> None:
        """Open the door whenever it is switched on."""
        while True:
            await self._switched.wait()
            self._switched = trio.Event()
            if self._wanted:
                try:
                    await self._serve()
                except OperatingFailure as failure:
                    self._failure = failure
                finally:
                    self._open, self._wanted = None, False
                    self._tell()

    async def invite(self) -> dict[str, Any]:
        """Let guests in; returns `symjam.guests/1` once the door is open. OperatingFailure when it cannot be."""
        self._failure = None
        self._wanted = True
        self._switched.set()
        while self._open is None:
            await self._changed.wait()
            if not self._wanted:
                raise self._failure or UNKNOWN
        return self.shown()

    async def show_out(self) -> dict[str, Any]:
        """End the invitation and let go of the guests; returns `symjam.guests/1`."""
        while self._open is not None:
            self._open.scope.cancel()
            await self._changed.wait()
        return self.shown()

    def shown(self) -> dict[str, Any]:
        """`symjam.guests/1`."""
        links = self.links()
        code = segno.make(links[0], error="m").svg_data_uri(border=_BORDER, light="#fff") if links else None
        guests = self._open.party.shown() if self._open else []
        first = links[0] if links else None
        return {
            "schema": SCHEMA, "on": bool(links), "link": first, "links": links, "qr": code, "seats": GUESTS_MAX,
            "guests": guests,
        }  # fmt: skip

    def links(self) -> list[str]:
        """The invitation, at each address of this machine; empty while nobody is let in."""
        if self._open is None:
            return []
        return [f"http://{host}/#guest={self._open.party.token}" for host in self._open.hosts]

    def players(self) -> list[dict[str, Any]]:
        """Who is known to be a guest, of this node or of a peer: the `guests` of `symjam.status/1`."""
        engine = self._node.engine
        here = set(engine.seats.here().players)
        own = [PlayerId(player) for player in (self._keys.players() if self._keys is not None else ())]
        rows = [_row(player, engine.player, player in here) for player in own]
        for peer in engine.peers.values():
            rows.extend(_row(player, peer.player, True) for player in engine.guests_of(peer) if player not in own)
        return rows

    def publish(self, notice: dict[str, Any], player: PlayerId | None = None) -> None:
        """Tell the guests who watch; one of them only, if it says whom."""
        for backend in self._open.party.backends(player) if self._open else ():
            backend.board.publish(notice)

    def heard(self, player: PlayerId, now_us: int) -> None:
        """A player was heard: if it is a guest, its score changes."""
        for backend in self._open.party.backends(player) if self._open else ():
            backend.scorer.heard(now_us)

    def tell_session(self) -> None:
        """The session has changed: each guest sees it as another's."""
        for backend in self._open.party.backends() if self._open else ():
            backend.board.publish({"type": "session", "session": backend.session()})

    def load(self) -> None:
        """Read which keys are kept, where guests were let in before."""
        if self._keys is None and self._directory.exists():
            self._keys = GuestKeys(self._directory)

    # the door

    async def _serve(self) -> None:
        keys = self._keys
        if keys is None:
            keys = self._keys = await trio.to_thread.run_sync(GuestKeys, self._directory)
        listeners = _listen(lan.addresses(self._node.config.interfaces), _last_port(self._directory))
        hosts = tuple("{}:{}".format(*listener.getsockname()) for listener in listeners)
        party = Party(self._node, self._owner, keys, self._tell)
        doorman = Doorman()

        def admits(host: str) -> bool:
            return server.count(host) < GUEST_CONNECTIONS_PER_HOST_MAX and doorman.lets_in(host, trio.current_time())

        server = Server(build_door(party, list(hosts)), listeners, trio.Event(), self._node.guard, (), admits)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(party.run)
                self._open = _Open(party, hosts, scope)
                await trio.to_thread.run_sync(_keep_port, self._directory, listeners[0].getsockname()[1])
                await server.serve(self._tell)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
        self.renewed()


def _nothing() -> None:
    """Nobody wants to know."""


def _listen(addresses: Sequence[str], port: int) -> list[socket.socket]:
    with ExitStack() as undo:
        listeners = [undo.enter_context(bind(address, port)) for address in addresses]
        undo.pop_all()
    return listeners


def _row(player: PlayerId, host: PlayerId, here: bool) -> dict[str, Any]:
    return {"player": player.hex(), "host": host.hex(), "here": here}


def _last_port(directory: Path) -> int:
    with suppress(OperatingFailure, ValueError):
        found = json.loads(read_small(directory / "port.json") or b"0")
        return found if isinstance(found, int) and 0 < found < 65_536 else 0
    return 0


def _keep_port(directory: Path, port: int) -> None:
    """A hint for the next time: where it cannot be kept, a phone that comes back is a new guest."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(directory / "port.json", json.dumps(port).encode())
    except (OSError, OperatingFailure) as error:
        log.warning("the guests' port cannot be kept: %s", error)
