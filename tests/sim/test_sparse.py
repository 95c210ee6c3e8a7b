"""Fewer links than players, chosen as the mesh chooses them: notes still reach everybody at once, from hand to hand."""

from __future__ import annotations

from itertools import pairwise

from node.engine.inputs import OpenSession, Play, Played
from node.mesh.degree import Degree
from sim.world import Host, World
from tests.sim.room import SECOND, jam_entries, room, totals

PLAYERS = 20
LEAST, MOST = 3, 5


def link_sparsely(world: World, hosts: list[Host]) -> None:
    """Every node's plan carried out, again and again, until nobody wants anything."""
    rules = {host.player: Degree(host.player, LEAST, MOST) for host in hosts}
    everybody = [host.player for host in hosts]
    for _ in range(20):
        for player in everybody:
            plan = rules[player].plan(world.linked(player), everybody)
            for other in plan.part:
                world.unlink(player, other)
            for other in sorted(plan.dial):
                world.link(player, other)


def become_same(world: World, hosts: list[Host], seconds: int) -> bool:
    """Whether all hold the same at some moment within so many seconds: pulses and votes are under way at others."""
    until_us = world.now_us + seconds * SECOND
    while world.now_us < until_us and len(totals(hosts)) > 1:
        world.run_until(world.now_us + SECOND // 10)
    return len(totals(hosts)) == 1


def test_notes_of_any_player_reach_all_others_at_once() -> None:
    """Within 300 ms over several hops: sooner than totals are exchanged, so by being passed on."""
    world, hosts = room(PLAYERS, linked=False)
    link_sparsely(world, hosts)
    assert max(len(world.linked(host.player)) for host in hosts) <= MOST + 1
    assert sum(len(world.linked(host.player)) for host in hosts) < PLAYERS * (PLAYERS - 1) / 2
    hosts[0].give(OpenSession("round", 120_000, 4, 4))
    for host in hosts:  # logs that begin are passed on at a bounded rate, so all begin first
        host.give(Play((Played(world.now_us, 0, 3, 60, 100),)))
        world.run_until(world.now_us + SECOND)
    for count, host in enumerate(hosts, PLAYERS + 1):
        host.give(Play((Played(world.now_us, 0, 3, 60, 100),)))
        world.run_until(world.now_us + SECOND * 3 // 10)
        assert {jam_entries(one) for one in hosts} == {count}
    assert become_same(world, hosts, 5)


def test_a_mesh_cut_in_two_and_linked_again_by_one_link_is_whole_again() -> None:
    world, hosts = room(12, linked=False)
    link_sparsely(world, hosts)
    left, right = hosts[:6], hosts[6:]
    for one in left:
        for other in right:
            world.unlink(one.player, other.player)
    hosts[0].give(OpenSession("two", 120_000, 4, 4))
    for host in hosts:
        host.give(Play((Played(world.now_us, 0, 3, 60, 100),)))
    world.run_until(world.now_us + 5 * SECOND)
    assert len(totals(hosts)) > 1
    for side in (left, right):
        for one, other in pairwise(side):
            world.link(one.player, other.player)
    world.link(left[0].player, right[0].player)
    assert become_same(world, hosts, 25)
