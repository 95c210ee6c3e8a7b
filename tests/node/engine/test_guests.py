"""Guests: players of a node that is another's. They play, are heard, judged and paid as anybody; the node stays one."""

from __future__ import annotations

from random import Random

import pytest

from consensus.params import SMALL
from consensus.verdict import Standing
from crdt.entry import Entry, LogKey
from crdt.errors import Misuse
from crdt.limits import GUESTS_MAX
from crdt.types import NO_NONCE, PlayerId, ledger_document, ledger_epoch
from jam.synthetic import make
from node.engine.effects import Heard, Persist, Work
from node.engine.engine import Engine
from node.engine.frames import Guests, pack
from node.engine.inputs import Confirmed, FrameReceived, Play, Played, Tick
from sim.world import Host, World
from tests.sim.room import SECOND, START_US, identity, room, roots, settle, totals

GUEST = identity(77)


def guests_of_peers(engine: Engine) -> list[tuple[PlayerId, PlayerId]]:
    """Who is a guest of which peer, as an engine believes it."""
    return sorted((player, peer.player) for peer in engine.peers.values() for player in engine.guests_of(peer))


def _seated(count: int = 2) -> tuple[World, list[Host]]:
    """A room whose first host has a guest."""
    world, hosts = room(count)
    hosts[0].engine.seats.admit(GUEST, None)
    world.run_until(world.now_us + 3 * SECOND)
    return world, hosts


def _perform(world: World, host: Host, seconds: int, seed: int) -> None:
    """The guest plays through a host, from now on."""
    begin_us = world.now_us
    for note in make(seed, seconds * SECOND, 100_000).events:
        played = Played(begin_us + note.t_us, note.kind, note.lane, note.pitch, note.velocity)
        world.after(note.t_us, lambda p=played: host.give(Play((p,), GUEST.player)))
    world.run_until(begin_us + seconds * SECOND)


def test_a_guest_is_heard_under_a_key_of_its_own_and_paid_like_anybody() -> None:
    world, hosts = _seated(3)
    works: list[Work] = []
    hosts[0].told.clear()
    execute = hosts[0].execute
    hosts[0].execute = lambda effects: (works.extend(e for e in effects if type(e) is Work), execute(effects))[1]  # type: ignore[method-assign,func-returns-value]
    _perform(world, hosts[0], 25, seed=3)
    settle(world)
    assert len(totals(hosts)) == len(roots(hosts)) == 1
    ledger = hosts[2].engine.ledger
    accepted = [b for b in ledger.blocks() if b.proposer == GUEST.player and b.standing is Standing.LOCAL]
    assert accepted
    assert all({vote.verifier for vote in block.votes} == {h.player for h in hosts} for block in accepted)
    assert ledger.balance(GUEST.player) > 0
    assert any(isinstance(e, Heard) and e.player == GUEST.player for e in hosts[2].told)
    assert hosts[1].engine.peers[hosts[0].player].guests == {GUEST.player}
    # A node measures each window once, whoever of its players has to do with it: as proposer, and as verifier.
    assert len(works) == 2 * len([b for b in ledger.blocks() if b.proposer == GUEST.player])


def test_a_guest_votes_on_what_others_and_its_host_play() -> None:
    world, hosts = _seated(2)
    begin_us = world.now_us
    for host, seed in zip(hosts, (5, 6), strict=True):
        for note in make(seed, 25 * SECOND, 100_000).events:
            played = Played(begin_us + note.t_us, note.kind, note.lane, note.pitch, note.velocity)
            world.after(note.t_us, lambda p=played, h=host: h.give(Play((p,))))
    world.run_until(begin_us + 25 * SECOND)
    settle(world)
    voted = {b.proposer for b in hosts[1].engine.ledger.blocks() for v in b.votes if v.verifier == GUEST.player}
    assert voted == {host.player for host in hosts}


def test_the_first_note_of_a_guest_opens_the_hosts_jam() -> None:
    world, hosts = _seated(1)
    hosts[0].give(Play((Played(world.now_us, 0, 1, 60, 100),), GUEST.player))
    placed = hosts[0].engine.current_session(world.now_us)
    assert placed is not None and placed.facts.creator == hosts[0].player


