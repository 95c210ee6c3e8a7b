"""The three trials of a LAN that issue 3 asks for, each returning what it measured; and a program that repeats them:

python -m tests.lan.trials [--runs N] [--loss SECONDS]       (`make lan RUNS=N SECONDS=S`)
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.lan.nodes import LanNode, all_linked, all_same, nodes, until
from tests.lan.wires import Lan, lan, missing

HOSTS = 3
PATIENCE_S = 60.0
OUT_S = 4.0  # for how long the cable is out: longer than the watchdog waits


class Loss(NamedTuple):
    """What a trial of packet loss showed."""

    dropped: int  # packets
    played: int  # events acknowledged by their own nodes
    healed_s: float  # from the end of the loss until all held the same


def discovery(running: list[LanNode]) -> float:
    """Seconds from the start of the last node (its store is open, it does not listen yet) until all are linked."""
    until(lambda: all_linked(running), "links between all", PATIENCE_S)
    linked_us = max(peer["since_us"] for node in running for peer in node.status()["peers"])
    return (linked_us - max(node.status()["started_us"] for node in running)) / 1_000_000


def cable(wires: Lan, running: list[LanNode]) -> float:
    """Seconds from a cable plugged in again until all are linked and hold the same, with music going on meanwhile."""
    players = play_together(running, int(OUT_S) + 3)
    time.sleep(1.5)
    wires.pull(0)
    pulled = time.monotonic()
    until(lambda: not running[0].peers(), "the loss being noticed", PATIENCE_S)
    time.sleep(max(0.0, OUT_S - (time.monotonic() - pulled)))
    wires.plug(0)
    took_s = until(lambda: all_linked(running), "links between all", PATIENCE_S)
    played = saved(players)
    until(lambda: all_same(running), "the same everywhere", PATIENCE_S)
    heard_all(running, played)
    return took_s


def loss(wires: Lan, running: list[LanNode], percent: int, seconds: int) -> Loss:
    """Everybody plays while packets are lost; afterwards nothing may be missing anywhere."""
    for host in wires.hosts:
        host.lose(percent)
    played = saved(play_together(running, seconds), seconds)
    dropped = sum(host.lose_nothing() for host in wires.hosts)
    healed_s = until(lambda: all_same(running) and all_linked(running), "the same everywhere", PATIENCE_S)
    heard_all(running, played)
    return Loss(dropped, played, healed_s)


def play_together(running: list[LanNode], seconds: int) -> list[subprocess.Popen[bytes]]:
    """Begin a made-up performance on every host, all in one jam."""
    running[0].open_jam()
    until(lambda: all(node.status()["session"] is not None for node in running), "the jam", PATIENCE_S)
    return [node.play(seconds) for node in running]


def saved(players: list[subprocess.Popen[bytes]], seconds: int = 0) -> int:
    """How many events were played once all have ended; each acknowledged by its own node."""
    events = 0
    for player in players:
        said, _ = player.communicate(timeout=seconds + PATIENCE_S)
        assert player.returncode == 0, said.decode()
        result = json.loads(said.splitlines()[-1])
        assert result["saved"] == result["events"] > 0
        events += result["saved"]
    return events


def heard_all(running: list[LanNode], played: int) -> None:
    """Every event that any of them ever played was played or heard by each."""
    counters = [node.status()["counters"] for node in running]
    ever = sum(one["events_played"] for one in counters)
    assert ever >= played
    assert [one["events_played"] + one["events_heard"] for one in counters] == [ever] * len(running)


def main() -> int:
    """Repeat the trials, print the figures, judge nothing but that they come to an end."""
    parser = argparse.ArgumentParser(description="three hosts on a switch, in network namespaces")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--loss", type=int, default=60, metavar="SECONDS")
    wish = parser.parse_args()
    if why := missing():
        print(f"cannot run here: {why}", file=sys.stderr)
        return 1
    found_s, rejoined_s = [], []
    with lan(HOSTS) as wires:
        for _ in range(wish.runs):
            with tempfile.TemporaryDirectory() as root, nodes(wires, Path(root)) as running:
                found_s.append(discovery(running))
                rejoined_s.append(cable(wires, running))
                print(f"found in {found_s[-1]:.2f} s, rejoined in {rejoined_s[-1]:.2f} s", flush=True)
        print(f"discovery: {_spread(found_s)}\nrejoining: {_spread(rejoined_s)}", flush=True)
        if wish.loss:
            with tempfile.TemporaryDirectory() as root, nodes(wires, Path(root)) as running:
                discovery(running)
                lost = loss(wires, running, 10, wish.loss)
            print(
                f"10% loss for {wish.loss} s: {lost.dropped} packets dropped, {lost.played} events played, "
                f"all of them everywhere {lost.healed_s:.2f} s after the end"
            )
    return 0


def _spread(values: list[float]) -> str:
    return f"min {min(values):.2f}, median {statistics.median(values):.2f}, max {max(values):.2f} s of {len(values)}"


if __name__ == "__main__":
    sys.exit(main())
