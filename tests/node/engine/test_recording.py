"""What a session's entries say was played, and every note of it ended."""

from __future__ import annotations

from consensus.events import Event, Kind
from crdt.types import Micros
from jam.synthetic import make
from node.engine.recording import notes_of, recorded
from tests.sim.room import SECOND, perform, room, settle


def event(t_us: int, kind: int, pitch: int = 60, velocity: int = 90) -> Event:
    return Event(Micros(t_us), kind, 0, pitch, velocity)


def test_every_node_has_the_same_recording_with_its_timing_intact() -> None:
    world, hosts = room(2)
    world.run_until(world.now_us + 3 * SECOND)
    performance = make(3, 8 * SECOND, 100_000)
    world.run_until(perform(world, hosts[0], performance))
    settle(world)
    session = hosts[0].engine.ledger.sessions()[-1].id
    here, there = (recorded(host.engine.documents, session) for host in hosts)
    assert here == there and set(here) == {hosts[0].player}
    onsets = [e.t_us for e in here[hosts[0].player] if e.kind == Kind.NOTE_ON]
    played = [n.t_us for n in performance.events if n.kind == Kind.NOTE_ON]
    assert len(onsets) == len(played)
    assert {a - b for a, b in zip(onsets, played, strict=True)} == {onsets[0] - played[0]}


def test_notes_that_nobody_ended_end() -> None:
    notes = notes_of((event(0, 0), event(50, 0), event(70, 4), event(90, 0, 64), event(95, 0, 64, 0), event(99, 1, 70)))
    assert [(n.t_us, n.kind, n.pitch) for n in notes] == [
        (0, 0, 60),
        (50, 1, 60),
        (50, 0, 60),
        (90, 0, 64),
        (95, 1, 64),
        (99, 1, 60),
    ]
    assert notes_of(()) == ()
