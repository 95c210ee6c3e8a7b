"""Rooms full of engines, for tests: who is there, what they play, what came of it."""

from __future__ import annotations

from collections.abc import Iterable

from consensus.params import SMALL, Params
from crdt.keys import Identity
from crdt.types import jam_session
from jam.midi import Performance
from node.engine.inputs import OpenSession, Play, Played
from sim.world import Host, World

START_US = 1_790_000_000_000_000  # the beginning of a window and of an epoch
SECOND = 1_000_000


def identity(number: int) -> Identity:
    """A player by number."""
    return Identity(bytes([number]) * 32)


def room(count: int, seed: int = 1, params: Params = SMALL, linked: bool = True) -> tuple[World, list[Host]]:
    """A world of so many nodes, everyone linked with everyone."""
    world = World(params, seed, START_US)
    hosts = [world.add(identity(number)) for number in range(1, count + 1)]
    if linked:
        world.link_all()
    return world, hosts


def perform(world: World, host: Host, performance: Performance, opens: bool = True, subdivision: int = 4) -> int:
    """Schedule a performance through a host, beginning now; returns when it is over."""
    if opens:
        host.give(OpenSession(performance.title[:80], performance.tempo_mbpm, performance.beats_per_bar, subdivision))
    start_us = world.now_us
    for note in performance.events:
        played = Played(start_us + note.t_us, note.kind, note.lane, note.pitch, note.velocity)
        world.after(note.t_us, lambda p=played: host.give(Play((p,))))
    return start_us + performance.duration_us


def settle(world: World, seconds: int = 20) -> None:
    """Let votes be cast and everything spread, and stop well inside a window."""
    world.run_until(world.now_us + seconds * SECOND)
    window_us = world.params.window_us
    world.run_until((world.now_us // window_us + 1) * window_us + window_us * 6 // 10)


def roots(hosts: Iterable[Host]) -> set[bytes]:
    """The state roots of the hosts that are alive."""
    return {bytes(host.engine.ledger.root()) for host in hosts if host.alive}


def totals(hosts: Iterable[Host]) -> set[bytes]:
    """Hashes over everything they hold."""
    return {bytes(host.engine.documents.total()) for host in hosts if host.alive}


def jam_entries(host: Host) -> int:
    """Entries of jam documents that a host holds."""
    replicas = host.engine.documents.replicas.items()
    return sum(replica.entry_count for name, replica in replicas if jam_session(name) is not None)
