"""What the mesh's tests share: an owner that takes notes, and waiting for a condition with a limit."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import trio

from crdt.errors import Reason
from crdt.keys import Identity
from crdt.limits import LINKS_MAX, LINKS_MIN
from crdt.types import NetworkId, PlayerId
from node.mesh.mesh import Mesh

NETWORK = NetworkId(b"mesh-tests".ljust(32, b"\0"))
LOOPBACK = ["127.0.0.1"]
PATIENCE_S = 15.0  # only ever waited out when a test fails


class Owner:
    """Takes notes of everything that the mesh tells."""

    def __init__(self) -> None:
        self.log: list[tuple[str, PlayerId]] = []
        self.frames: list[tuple[PlayerId, bytes]] = []
        self.hints: list[bytes] = []
        self.violations: list[tuple[PlayerId | None, Reason]] = []
        self.addresses: dict[PlayerId, str] = {}

    def joined(self, player: PlayerId, address: str) -> None:
        self.log.append(("joined", player))
        self.addresses[player] = address

    def left(self, player: PlayerId) -> None:
        self.log.append(("left", player))

    def frame(self, player: PlayerId, frame: bytes) -> None:
        self.log.append(("frame", player))
        self.frames.append((player, frame))

    def hint(self, data: bytes) -> None:
        self.hints.append(data)

    def violated(self, player: PlayerId | None, reason: Reason, detail: str) -> None:
        self.violations.append((player, reason))

    def told(self, player: PlayerId) -> Counter[str]:
        """How often what was told of a player."""
        return Counter(what for what, who in self.log if who == player)


class Node:
    """A mesh with its owner and identity."""

    def __init__(
        self,
        *,
        seed: bytes | None = None,
        peers: Sequence[str] = (),
        remembered: Sequence[str] = (),
        mdns: bool = False,
        port: int = 0,
        network: NetworkId = NETWORK,
        owner: Owner | None = None,
        degree: tuple[int, int] = (LINKS_MIN, LINKS_MAX),
        websocket_port: int | None = None,
    ) -> None:
        self.identity = Identity(seed or secrets.token_bytes(32))
        self.player = self.identity.player
        self.owner = owner or Owner()
        self.mesh = Mesh(
            self.identity,
            network,
            self.owner,
            interfaces=LOOPBACK,
            port=port,
            static_peers=peers,
            remembered=remembered,
            mdns=mdns,
            degree=degree,
            websocket_port=websocket_port,
        )
        self._scope = trio.CancelScope()

    async def run(self, task_status: object = trio.TASK_STATUS_IGNORED) -> None:
        with self._scope:
            await self.mesh.run(task_status)

    def stop(self) -> None:
        self._scope.cancel()

    def send(self, player: PlayerId, frame: bytes) -> bool:
        sent = self.mesh.send(player, frame)
        self.mesh.flush()
        return sent

    @property
    def address(self) -> str:
        return self.mesh.addresses[0]


@asynccontextmanager
async def started(*nodes: Node) -> AsyncIterator[trio.Nursery]:
    """Run nodes for the duration of the block; the nursery can start further ones."""
    async with trio.open_nursery() as nursery:
        for node in nodes:
            await nursery.start(node.run)
        yield nursery
        nursery.cancel_scope.cancel()


async def until(condition: Callable[[], object], what: str = "", patience_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds; AssertionError when it never does."""
    with trio.move_on_after(patience_s):
        while not condition():
            await trio.sleep(0.01)
        return
    raise AssertionError(f"never came about: {what or condition}")


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes, linked in both directions."""
    a = Node()
    async with started(a) as nursery:
        b = Node(peers=[a.address])
        await nursery.start(b.run)
        await until(lambda: b.player in a.mesh.links() and a.player in b.mesh.links(), "the link")
        yield a, b