def test_who_is_not_here_signs_no_pulse_and_who_left_nothing_at_all() -> None:
    world, hosts = _seated(2)
    pulses = hosts[1].engine.ledger.pulses
    assert GUEST.player in pulses(SMALL.window_at(world.now_us))
    hosts[0].engine.seats.of(GUEST.player).is_here = False
    world.run_until(world.now_us + 11 * SECOND)
    assert GUEST.player not in pulses(SMALL.window_at(world.now_us))
    assert hosts[1].engine.peers[hosts[0].player].guests == frozenset()
    hosts[0].engine.seats.dismiss(GUEST.player, world.now_us)
    with pytest.raises(Misuse):
        hosts[0].give(Play((Played(world.now_us, 0, 1, 60, 100),), GUEST.player))
    world.run_until(world.now_us + SECOND)
    assert not hosts[0].engine.seats.guests
    hosts[0].engine.seats.admit(GUEST, None)  # and comes back: its log goes on where it was
    world.run_until(world.now_us + 11 * SECOND)
    assert GUEST.player in pulses(SMALL.window_at(world.now_us)) and len(totals(hosts)) == 1
    assert not hosts[1].engine.documents.equivocations()


def test_what_a_guest_played_last_is_proposed_after_it_has_left() -> None:
    world, hosts = _seated(2)
    window_us = SMALL.window_us
    world.run_until((world.now_us // window_us + 1) * window_us)
    window = SMALL.window_at(world.now_us)
    _perform(world, hosts[0], 9, seed=3)
    hosts[0].engine.seats.dismiss(GUEST.player, world.now_us + 2 * window_us)
    settle(world)
    mine = [block for block in hosts[1].engine.ledger.blocks(window) if block.proposer == GUEST.player]
    assert mine and GUEST.player not in hosts[1].engine.ledger.pulses(type(window)(window + 1))
    assert not hosts[0].engine.seats.guests


def test_a_label_is_nobodys_who_has_a_link_of_its_own() -> None:
    world, hosts = _seated(3)
    engine = hosts[1].engine
    claimed = pack(Guests((hosts[2].player, GUEST.player, hosts[1].player)))
    hosts[1].give(FrameReceived(hosts[0].player, claimed))
    assert guests_of_peers(engine) == [(GUEST.player, hosts[0].player)]
    world.unlink(hosts[0].player, hosts[1].player)
    assert guests_of_peers(engine) == []


def test_what_a_guest_signed_leaves_only_once_it_is_synced() -> None:
    engine = Engine(identity(1), SMALL, START_US)
    engine.seats.admit(GUEST, None)
    effects = engine.handle(START_US, Tick())
    mine = [e for e in effects if isinstance(e, Persist) and e.signed and e.signed.author == GUEST.player]
    assert len(mine) == 1 and mine[0].sync
    document = ledger_document(SMALL.epoch_of(SMALL.window_at(START_US)))
    log = LogKey(GUEST.player, NO_NONCE)
    assert engine.seats.may_leave(document, log) == 0
    engine.seats.dismiss(GUEST.player, START_US)
    engine.handle(START_US + SECOND, Tick())
    assert engine.seats.may_leave(document, log) == 0  # nor once it has been dismissed
    assert mine[0].signed is not None
    engine.handle(START_US + SECOND, Confirmed(mine[0].signed))
    assert engine.seats.may_leave(document, log) is None
    engine.handle(START_US + 2 * SECOND, Tick())
    assert not engine.seats.guests


def test_seats_are_bounded_and_the_owner_takes_none() -> None:
    engine = Engine(identity(1), SMALL, START_US)
    with pytest.raises(Misuse):
        engine.seats.admit(identity(1), None)
    for number in range(GUESTS_MAX):
        engine.seats.admit(identity(100 + number), None)
        engine.seats.admit(identity(100 + number), None)
    with pytest.raises(Misuse):
        engine.seats.admit(GUEST, None)
    strangers = [PlayerId(Random(7).randbytes(32))]
    for player in strangers:
        with pytest.raises(Misuse):
            engine.handle(START_US, Play((Played(START_US, 0, 1, 60, 100),), player))


def test_a_restored_node_signs_for_its_guests_no_sooner_than_for_its_owner() -> None:
    """A restored data directory holds guests' keys too, and with them the original may have signed since."""
    world, (_, other) = room(2)
    since = SMALL.epoch_of(SMALL.window_at(world.now_us))
    host = Host(world, identity(5), restored=since)
    world.hosts[identity(5).player] = host
    world.after(1, world._tick, host)
    world.link_all()
    host.engine.seats.admit(GUEST, None)

    world.run_until(world.now_us + (SMALL.epoch_windows + 1) * SMALL.window_us)
    for player in (host.player, GUEST.player):
        own = [ledger_epoch(entry.body.document) for entry in _ledger_of(other.engine) if entry.body.author == player]
        assert own and min(map(int, filter(None, own))) == since + 1


def _ledger_of(engine: Engine) -> list[Entry]:
    replicas = engine.documents.replicas.items()
    logs = [log for name, replica in replicas if ledger_epoch(name) is not None for log in replica.logs.values()]
    return [entry for log in logs for entry in log.entries]
