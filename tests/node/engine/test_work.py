"""Long judgements are handed out, one at a time, and nothing they read changes meanwhile."""

from __future__ import annotations

from jam.synthetic import make
from node.engine.effects import Effect, Work
from node.engine.inputs import Tick, Worked
from sim.world import Host, World
from tests.sim.room import SECOND, perform, room


def _played() -> tuple[World, Host, list[Work]]:
    """A host whose first window has just ended, with the work it hands out held back."""
    world, hosts = room(2)
    host = hosts[0]
    held: list[Work] = []
    execute = host.execute

    def keep(effects: list[Effect]) -> None:
        held.extend(effect for effect in effects if isinstance(effect, Work))
        execute([effect for effect in effects if not isinstance(effect, Work)])

    host.execute = keep  # type: ignore[method-assign, assignment]
    perform(world, host, make(3, 25 * SECOND, 100_000))
    world.run_until(world.now_us + 12 * SECOND)
    return world, host, held


def test_one_judgement_at_a_time_and_its_recordings_stand_still() -> None:
    world, host, held = _played()
    assert len(held) == 1
    assert host.engine.duties.repertoire.is_being_read
    world.run_until(world.now_us + 15 * SECOND)
    assert len(held) == 1
    assert not host.engine.ledger.blocks()


def test_a_finding_is_used_once_it_is_back() -> None:
    world, host, held = _played()
    host.give(Worked(held[0].ticket, held[0].task()))
    assert not host.engine.duties.repertoire.is_being_read
    world.run_until(world.now_us + SECOND)
    assert len(host.engine.ledger.blocks()) == 1


def test_results_that_nobody_asked_for_are_dropped() -> None:
    world, host, held = _played()
    host.give(Worked(held[0].ticket + 7, held[0].task()))
    host.give(Worked(held[0].ticket, "nonsense"))
    world.run_until(world.now_us + SECOND)
    assert not host.engine.ledger.blocks()
    assert len(held) == 2  # asked again


def test_work_that_never_comes_back_is_given_up() -> None:
    world, host, held = _played()
    world.run_until(world.now_us + 31 * SECOND)
    assert len(held) >= 2
    host.give(Worked(held[0].ticket, held[0].task()))
    assert host.engine.duties.repertoire.is_being_read
    host.give(Tick())
