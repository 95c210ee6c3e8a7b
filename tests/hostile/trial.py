"""One trial: the honest pair plays W1 while one attacker does its worst to the author."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any, NamedTuple

import trio

from tests.hostile.attacks import PAGE
from tests.hostile.nodes import Node
from tests.hostile.w1 import Latency, measure

_LEAD_S = 1.0  # the attacker's start-up
_LATE_S = 8.0  # how long it may take to end


class Trial(NamedTuple):
    """What an attack did to the pair, and what became of the attacker."""

    attack: str
    latency: Latency
    before_mb: float
    peak_mb: float
    processor_share: float  # of one processor, that the node took while attacked
    tally: dict[str, int]  # the attacker's own account
    refused: dict[str, int]  # what the node counted as refused, by reason
    counters: dict[str, int]  # of the mesh: what grew meanwhile
    guarded: dict[str, int]
    strangers: int  # peers that are still linked at the end and should not be
    alive: bool

    @property
    def is_kept_out(self) -> bool:
        """Whether the attacker's first key is refused now."""
        return bool(self.tally.get("kept-out"))


async def run(name: str, pair: tuple[Node, Node], seconds: float) -> Trial:
    """Attack for so long, and measure all of it."""
    author, listener = pair
    target = author
    before = await trio.to_thread.run_sync(target.status)
    target.forget_peak()
    before_mb = target.memory_mb()[0]
    began, processor_s = time.monotonic(), target.processor_s()
    with _attacker(name, target, before, seconds) as attacker:
        try:
            await trio.sleep(_LEAD_S)
            latency = await measure(
                author.client().address, listener.client().address, author.player, max(1.0, seconds - _LEAD_S)
            )
            took_s = time.monotonic() - began
            tally = await trio.to_thread.run_sync(_report, attacker)
        finally:
            attacker.kill()
    await _settled(target, listener)
    after = await trio.to_thread.run_sync(target.status)
    friends = {author.player, listener.player}
    return Trial(
        attack=name,
        latency=latency,
        before_mb=before_mb,
        peak_mb=target.memory_mb()[1],
        processor_share=(target.processor_s() - processor_s) / took_s,
        tally=tally,
        refused=_grown(before["refused"], after["refused"]),
        counters=_grown(before["counters"], after["counters"]),
        guarded=_grown(before["guarded"], after["guarded"]),
        strangers=sum(peer["player"] not in friends for peer in after["peers"]),
        alive=author.is_alive() and listener.is_alive(),
    )


def _attacker(name: str, target: Node, status: dict[str, Any], seconds: float) -> subprocess.Popen[bytes]:
    address = f"/ip4/127.0.0.1/tcp/{target.client().address.port}" if name in PAGE else status["addresses"][0]
    command = (sys.executable, "-m", "tests.hostile.attacker", name, address, status["network"])
    return subprocess.Popen((*command, str(seconds)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)


def _report(attacker: subprocess.Popen[bytes]) -> dict[str, int]:
    try:
        said, _ = attacker.communicate(timeout=_LATE_S)
        return dict(json.loads(said))
    except (subprocess.TimeoutExpired, ValueError):
        return {"did-not-report": 1}


async def _settled(author: Node, listener: Node) -> None:
    """Let what the attacker left behind come to rest: its connection is gone with its process."""
    with trio.move_on_after(5):
        while {p["player"] for p in (await trio.to_thread.run_sync(author.status))["peers"]} - {listener.player}:
            await trio.sleep(0.1)


def _grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    grown = {name: count - before.get(name, 0) for name, count in after.items()}
    return {name: count for name, count in grown.items() if count}
