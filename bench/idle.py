"""What a node costs while nobody plays: the processor and memory of nodes that know each other, over an hour.

Run with `python -m bench.idle [--nodes N] [--seconds S] [--every S]`, as root or not; other work on the machine hardly
matters, for it is the node's own processor time that is read. Goals (SPEC 4): at most 2% of a core and 120 MB with
three peers, and flat: memory at the end is what it was once all had met.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from node.commands.processes import Process, start_nodes

MET_S: Final = 60.0
CORE_MAX: Final = 0.02
RESIDENT_MB_MAX: Final = 120.0
GROWTH_MB_MAX: Final = 2.0  # from a quarter of the time on, by when every cache has been asked once
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Sample(NamedTuple):
    """One node at one moment: seconds of the processor since it started, and what it holds."""

    at_s: float
    cpu_s: float
    resident_mb: float
    files: int


class Idle(NamedTuple):
    """One node over the whole time, from the moment when it had met all."""

    peers: int
    core: float  # share of one
    resident_mb: tuple[float, float, float]  # at the beginning, after a quarter of the time, at the end
    files: tuple[int, int]

    def faults(self) -> list[str]:
        """Goals that were missed."""
        found = [f"{self.core:.1%} of a core"] if self.core > CORE_MAX else []
        if max(self.resident_mb) > RESIDENT_MB_MAX:
            found.append(f"{max(self.resident_mb):.0f} MB")
        if (grown := self.resident_mb[2] - self.resident_mb[1]) > GROWTH_MB_MAX:
            found.append(f"it grew by {grown:.1f} MB")
        if self.files[1] > self.files[0]:
            found.append(f"{self.files[1] - self.files[0]} files more are open")
        return found


def sample(pid: int) -> Sample:
    """How it stands with a process."""
    of = Path(f"/proc/{pid}")
    fields = (of / "stat").read_text().rsplit(")", 1)[1].split()
    kib = int((of / "status").read_text().split("VmRSS:")[1].split()[0])
    cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS
    return Sample(time.monotonic(), cpu_s, kib / 1_024, len(os.listdir(of / "fd")))


def measured(nodes: list[Process], seconds: float, every_s: float) -> list[Idle]:
    """Leave them alone; a line now and then on standard error."""
    time.sleep(MET_S)
    seen: dict[str, list[Sample]] = {node.name: [sample(node.pid)] for node in nodes}
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        time.sleep(min(every_s, seconds - passed))
        for node in nodes:
            seen[node.name].append(sample(node.pid))
        now = [samples[-1] for samples in seen.values()]
        before = [samples[-2] for samples in seen.values()]
        shares = ((a.cpu_s - b.cpu_s) / (a.at_s - b.at_s) for a, b in zip(now, before, strict=True))
        words = (f"{share:5.1%} {one.resident_mb:6.1f} MB" for share, one in zip(shares, now, strict=True))
        print(f"{passed:6.0f} s  " + "   ".join(words), file=sys.stderr, flush=True)
    return [_whole(node, seen[node.name]) for node in nodes]


def _whole(node: Process, samples: list[Sample]) -> Idle:
    first, quarter, last = samples[0], samples[len(samples) // 4], samples[-1]
    memory = (round(first.resident_mb, 1), round(quarter.resident_mb, 1), round(last.resident_mb, 1))
    core = (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s)
    return Idle(len(node.client().status()["peers"]), round(core, 4), memory, (first.files, last.files))


def main(argv: list[str] | None = None) -> int:
    """Print a line for each node; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle", description=__doc__)
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3_600.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two looks")
    parser.add_argument("--preset", default="main")
    parser.add_argument("--json", action="store_true", help="one JSON line for each node")
    given = parser.parse_args(argv)
    missed = 0
    with tempfile.TemporaryDirectory(prefix="symjam-idle-") as root:
        nodes = start_nodes(Path(root), given.nodes, given.preset)
        try:
            for node, idle in zip(nodes, measured(nodes, given.seconds, given.every), strict=True):
                faults = idle.faults()
                missed += len(faults)
                if given.json:
                    print(json.dumps({"node": node.name, **idle._asdict(), "missed": faults}))
                    continue
                memory = " / ".join(f"{one:.1f}" for one in idle.resident_mb)
                print(f"{node.name}: {idle.peers} peers, {idle.core:.2%} of a core, {memory} MB, {idle.files[1]} files")
                for fault in faults:
                    print(f"    MISSED: {fault}")
        finally:
            for node in nodes:
                node.stop()
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
