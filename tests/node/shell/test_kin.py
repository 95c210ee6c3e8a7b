"""Whom the mesh is told to link first: those of the jam that is on."""

from __future__ import annotations

from jam.synthetic import make
from node.mesh.degree import Kin
from node.shell.kin import kin
from tests.sim.room import perform, room

SECOND = 1_000_000


def test_nobody_when_no_jam_is_on_and_then_its_creator_and_whoever_played() -> None:
    world, hosts = room(3)
    world.run_until(world.now_us + 2 * SECOND)
    assert kin(hosts[1].engine, world.now_us) == Kin()
    perform(world, hosts[0], make(3, 4 * SECOND, 100_000))
    world.run_until(world.now_us + 3 * SECOND)
    found = kin(hosts[1].engine, world.now_us)
    assert found.creator == hosts[0].player
    assert found.players == {hosts[0].player}
