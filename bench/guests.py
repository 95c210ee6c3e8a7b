"""What guests cost a node: processor and memory of one node with none, and with all seats taken by guests who play.

A real node with its store and mesh, alone; each guest plays ten notes a second through its own backend.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

import trio

from consensus.events import Kind
from crdt.errors import OperatingFailure
from crdt.limits import GUESTS_MAX
from node.api.backend import Played
from node.guests.backend import GuestBackend
from node.guests.keys import GuestKeys
from node.guests.party import Party
from node.shell.backend import DaemonBackend
from node.shell.config import Config
from node.shell.node import Node, Told

RATE_HZ: Final = 10
SECONDS: Final = 20


def main(_argv: list[str] | None = None) -> None:
    """Run it."""
    with tempfile.TemporaryDirectory() as path:
        trio.run(_run, Path(path) / "node")


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096 / 1e6


async def _play(guest: GuestBackend, waits: list[float]) -> None:
    number = 0
    while True:
        began = time.perf_counter()
        number += 1
        await guest.play((Played(guest.now_us(), Kind.NOTE_ON, number % 10, 60, 100),))
        waits.append(time.perf_counter() - began)
        await trio.sleep(1 / RATE_HZ)


async def _run(path: Path) -> None:
    made: list[DaemonBackend] = []

    def tell(effect: Told) -> None:
        made[0].tell(effect)

    def fail(failure: OperatingFailure) -> None:
        raise failure

    node = Node(Config(path, preset="small", room="bench", interfaces=("127.0.0.1",), mdns=False), tell, fail)
    made.append(DaemonBackend(node, lambda: None))
    party = Party(node, made[0], GuestKeys(path / "guests"), lambda: None)
    waits: list[float] = []
    print("guests  playing  processor %   RSS MB   notes   saved after p50 ms   p99 ms")
    async with trio.open_nursery() as nursery:
        await nursery.start(node.run)
        await nursery.start(party.run)
        for guests, playing in ((0, False), (GUESTS_MAX, False), (GUESTS_MAX, True)):
            while len(party.backends()) < guests:
                await party.join(party.token, "", "bench")
            for guest in party.backends() if playing else ():
                nursery.start_soon(_play, guest, waits)
            await trio.sleep(2)
            waits.clear()
            before_s = time.process_time()
            await trio.sleep(SECONDS)
            share = (time.process_time() - before_s) / SECONDS * 100
            late = sorted(waits) or [0.0]
            p50, p99 = (late[int(len(late) * q)] * 1_000 for q in (0.5, 0.99))
            print(f"{guests:6} {playing!s:>8} {share:12.1f} {_rss_mb():8.1f} {len(waits):7} {p50:20.2f} {p99:8.2f}")
        nursery.cancel_scope.cancel()
    node.close()
