"""Nothing is lost, whatever happens to processes and cables: the soak of issue 3 in the virtual room."""

from __future__ import annotations

from random import Random
from unittest.mock import patch

import pytest

from crdt.store.keys import ENTRY
from crdt.types import PlayerId
from node.engine.engine import Engine
from node.engine.inputs import OpenSession, Play, Played
from sim import crypto
from sim.world import SYNC_US, World
from tests.chaos.tags import note
from tests.sim.chaos import NODES, Chaos, Report, replay
from tests.sim.room import SECOND, room, totals

SEEDS = range(1, 11)


def _run(seed: int, nodes: int = NODES) -> Report:
    with crypto.shared():
        return Chaos(seed, nodes).run()


@pytest.mark.parametrize("seed", SEEDS, ids="seed{}".format)
def test_nothing_is_lost_and_nobody_blamed(seed: int) -> None:
    report = _run(seed)
    assert report.acknowledged > 100 and report.faults > 3
    assert report.fine, f"{report.words()}\nagain: {replay(seed)}"


def test_the_same_seed_is_the_same_run() -> None:
    assert _run(3, nodes=4) == _run(3, nodes=4)


def test_a_mesh_that_loses_frames_for_good_is_seen_by_it() -> None:
    """Live entries that go astray and nobody ever compares: the check must fail."""
    chance, send = Random(1), World.send

    def careless(world: World, sender: PlayerId, receiver: PlayerId, frame: bytes) -> None:
        if chance.random() < 0.9:
            send(world, sender, receiver, frame)

    def deaf(engine: Engine, now_us: int, event: object, handle: object = Engine.handle) -> list[object]:
        for peer in engine.peers.values():
            peer.next_total_us = now_us + 60_000_000
        return handle(engine, now_us, event)  # type: ignore[operator]

    with patch.object(World, "send", careless), patch.object(Engine, "handle", deaf):
        report = _run(1, nodes=4)
    assert not report.fine
    assert any(verdict.missing for verdict in report.verdicts)


def test_what_a_process_had_under_way_dies_with_it() -> None:
    """A ledger entry that waits for the disk when its process is killed is not written by the next one."""
    world, (host, _) = room(2)
    host.give(OpenSession("jam", 120_000, 4, 4))
    host.kill()
    host.start()
    world.run_until(world.now_us + SYNC_US)
    assert not list(host.store.scan(ENTRY)) and host.signed is None


def test_a_frozen_process_does_nothing_and_then_everything() -> None:
    world, (one, other) = room(2)
    world.run_until(world.now_us + SECOND)
    other.freeze()
    held = other.engine.documents.total()
    one.give(Play((Played(world.now_us, *note(0)),)))
    world.run_until(world.now_us + SECOND)
    assert other.engine.documents.total() == held
    other.thaw()
    world.run_until(world.now_us + SECOND)
    assert len(totals((one, other))) == 1
