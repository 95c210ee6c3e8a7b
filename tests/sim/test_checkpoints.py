"""Four founders make checkpoints: what is final stays, what is old goes, who comes later begins where they are."""

from __future__ import annotations

import msgspec

from consensus.params import SMALL, Params
from consensus.verdict import Standing
from crdt.store.keys import ENTRY
from crdt.types import Epoch, ledger_epoch
from jam.synthetic import make
from node.commands import status
from node.engine.record import CHECKPOINT_KEY
from node.shell import views
from sim.world import Host, World
from tests.sim.room import SECOND, identity, perform, room, roots, settle, totals

PARAMS = msgspec.structs.replace(SMALL, founders=tuple(sorted(identity(number).player for number in range(1, 5))))
EPOCH_US = PARAMS.epoch_windows * PARAMS.window_us


def at_epoch(world: World) -> Epoch:
    return world.params.epoch_of(world.params.window_at(world.now_us))


def play_on(world: World, epochs: int) -> None:
    """To the middle of a window well inside an epoch, so many later."""
    until_us = (world.now_us // EPOCH_US + epochs) * EPOCH_US + PARAMS.window_us * 5 // 2
    world.run_until(until_us)


def oldest(host: Host) -> int:
    """The epoch of the oldest ledger document held, in memory and in the store."""
    held = [epoch for name in host.engine.documents.replicas if (epoch := ledger_epoch(name)) is not None]
    stored = [
        int(key[2 : 2 + key[1]].decode().split("/")[1]) for key, _ in host.store.scan(ENTRY) if b"ledger/" in key[:12]
    ]
    return min(held + stored)


def founded(params: Params = PARAMS) -> tuple[World, list[Host]]:
    return room(4, params=params)


def test_founders_reach_final_checkpoints_and_old_documents_go() -> None:
    world, hosts = founded()
    world.run_until(world.now_us + 11 * SECOND)
    began = at_epoch(world)
    world.run_until(perform(world, hosts[0], make(3, 25 * SECOND, 100_000)))
    settle(world)
    blocks = [block for block in hosts[0].engine.ledger.blocks() if block.standing is Standing.LOCAL]
    before = hosts[0].engine.ledger.balances()
    play_on(world, 8)
    bases = {host.engine.ledger.base for host in hosts}
    assert len(bases) == 1
    base = bases.pop()
    assert base.epoch >= at_epoch(world) - PARAMS.checkpoint_lag - 1 > began
    for host in hosts:
        assert oldest(host) == base.epoch + 1
        assert host.store.get(CHECKPOINT_KEY) is not None
        assert all(host.engine.ledger.is_final(block.window) for block in blocks) and blocks
        assert [b for b in host.engine.ledger.blocks() if b.id in {block.id for block in blocks}] == blocks
        assert host.engine.ledger.balances() == before
        assert views.ledger(host.engine, world.now_us)["blocks"]["final"] == len(blocks)
        assert {views.block(host.engine, block, world.now_us)["state"] for block in blocks} == {"final"}
        assert sum(host.engine.refused.values()) == 0
    assert len(totals(hosts)) == len(roots(hosts)) == 1


def test_a_status_says_what_is_final_and_who_votes() -> None:
    world, hosts = founded()
    before = views.ledger(hosts[0].engine, world.now_us)["checkpoint"]
    assert before == {"epoch": None, "digest": None, "voters": 4, "votes": True, "wanted": None}
    assert "none yet; 4 vote on the next, this player votes" in " ".join(status._checkpoint(before))
    play_on(world, 7)
    base = hosts[0].engine.ledger.base
    shown = views.ledger(hosts[0].engine, world.now_us)["checkpoint"]
    assert (shown["epoch"], shown["digest"]) == (base.epoch, base.digest.hex())
    assert views.ledger(hosts[0].engine, world.now_us)["blocks"]["final"] == 0  # nobody has played
    new = world.add(identity(9), trusted=base.digest)
    world.run_until(world.now_us + SECOND)
    waiting = views.ledger(new.engine, world.now_us)["checkpoint"]
    assert waiting["wanted"] == base.digest.hex() and not waiting["votes"]
    assert "this player does not vote" in " ".join(status._checkpoint(waiting))
    assert any("waiting" in line for line in status._checkpoint(waiting))
    assert views.ledger(room(1)[1][0].engine, world.now_us)["checkpoint"] is None and status._checkpoint(None) == []


def test_a_new_node_begins_with_the_checkpoint_that_it_is_told() -> None:
    world, hosts = founded()
    play_on(world, 7)
    base = hosts[0].engine.ledger.base
    new = world.add(identity(9), trusted=base.digest)
    for host in hosts:
        world.link(new.player, host.player)
    world.run_until(world.now_us + 5 * SECOND)
    assert new.engine.ledger.base.epoch >= base.epoch and oldest(new) > base.epoch
    everybody = [*hosts, new]
    assert len(totals(everybody)) == len(roots(everybody)) == 1
    play_on(world, 3)
    assert len({host.engine.ledger.base for host in everybody}) == len(roots(everybody)) == 1
    assert new.engine.ledger.base.epoch > base.epoch and new.player not in new.engine.ledger.voters


def test_one_that_is_told_nothing_follows_the_founders() -> None:
    world, hosts = founded()
    play_on(world, 7)
    new = world.add(identity(9))
    world.link(new.player, hosts[2].player)
    world.run_until(world.now_us + 5 * SECOND)
    assert len(roots([*hosts, new])) == 1


def test_a_node_that_was_away_while_documents_went_comes_back() -> None:
    world, hosts = founded()
    play_on(world, 6)
    hosts[3].kill()
    play_on(world, 8)
    held = hosts[3].store.get(CHECKPOINT_KEY)
    hosts[3].start()
    assert held is not None and hosts[3].engine.ledger.base.epoch < hosts[0].engine.ledger.base.epoch
    for host in hosts[:3]:
        world.link(host.player, hosts[3].player)
    play_on(world, 2)
    assert len({host.engine.ledger.base for host in hosts}) == len(roots(hosts)) == len(totals(hosts)) == 1
    assert hosts[3].engine.may_sign(world.now_us)


def test_after_a_restart_it_goes_on_from_what_is_final() -> None:
    world, hosts = founded()
    play_on(world, 7)
    root = hosts[1].engine.ledger.root()
    hosts[1].kill()
    hosts[1].start()
    assert hosts[1].engine.ledger.root() == root
    for host in (hosts[0], *hosts[2:]):
        world.link(host.player, hosts[1].player)
    play_on(world, 2)
    assert len({host.engine.ledger.base for host in hosts}) == len(roots(hosts)) == 1


def test_two_of_four_make_nothing_final() -> None:
    world, hosts = founded()
    for host in hosts[:2]:
        for other in hosts[2:]:
            world.unlink(host.player, other.player)
    play_on(world, 7)
    assert all(host.engine.ledger.base.epoch == 0 for host in hosts)
    world.link_all()
    play_on(world, 3)
    bases = {host.engine.ledger.base for host in hosts}
    assert len(bases) == 1 and bases.pop().epoch > 0
    assert len(roots(hosts)) == len(totals(hosts)) == 1


def test_in_a_network_without_founders_nothing_is_final() -> None:
    world, hosts = founded(SMALL)
    play_on(world, 7)
    assert all(host.engine.ledger.base.epoch == 0 and host.engine.ledger.voters == {} for host in hosts)
    assert not any(host.engine.checkpointing.due(world.now_us, host.player) for host in hosts)


def test_who_stays_on_alone_never_becomes_all_of_the_voters() -> None:
    world, hosts = founded()
    play_on(world, 6)
    voters = hosts[0].engine.ledger.voters
    assert len(voters) == 4
    for host in hosts[1:]:
        host.kill()
    play_on(world, 8)
    for host in hosts[1:]:
        host.start()
        for other in hosts:
            if other is not host:
                world.link(host.player, other.player)
    before = at_epoch(world)
    play_on(world, 3)  # in these rounds, the states to be voted on are those of epochs in which one was alone
    assert all(set(host.engine.ledger.voters) == set(voters) for host in hosts)
    play_on(world, 5)
    for host in hosts:
        assert set(host.engine.ledger.voters) == set(voters) and host.engine.ledger.base.epoch >= before
    assert len(roots(hosts)) == 1
