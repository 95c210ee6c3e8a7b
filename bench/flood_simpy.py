"""The flood of bench/flood.py in simpy: `PYTHON -m bench.flood_simpy NODES DEGREE MESSAGES`, PYTHON having simpy.

Twice: `processes`, as simpy's documents have it, a process and a Store for each node and a process for each message
under way; and `callbacks`, a bare timeout for each message with a function on it, the fastest that simpy can.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from random import Random
from typing import Any

from bench.flood import LEAST_US, SPREAD_US, Flooded, graph


def callbacks(neighbours: list[list[int]], messages: int) -> Flooded:
    """A timeout for each message."""
    import simpy  # type: ignore[import-not-found]

    environment, draw = simpy.Environment(), Random(2).random
    seen: list[set[int]] = [set() for _ in neighbours]
    deliveries = 0

    def arrive(event: Any) -> None:
        nonlocal deliveries
        node, sender, message = event.value
        deliveries += 1
        if message not in seen[node]:
            seen[node].add(message)
            for other in neighbours[node]:
                if other != sender:
                    delay_us = LEAST_US + int(draw() * SPREAD_US)
                    environment.timeout(delay_us, (other, node, message)).callbacks.append(arrive)

    began = time.process_time()
    for message in range(messages):
        environment.timeout(0, (message % len(neighbours), -1, message)).callbacks.append(arrive)
    environment.run()
    return Flooded(deliveries - messages, time.process_time() - began)


def processes(neighbours: list[list[int]], messages: int) -> Flooded:
    """A process and an inbox for each node, a process for each message under way."""
    import simpy

    environment, draw = simpy.Environment(), Random(2).random
    inboxes = [simpy.Store(environment) for _ in neighbours]
    deliveries = 0

    def carry(node: int, sender: int, message: int) -> Iterator[Any]:
        yield environment.timeout(LEAST_US + int(draw() * SPREAD_US))
        yield inboxes[node].put((sender, message))

    def live(node: int) -> Iterator[Any]:
        nonlocal deliveries
        seen: set[int] = set()
        while True:
            sender, message = yield inboxes[node].get()
            deliveries += 1
            if message not in seen:
                seen.add(message)
                for other in neighbours[node]:
                    if other != sender:
                        environment.process(carry(other, node, message))

    began = time.process_time()
    for node in range(len(neighbours)):
        environment.process(live(node))
    for message in range(messages):
        inboxes[message % len(neighbours)].put((-1, message))
    environment.run()
    return Flooded(deliveries - messages, time.process_time() - began)


def main() -> None:
    """Both, as a line of JSON each."""
    nodes, degree, messages = map(int, sys.argv[1:4])
    neighbours = graph(nodes, degree)
    for name, run in (("simpy, callbacks", callbacks), ("simpy, processes", processes)):
        print(json.dumps([name, *run(neighbours, messages)]), flush=True)


if __name__ == "__main__":
    main()
