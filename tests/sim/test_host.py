"""What a node keeps when its process, its machine or its disk fails, and what it takes the time for."""

from __future__ import annotations

import pytest

from crdt.errors import Misuse
from crdt.store.keys import ENTRY
from crdt.types import NO_NONCE
from node.engine.inputs import OpenSession, Play, Played
from sim.disk import Disk
from sim.host import Host
from sim.network import Line
from sim.world import NOTICED_US, SYNC_US, World
from tests.sim.room import SECOND, identity, jam_entries, room, settle, totals


def _playing(count: int = 2) -> tuple[World, list[Host]]:
    """A room in which a jam is on, the first node's, and everything is synced."""
    world, hosts = room(count)
    hosts[0].give(OpenSession("jam", 120_000, 4, 4))
    world.run_until(world.now_us + SECOND)
    return world, hosts


def _note(host: Host) -> Play:
    return Play((Played(host.now_us, 0, 3, 60, 100),))


def _stored(host: Host) -> int:
    return len(list(host.store.scan(ENTRY)))


def test_kill_takes_nothing_that_was_written() -> None:
    world, (host, _) = _playing()
    host.give(_note(host))
    held, nonce = _stored(host), host.engine.authoring.nonce
    host.kill()
    host.start()
    assert _stored(host) == held and host.engine.authoring.nonce == nonce == NO_NONCE
    host.give(_note(host))
    world.link_all()
    settle(world)
    assert not any(one.engine.documents.equivocations() for one in world.hosts.values())


def test_a_power_cut_takes_what_was_not_synced_and_the_jam_goes_on_in_another_log() -> None:
    world, (host, other) = _playing()
    synced = _stored(host)
    for _ in range(8):
        host.give(_note(host))
    world.run_until(world.now_us + SECOND // 2)
    assert _stored(host) == synced + 8 and jam_entries(other) == 8
    host.cut_power()
    host.start()
    assert synced <= _stored(host) < synced + 8  # this seed's disk had not done all of it
    assert host.engine.authoring.nonce != NO_NONCE
    host.give(_note(host))
    world.link_all()
    settle(world)
    assert jam_entries(host) == jam_entries(other) == 9  # peers gave the rest back, and no number was used twice
    assert not other.engine.documents.equivocations() and len(totals([host, other])) == 1


def test_a_ledger_entry_is_known_to_nobody_before_its_record_is_synced() -> None:
    world, (host, other) = room(2)
    host.give(OpenSession("jam", 120_000, 4, 4))
    world.run_until(world.now_us + 2 * SYNC_US - 1)
    assert _stored(host) == 1 and host.signed is None and _stored(other) == 0
    host.cut_power()
    host.start()
    assert _stored(host) == 1  # the entry was synced: it is there, and is the last one signed though no record says so
    assert host.engine.authoring.signed is not None and host.engine.may_sign(host.now_us)


def test_peers_hear_nothing_of_a_power_cut_until_their_watchdogs_do() -> None:
    world, (host, other) = _playing()
    host.cut_power()
    world.run_until(world.now_us + NOTICED_US - 1)
    assert host.player in other.engine.peers
    world.run_until(world.now_us + 1)
    assert host.player not in other.engine.peers


def test_who_is_back_before_that_stays() -> None:
    world, (host, other) = _playing()
    host.cut_power()
    host.start()
    world.link(host.player, other.player)
    world.run_until(world.now_us + 2 * NOTICED_US)
    assert host.player in other.engine.peers and other.player in host.engine.peers


@pytest.mark.parametrize("writes", [0, 1])
def test_a_disk_that_fails_takes_the_process_with_it_and_what_was_not_saved_is_not_said(writes: int) -> None:
    world, (host, other) = _playing()
    before = _stored(host)
    host.disk.fail(writes=writes)
    for _ in range(2):
        assert host.alive
        host.give(_note(host))
        world.run_until(world.now_us + SECOND // 10)
        if not host.alive:
            break
    assert not host.alive and host.failure is not None and "save" in host.failure.what
    assert jam_entries(other) == _stored(host) - before == writes
    assert host.player not in other.engine.peers


def test_a_process_does_not_start_on_a_disk_that_still_fails_and_does_on_one_that_was_mended() -> None:
    _, (host, _) = _playing()
    host.disk.fail()
    host.give(_note(host))
    held = _stored(host)
    host.start()
    assert not host.alive and host.failure is not None
    host.disk.mend()
    host.start()
    assert host.alive and host.failure is None and _stored(host) == held


def test_a_process_that_ends_as_it_should_leaves_a_clean_mark() -> None:
    _, (host, other) = _playing()
    host.give(_note(host))
    host.stop()
    assert not host.alive and host.player not in other.engine.peers
    opened = Disk.open(host.disk, host.engine.documents.network)
    assert not opened.recovery.signatures_checked and not opened.recovery.damaged


def test_a_process_that_runs_is_not_started_again() -> None:
    _, (host, _) = room(2)
    with pytest.raises(Misuse, match="running"):
        host.start()


def test_the_engine_goes_by_its_own_clock_which_is_fast_or_slow_and_read_once() -> None:
    world, _ = room(2)
    clock = world.clock(offset_us=-70_000, drift_ppm=50)
    began = world.now_us
    assert clock.now_us() == began - 70_000
    world.run_until(began + 10 * SECOND)
    assert clock.now_us() == began + 10 * SECOND - 70_000 + 500
    clock.set(3 * SECOND)
    assert clock.now_us() == began + 10 * SECOND - 70_000 + 500
    clock.start()
    assert clock.now_us() == world.now_us + 3 * SECOND


def test_players_whose_clocks_differ_play_in_one_jam() -> None:
    world, hosts = room(1)
    late = world.add(identity(9), clock=world.clock(offset_us=400_000, drift_ppm=-80))
    world.link_all()
    hosts[0].give(OpenSession("jam", 120_000, 4, 4))
    world.run_until(world.now_us + 3 * SECOND)
    for host in (hosts[0], late):
        host.give(_note(host))
    settle(world)
    assert jam_entries(hosts[0]) == jam_entries(late) == 2
    assert sum(host.engine.refused.total() for host in world.hosts.values()) == 0


def test_what_a_player_cannot_do_now_is_no_error_of_the_run() -> None:
    _, (host, _) = room(2)
    assert host.attempt(OpenSession("jam", 120_000, 4, 4))
    assert not host.attempt(OpenSession("", -1, 0, 0))
    host.kill()
    assert not host.attempt(_note(host))


def test_a_node_whose_line_is_slow_still_gets_everything() -> None:
    world, (one, other) = room(2, linked=False)
    one.give(OpenSession("jam", 120_000, 4, 4))
    for _ in range(50):
        one.give(_note(one))
    world.link(one.player, other.player, Line(base_us=40_000, bytes_per_s=20_000))
    world.run_until(world.now_us + 5 * SECOND)
    assert jam_entries(other) == 50
