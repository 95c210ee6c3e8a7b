"""A peer whose events claim times an hour off, either way: kept as signed, worth nothing, and nobody loses by it."""

from __future__ import annotations

from functools import partial

from consensus.events import Event
from consensus.parts import by_document
from consensus.verdict import Standing
from crdt.types import Micros
from jam.synthetic import make
from node.engine.inputs import Play, Played
from node.engine.recording import recorded
from sim.host import Host
from sim.world import World
from tests.sim.room import SECOND, perform, room, roots, settle, totals

HOUR_US = 3_600 * SECOND


def _claim(world: World, host: Host, t_us: int) -> None:
    """A note signed with a session time of its own choosing, past all checks of an honest node."""
    engine = host.engine
    placed = engine.current_session(world.now_us)
    assert placed is not None
    events = (Event(Micros(t_us), 0, 3, 60, 100),)
    for document, inside in by_document(engine.params, placed.facts, events).items():
        engine.authoring.play(document, inside)
        for peer in engine.peers.values():
            engine.sync.hurry(peer, world.now_us)


def test_what_claims_to_be_of_another_hour_is_kept_and_costs_nobody_anything() -> None:
    world, hosts = room(3)
    world.run_until(world.now_us + 2 * SECOND)
    honest, also, odd = hosts
    ends_us = perform(world, honest, make(3, 25 * SECOND, 100_000))
    opened_us = world.now_us
    perform(world, also, make(4, 25 * SECOND, 100_000), opens=False)
    for n in range(60):
        for t_us in (HOUR_US + n, 0 if n % 2 else n):  # an hour ahead; before or at the beginning
            world.after(3 * SECOND + n * 100_000, partial(_claim, world, odd, t_us))
    world.run_until(ends_us)
    settle(world)
    assert len(roots(hosts)) == 1 and len(totals(hosts)) == 1
    placed = honest.engine.current_session(world.now_us)
    assert placed is not None and placed.facts.op.t0_us == opened_us
    takes = recorded(honest.engine.documents, placed.facts.id)
    assert sum(event.t_us >= HOUR_US for event in takes[odd.player]) == 60 and len(takes[odd.player]) == 120
    accepted = {b.proposer for b in honest.engine.ledger.blocks() if b.standing is Standing.LOCAL}
    assert accepted >= {honest.player, also.player} and odd.player not in accepted
    assert not honest.engine.refused and not also.engine.refused


def test_a_node_refuses_to_sign_an_hour_off_for_its_own_player() -> None:
    world, (host,) = room(1)
    world.run_until(world.now_us + 2 * SECOND)
    for off_us in (HOUR_US, -HOUR_US):
        assert not host.attempt(Play((Played(world.now_us + off_us, 0, 3, 60, 100),)))
    assert host.attempt(Play((Played(world.now_us, 0, 3, 60, 100),)))
