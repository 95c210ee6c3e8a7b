"""More nodes than links: real hosts in one process, each of which keeps three links at most."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from crdt.limits import KNOWN_PEERS_MAX
from crdt.types import PlayerId
from node.mesh import mesh as mesh_module
from node.mesh.degree import Kin
from tests.node.mesh.helpers import Node, pair, started, until
from tests.node.mesh.rawpeer import RawPeer

MOST = 3
COUNT = 7


def hops(nodes: list[Node]) -> set[PlayerId]:
    """Whoever can be reached from the first over links."""
    links = {node.player: set(node.mesh.links()) for node in nodes}
    reached, edge = {nodes[0].player}, {nodes[0].player}
    while edge:
        edge = {other for one in edge for other in links[one]} - reached
        reached |= edge
    return reached


@asynccontextmanager
async def crowd(monkeypatch: pytest.MonkeyPatch, **options: Any) -> AsyncIterator[list[Node]]:
    """Nodes that all know each other, in mesh with few links."""
    monkeypatch.setattr(mesh_module, "_CHOOSE_EVERY_S", 0.1)
    nodes = [Node(degree=(2, MOST), **options) for _ in range(COUNT)]
    async with started(*nodes):
        for node in nodes:
            node.mesh.tcp._found([other.mesh.tcp.announced[0] for other in nodes])
        yield nodes


def is_settled(nodes: list[Node]) -> bool:
    """Whether all are joined in one mesh, and nobody has too many links."""
    return len(hops(nodes)) == len(nodes) and all(0 < len(node.mesh.links()) <= MOST for node in nodes)


async def test_a_crowd_keeps_few_links_and_one_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowd(monkeypatch) as nodes:
        await until(lambda: is_settled(nodes), "few links, one mesh")
        await trio.sleep(0.5)
        before = sum(node.mesh.counters["dials"] for node in nodes)
        await trio.sleep(1.5)
        assert is_settled(nodes)
        assert sum(node.mesh.counters["dials"] for node in nodes) - before <= 2, "still dialling"
        far = next(one.player for one in nodes if one.player not in nodes[0].mesh.links() and one is not nodes[0])
        nodes[0].mesh.publish(b"to everybody")
        everybody = [node for node in nodes if node is not nodes[0]]
        await until(lambda: all(b"to everybody" in node.owner.hints for node in everybody), "the hint beyond the links")
        assert far not in nodes[0].mesh.links()


async def test_those_of_one_jam_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowd(monkeypatch) as nodes:
        await until(lambda: is_settled(nodes), "few links, one mesh")
        one = nodes[0]
        other = next(node for node in nodes[1:] if node.player not in one.mesh.links())
        kin = Kin(one.player, frozenset({one.player, other.player}))
        for node in (one, other):
            node.mesh._away.clear()  # they were asked to stay away when nobody played yet
            node.mesh.prefer(kin)
        await until(lambda: other.player in one.mesh.links() and is_settled(nodes), "the two, directly")


async def test_one_who_was_asked_to_leave_stays_away_for_that_long() -> None:
    async with pair() as (a, b):
        a.mesh.tcp.part(b.player, 2)
        await until(lambda: b.owner.told(a.player)["left"] and a.owner.told(b.player)["left"], "the end")
        assert b.mesh.counters["parted-by-others"] == 1
        dials = b.mesh.counters["dials"]
        await trio.sleep(1.0)
        assert b.mesh.counters["dials"] == dials
        await until(lambda: a.player in b.mesh.links(), "the return")
        assert a.owner.violations == b.owner.violations == []


@pytest.mark.parametrize(
    "said", [b"", b"\0", b"\xff\xff", b"\0\0" + bytes(60_000)], ids=["nothing", "half", "ever", "more"]
)
async def test_whatever_a_farewell_says(said: bytes) -> None:
    """It keeps nobody away for longer than AWAY_MAX_S, and concerns nobody else."""
    async with pair() as (a, b), RawPeer(a.address) as raw:
        await until(lambda: raw.player in a.mesh.links(), "the link")
        stream = await raw.open("/symjam/part/1")
        await stream.write(said) if said else await stream.close_write()
        await trio.sleep(0.3)
        away = a.mesh._away.get(raw.player)
        until_s = away.until_s - trio.current_time() if away else 0.0
        assert until_s <= mesh_module.AWAY_MAX_S
        assert (until_s > 0) == (len(said) >= 2)
        assert b.player in a.mesh.links()


async def test_a_player_that_cannot_be_parted_with_politely_is_cut_off() -> None:
    async with pair() as (a, _), RawPeer(a.address) as raw:  # it does not speak the protocol
        await until(lambda: raw.player in a.mesh.links(), "the link")
        a.mesh.tcp.part(raw.player, 60)
        await until(lambda: a.owner.told(raw.player)["left"], "the end")


async def test_the_table_of_those_who_stay_away_is_bounded() -> None:
    node = Node()
    for number in range(2 * KNOWN_PEERS_MAX):
        node.mesh.parted(PlayerId(number.to_bytes(32, "big")), 60)
    assert len(node.mesh._away) == KNOWN_PEERS_MAX
