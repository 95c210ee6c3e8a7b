"""The same flood of messages in several simulators: what a simulator costs before anything is simulated in it.

Everybody starts with some messages and passes on each message it sees for the first time to all its neighbours but the
one it came from, each after 0.3 to 3 ms. The graph and the numbers of messages are the same in each; who is faster,
and by how much, is all that is asked. `heap`: a bare loop over heapq, the limit in Python. `world`: SymJam's timeline
and network with an engine that does nothing else. simpy is in bench/flood_simpy.py, in an interpreter of its own.
"""

from __future__ import annotations

import heapq
import sys
import time
from random import Random
from typing import NamedTuple

LEAST_US, SPREAD_US = 300, 2_700


class Flooded(NamedTuple):
    """Deliveries, and the seconds of CPU they took: other programs on the machine take the wall clock's."""

    deliveries: int
    seconds: float


def graph(nodes: int, degree: int, seed: int = 1) -> list[list[int]]:
    """A ring, and chords drawn at random until the mean degree is reached; symmetric."""
    chance = Random(seed)
    neighbours: list[set[int]] = [{(n - 1) % nodes, (n + 1) % nodes} - {n} for n in range(nodes)]
    links = sum(map(len, neighbours)) // 2
    while links < min(nodes * degree, nodes * (nodes - 1)) // 2:
        one, other = chance.randrange(nodes), chance.randrange(nodes)
        if one != other and other not in neighbours[one]:
            neighbours[one].add(other)
            neighbours[other].add(one)
            links += 1
    return [sorted(some) for some in neighbours]


def heap(neighbours: list[list[int]], messages: int) -> Flooded:
    """A loop over heapq, and a set of what each node has seen."""
    draw, push, pop = Random(2).random, heapq.heappush, heapq.heappop
    seen: list[set[int]] = [set() for _ in neighbours]
    events: list[tuple[int, int, int, int, int]] = []
    number = deliveries = 0
    began = time.process_time()
    for message in range(messages):
        push(events, (0, number, message % len(neighbours), -1, message))
        number += 1
    while events:
        now_us, _, node, sender, message = pop(events)
        deliveries += 1
        if message in seen[node]:
            continue
        seen[node].add(message)
        for other in neighbours[node]:
            if other != sender:
                number += 1
                push(events, (now_us + LEAST_US + int(draw() * SPREAD_US), number, other, node, message))
    return Flooded(deliveries - messages, time.process_time() - began)


def world(neighbours: list[list[int]], messages: int) -> Flooded:
    """SymJam's timeline and network; each node is a host whose engine only passes on."""
    from crdt.types import PlayerId
    from node.engine.inputs import FrameReceived
    from sim.network import Network
    from sim.timeline import Timeline

    class Null:
        """A host with nothing in it."""

        def __init__(self, player: PlayerId) -> None:
            self.player = player
            self.alive = True
            self.seen: set[bytes] = set()
            self.others: list[PlayerId] = []

        def give(self, event: FrameReceived) -> None:
            """Pass on what is new."""
            if event.frame not in self.seen:
                self.seen.add(event.frame)
                for other in self.others:
                    if other != event.player:
                        network.send(self.player, other, event.frame)

    timeline = Timeline(0)
    network = Network(timeline, Random(2))
    hosts = [Null(PlayerId(number.to_bytes(32, "big"))) for number in range(len(neighbours))]
    for number, others in enumerate(neighbours):
        hosts[number].others = [hosts[other].player for other in others]
        for other in others:
            if other > number:
                network.link(hosts[number], hosts[other])  # type: ignore[arg-type]
    nobody = PlayerId(b"\xff" * 32)
    began = time.process_time()
    for message in range(messages):
        hosts[message % len(hosts)].give(FrameReceived(nobody, message.to_bytes(8, "big")))
    timeline.run_until(sys.maxsize)
    return Flooded(network.deliveries, time.process_time() - began)
