"""The virtual room: the same seed gives the same run, and what was said survives the death of a process."""

from __future__ import annotations

from itertools import pairwise

from consensus.verdict import Standing
from jam.synthetic import make
from tests.sim.room import SECOND, identity, jam_entries, perform, room, roots, settle, totals


def _run(seed: int) -> tuple[bytes, int, list[tuple[int, int]]]:
    world, hosts = room(3, seed)
    world.run_until(world.now_us + 2 * SECOND)
    world.run_until(perform(world, hosts[0], make(5, 25 * SECOND, 100_000)))
    settle(world)
    blocks = [(b.window, b.reward.paid_micro if b.reward else 0) for b in hosts[0].engine.ledger.blocks()]
    return bytes(hosts[0].engine.ledger.root()), world.frames, blocks


def test_the_same_seed_gives_the_same_run() -> None:
    assert _run(3) == _run(3)


def test_another_seed_gives_another_run_by_the_same_rules() -> None:
    first, second = _run(3), _run(4)
    assert first[1] != second[1]  # other latencies, other frames
    assert first[2] == second[2]  # the same performance is worth the same


def test_four_nodes_accept_blocks_and_agree() -> None:
    world, hosts = room(4)
    world.run_until(world.now_us + 3 * SECOND)
    world.run_until(perform(world, hosts[0], make(3, 45 * SECOND, 100_000)))
    settle(world)
    assert len(roots(hosts)) == 1 and len(totals(hosts)) == 1
    blocks = hosts[3].engine.ledger.blocks()
    assert sum(block.standing is Standing.LOCAL for block in blocks) >= 4
    assert all(jam_entries(host) == jam_entries(hosts[0]) > 0 for host in hosts)
    paid = sum(block.reward.paid_micro for block in blocks if block.reward)
    assert paid == hosts[1].engine.ledger.supply_micro == sum(hosts[2].engine.ledger.balances().values())


def test_a_killed_node_comes_back_with_everything_and_votes_on() -> None:
    world, hosts = room(4)
    world.run_until(world.now_us + 3 * SECOND)
    end_us = perform(world, hosts[0], make(3, 60 * SECOND, 100_000))
    world.run_until(world.now_us + 25 * SECOND)
    victim = hosts[2]
    held = {name: replica.heads() for name, replica in victim.engine.documents.replicas.items()}
    victim.kill()
    world.run_until(world.now_us + 7 * SECOND)
    victim.start()
    restored = {name: replica.heads() for name, replica in victim.engine.documents.replicas.items()}
    assert restored == held
    for host in hosts:
        if host is not victim:
            world.link(victim.player, host.player)
    world.run_until(end_us)
    settle(world)
    assert len(roots(hosts)) == 1 and len(totals(hosts)) == 1
    last = hosts[0].engine.ledger.blocks()[-2]
    assert victim.player in {vote.verifier for vote in last.votes}
    assert not any(host.engine.documents.equivocations() for host in hosts)


def test_a_split_room_agrees_after_it_is_whole_again() -> None:
    world, hosts = room(5)
    left, right = hosts[:2], hosts[2:]
    world.run_until(world.now_us + 2 * SECOND)
    for one in left:
        for other in right:
            world.unlink(one.player, other.player)
    world.run_until(perform(world, left[0], make(3, 25 * SECOND, 100_000)))
    world.run_until(perform(world, right[0], make(4, 25 * SECOND, 110_000)))
    settle(world)
    assert len(roots(hosts)) == 2
    world.link_all()
    settle(world)
    assert len(roots(hosts)) == 1 and len(totals(hosts)) == 1


def test_entries_reach_nodes_that_have_no_link_to_their_author() -> None:
    world, hosts = room(4, linked=False)
    for one, other in pairwise(hosts):
        world.link(one.player, other.player)
    world.run_until(perform(world, hosts[0], make(3, 15 * SECOND, 100_000)))
    settle(world)
    assert jam_entries(hosts[3]) == jam_entries(hosts[0]) > 0
    assert len(roots(hosts)) == 1


def test_a_late_newcomer_catches_up() -> None:
    world, hosts = room(2)
    world.run_until(perform(world, hosts[0], make(3, 25 * SECOND, 100_000)))
    late = world.add(identity(9))
    world.link(late.player, hosts[1].player)
    world.run_until(world.now_us + 5 * SECOND)
    assert jam_entries(late) == jam_entries(hosts[0]) > 0
    settle(world)
    assert len(roots([*hosts, late])) == 1
