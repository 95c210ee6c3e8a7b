"""A node whose clock is wrong on purpose, and who says what time it takes it to be: a process of a clock trial.

python -m tests.lan.clocks.drifting DATA OFFSET_US PPM SECONDS open|join

It plays a note every 150 ms. Its first line says what its clock shows at which count of the machine's own, which all
processes of a trial share. Who opens the jam goes on until it is ended. Who joins says, after SECONDS in it, as its
last line what it took the creator's clock for, and when.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import trio

from crdt.errors import Misuse, OperatingFailure
from crdt.types import Micros
from node.engine.inputs import OpenSession, Played
from node.runtime import Runtime
from node.shell.clock import NodeClock
from node.shell.config import Config
from node.shell.node import Node, Told

SAMPLE_S = 0.01
NOTE_S = 0.15


class DriftingClock(NodeClock):
    """The node's clock, off by so much and fast by so many millionths. A trial's, and nobody else's."""

    def __init__(self, offset_us: int, ppm: int) -> None:
        super().__init__()
        self.ppm = ppm
        self.began_us = self.count_us()
        self.shown_us = super().now_us() + offset_us

    def at_us(self, count_us: int) -> int:
        """What it shows when the machine's counter stands there."""
        elapsed_us = count_us - self.began_us
        return self.shown_us + elapsed_us + elapsed_us * self.ppm // 1_000_000

    def now_us(self) -> Micros:
        return Micros(self.at_us(self.count_us()))


def _nothing(_: Told) -> None:
    """Nobody looks at this node's page."""


def _fail(failure: OperatingFailure) -> None:
    raise failure


def _say(document: Any) -> None:
    print(json.dumps(document), flush=True)


async def _open(node: Node) -> None:
    while not node.engine.peers:
        await trio.sleep(0.05)
    try:
        node.give(OpenSession("clocks", 120_000, 4, 4))
    except Misuse as misuse:
        _say({"failed": str(misuse)})
        raise


async def _play(node: Node) -> None:
    while True:
        await trio.sleep(NOTE_S)
        if node.engine.current_session(node.clock.now_us()) is not None:
            await node.pump.send(Played(node.clock.now_us(), 0, 3, 60, 100))


async def _watch(node: Node, clock: DriftingClock, seconds: float) -> None:
    samples: list[tuple[int, int, int, int]] = []
    until = None
    while until is None or trio.current_time() < until:
        await trio.sleep(SAMPLE_S)
        count_us = clock.count_us()
        now_us = clock.at_us(count_us)
        placed = node.engine.current_session(now_us)
        if placed is not None and placed.clock is not None:
            until = until or trio.current_time() + seconds
            time_us = node.engine.sessions.session_time(now_us, placed)
            samples.append((count_us, placed.clock.offset_us, placed.clock.uncertainty_us, time_us))
    _say({"samples": samples})


async def _run(data: Path, offset_us: int, ppm: int, seconds: float, opens: bool) -> None:
    clock = DriftingClock(offset_us, ppm)
    with Runtime(data):
        node = Node(Config(data), _nothing, _fail, clock)
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(node.run)
                _say({"began_us": clock.began_us, "shown_us": clock.shown_us, "ppm": ppm})
                nursery.start_soon(_play, node)
                if opens:
                    await _open(node)
                    await trio.sleep_forever()
                await _watch(node, clock, seconds)
                nursery.cancel_scope.cancel()
        finally:
            node.close()


if __name__ == "__main__":
    trio.run(_run, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5] == "open")
