"""What a room costs: engines with real signatures in a virtual world, one playing; per frame and per node."""

from __future__ import annotations

import time

from consensus.params import SMALL
from crdt.keys import Identity
from jam.synthetic import make
from node.engine.inputs import OpenSession, Play, Played
from sim.world import World

START_US = 1_790_000_000_000_000
SECONDS = 40


def main(_argv: list[str] | None = None) -> None:
    """Rooms of 2, 4 and 8."""
    print(f"{'nodes':>5} {'frames':>8} {'frames/s':>9} {'real s':>7} {'simulated/real':>14} {'accepted':>8}")
    for nodes in (2, 4, 8):
        _room(nodes)


def _room(nodes: int) -> None:
    world = World(SMALL, 1, START_US)
    hosts = [world.add(Identity(bytes([number]) * 32)) for number in range(1, nodes + 1)]
    world.link_all()
    host = hosts[0]
    host.give(OpenSession("bench", 100_000, 4, 4))
    for note in make(1, SECONDS * 1_000_000, 100_000).events:
        played = Played(START_US + note.t_us, note.kind, note.lane, note.pitch, note.velocity)
        world.after(note.t_us, lambda p=played: host.give(Play((p,))))  # type: ignore[misc]
    began = time.perf_counter()
    world.run_until(START_US + (SECONDS + 15) * 1_000_000)
    took = time.perf_counter() - began
    accepted = host.engine.ledger.counts().local
    rate, speed = world.frames / took, (SECONDS + 15) / took
    print(f"{nodes:5} {world.frames:8} {rate:9.0f} {took:7.2f} {speed:14.1f} {accepted:8}")


if __name__ == "__main__":
    main()
