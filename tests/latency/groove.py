"""A real take, played through one node and heard on another, whose clock is another: is its timing what it was?

Both nodes run in this process, one clock 50 ppm fast, the other as much slow and 0.7 s behind; both derive from the
machine's counter, so at which count a note was struck and at which count the other node has it is known exactly. Each
note's difference is taken, constant offset included.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

import trio

from jam.midi import Performance, load
from node.embed import EmbeddedNode, open_node
from node.engine.effects import Heard
from node.engine.inputs import OpenSession, Played
from node.engine.timing import Shown
from node.shell.config import Config
from tests.lan.clocks.drifting import DriftingClock
from tests.latency.figures import beyond

PPM = 50
BEHIND_US = -700_000
MEASUREMENTS = 4  # of the creator's clock before the first note: some two seconds
LINKED_S = 120.0
GOAL_MS = 1.0


class Groove(NamedTuple):
    """Differences between when notes were struck and when the other node has them, milliseconds; intervals between
    neighbouring notes likewise. `stated_ms`: the most that the guest said meanwhile it might be wrong by."""

    take: str
    direction: str
    notes: int
    missing: int
    mean_ms: float
    p99_ms: float
    max_ms: float
    interval_p99_ms: float
    stated_ms: float

    def faults(self) -> list[str]:
        """Goals that were missed."""
        lost = [f"{self.missing} notes did not arrive"] if self.missing else []
        return lost + beyond(f"p99 of {self.take} ({self.direction})", self.p99_ms, GOAL_MS)


class _Side(NamedTuple):
    node: EmbeddedNode
    clock: DriftingClock

    def count_at(self, shown_us: int) -> float:
        """The machine's count at which its clock shows this."""
        elapsed_us = (shown_us - self.clock.shown_us) / (1 + self.clock.ppm / 1_000_000)
        return self.clock.began_us + elapsed_us


async def groove(path: Path, seconds: float) -> list[Groove]:
    """The first seconds of a take, by who came and then by who opened the jam."""
    performance = load(path)
    found = []
    with tempfile.TemporaryDirectory() as root:
        configs = [Config(Path(root) / name, room="groove", interfaces=("127.0.0.1",), mdns=False) for name in "ab"]
        clocks = DriftingClock(0, PPM), DriftingClock(BEHIND_US, -PPM)
        async with open_node(configs[0], clock=clocks[0]) as one, open_node(configs[1], clock=clocks[1]) as other:
            creator, guest = _Side(one, clocks[0]), _Side(other, clocks[1])
            await _meet(creator, guest, performance)
            for giver, taker, direction in ((guest, creator, "guest to creator"), (creator, guest, "creator to guest")):
                struck, had, stated_us = await _played(giver, taker, guest, performance, seconds)
                found.append(_compared(path.stem, direction, struck, had, stated_us))
    return found


async def _meet(creator: _Side, guest: _Side, performance: Performance) -> None:
    guest.node.connect(creator.node.addresses[0])
    with trio.fail_after(LINKED_S):
        while not (creator.node.peers() and guest.node.peers()):
            await trio.sleep(0.02)
        creator.node.node.give(OpenSession("groove", performance.tempo_mbpm, performance.beats_per_bar, 4))
        engine = guest.node.node.engine
        while len(engine.peers[creator.node.player].clock.measurements) < MEASUREMENTS:
            await trio.sleep(0.02)


async def _played(
    giver: _Side, taker: _Side, guest: _Side, performance: Performance, seconds: float
) -> tuple[list[float], list[float], int]:
    """When each note was struck and when the taker has it, in counts of the machine; and the guest's stated bound."""
    struck: list[float] = []
    had: list[float] = []
    stated_us = 0
    ons = [note for note in performance.events if note.kind == 0 and note.t_us < seconds * 1_000_000]
    async with trio.open_nursery() as nursery:
        await nursery.start(_hear, taker, giver, had)
        start_us = giver.node.now_us() + 100_000 - ons[0].t_us
        for note in ons:
            at_us = start_us + note.t_us
            await trio.sleep(max(0, at_us - giver.node.now_us()) / 1_000_000)
            struck.append(giver.count_at(at_us))
            stated_us = max(stated_us, _clock(guest).uncertainty_us)
            await giver.node.send(Played(at_us, note.kind, note.lane, note.pitch, note.velocity))
        with trio.move_on_after(10):
            while len(had) < len(struck):
                await trio.sleep(0.02)
        nursery.cancel_scope.cancel()
    return struck, sorted(had), stated_us


def _clock(side: _Side) -> Shown:
    placed = side.node.node.engine.current_session(side.node.now_us())
    assert placed is not None and placed.clock is not None
    return placed.clock


async def _hear(taker: _Side, giver: _Side, had: list[float], task_status: trio.TaskStatus[None]) -> None:
    """When the taker has each note, by its own clock, as its page is told (`at_us`)."""
    engine = taker.node.node.engine
    async with taker.node.listening() as listener:
        task_status.started()
        while True:
            for what in await listener.take():
                if not isinstance(what, Heard) or what.player != giver.node.player:
                    continue
                facts = engine.ledger.session(what.session)
                assert facts is not None
                t0_at_us = facts.op.t0_us - _clock(taker).offset_us
                had.extend(taker.count_at(t0_at_us + event.t_us) for event in what.events)


def _compared(take: str, direction: str, struck: list[float], had: list[float], stated_us: int) -> Groove:
    apart = [(there - here) / 1_000 for here, there in zip(struck, had, strict=False)]
    steps = [b - a for a, b in itertools.pairwise(apart)]
    return Groove(
        take,
        direction,
        len(struck),
        len(struck) - len(had),
        round(statistics.fmean(apart), 4),
        round(_p99(apart), 4),
        round(max(map(abs, apart)), 4),
        round(_p99(steps), 4),
        stated_us / 1_000,
    )


def _p99(differences: list[float]) -> float:
    ordered = sorted(abs(one) for one in differences)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
