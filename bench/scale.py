"""How a mesh grows, and what a simulator costs: `python -m bench.scale` (`make scale`).

First rooms of 10 to 300 nodes in `network` fidelity, each in a process of its own so that its memory is its own:
frames, bytes, CPU and memory of a node, drawn to docs/img/scale.svg, with the straight line that fits each and what it
says of 10,000 nodes. Then the same flood of messages in a bare heapq loop, in SymJam's world with an engine that does
nothing, and, with --others PYTHON, in simpy; and blocksimpy at 1,000 nodes. PYTHON is an interpreter of a virtual
environment with `pip install simpy==4.1.2 blocksimpy==1.5.0`; they are no dependencies of the project.

Compare what was measured in one sitting only, and by CPU time where other programs run on the machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import linear_regression, median
from typing import Any, Final, NamedTuple

from bench import flood

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = ROOT / "docs" / "img" / "scale.svg"
SCENARIO: Final = Path(__file__).with_name("scale.toml")
POINTS: Final = (10, 20, 50, 100, 200, 300)
FAR: Final = 10_000
SHARE: Final = 0.3  # of the windows in which each plays
BLOCKS: Final = 200
TIMEOUT_S: Final = 3_600
DENSE_TIMES: Final = 5


class Grown(NamedTuple):
    """What one room came to, by node: a second is one of the room's."""

    nodes: int
    windows: int
    frames_s: float
    bytes_s: float
    cpu_ms_s: float
    memory_mb: float
    deliveries_per_cpu_s: float
    simulated_per_s: float
    converged_ms: float | None  # None: they did not


# one room


def room(nodes: int, windows: int, signatures: str, share: float) -> Grown:
    """Play bench/scale.toml with so many people, in this process."""
    from sim.run import run
    from sim.scenario import load

    settings: dict[str, int | float | str] = {"nodes": nodes, "windows": windows, "signatures": signatures}
    settings |= {"people.0.habits.share": float(share > 0), "people.1.habits.share": share}
    scenario = load(str(SCENARIO), settings)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, began_cpu = time.perf_counter(), time.process_time()
    figures = run(scenario, 1).figures
    cpu_s, wall_s = time.process_time() - began_cpu, time.perf_counter() - began
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    seconds = figures["simulated_s"]
    return Grown(
        nodes,
        windows,
        figures["frames_per_node_s"],
        figures["bytes_per_node_s"],
        1_000 * cpu_s / nodes / seconds,
        grown_kb / 1_000 / nodes,
        figures["deliveries"] / cpu_s,
        seconds / wall_s,
        figures.get("converged_ms"),
    )


def grow(points: Iterable[int], windows: int, signatures: str, share: float) -> list[Grown]:
    """A process for each room; prints as it goes."""
    print(f"{'nodes':>5} {'windows':>7} {'frames/node/s':>13} {'kB/node/s':>9} {'CPU ms/node/s':>13} {'MB/node':>8} "
          f"{'deliveries/CPU s':>16} {'simulated/real':>14} {'converged ms':>12}")  # fmt: skip
    found = []
    for nodes in points:
        fewer = max(2, min(windows, windows * 100 // nodes))
        command = [sys.executable, "-m", "bench.scale", "--room", str(nodes), str(fewer), signatures, str(share)]
        one = Grown(*json.loads(_output(command, ROOT)))
        found.append(one)
        print(f"{one.nodes:5} {one.windows:7} {one.frames_s:13.1f} {one.bytes_s / 1e3:9.1f} {one.cpu_ms_s:13.2f} "
              f"{one.memory_mb:8.2f} {one.deliveries_per_cpu_s:16,.0f} {one.simulated_per_s:14.2f} "
              f"{'-' if one.converged_ms is None else round(one.converged_ms):>12}", flush=True)  # fmt: skip
    return found


def fitted(found: Sequence[Grown]) -> None:
    """The straight line through each, and where it is at 10,000 nodes."""
    if len(found) < 2:
        return
    print(f"\nby node, a line through these points: at 0 nodes, for each further node, at {FAR:,} nodes")
    for name, unit, values in measures(found):
        slope, base = linear_regression([one.nodes for one in found], values)
        print(f"{name:<22} {base:10.2f} {slope:10.4f} {base + slope * FAR:12,.0f} {unit}")


def measures(found: Sequence[Grown]) -> list[tuple[str, str, list[float]]]:
    """What is drawn and fitted: its name, its unit, a value for each room."""
    return [
        ("Frames sent", "a second and node", [one.frames_s for one in found]),
        ("Bytes sent", "kB a second and node", [one.bytes_s / 1e3 for one in found]),
        ("CPU", "ms a second and node", [one.cpu_ms_s for one in found]),
        ("Memory", "MB a node", [one.memory_mb for one in found]),
    ]


def drawn(found: Sequence[Grown], signatures: str) -> str:
    """The picture, each of the four by the number of nodes."""
    from sim.report.chart import picture
    from sim.report.plot import Line, Plot

    places = tuple(one.nodes for one in found)
    return picture(
        [
            Plot(f"{name} by mesh size ({signatures} signatures)", "nodes", places, (Line(name, tuple(values)),), unit)
            for name, unit, values in measures(found)
        ]
    )


# as fast as it goes

DENSE: Final[dict[str, int | float | str]] = {
    "nodes": 30,
    "windows": 2,
    "signatures": "cheap",
    "handful_ms": 100,  # an entry in a tenth of a second
    "people.0.habits.share": 1.0,
    "people.1.habits.share": 1.0,
}


def dense(times: int) -> None:
    """The rate of a room where most frames are notes, some times in a row: how much the machine itself varies."""
    rates = [json.loads(_output([sys.executable, "-m", "bench.scale", "--dense-room"], ROOT)) for _ in range(times)]
    each = ", ".join(f"{rate:,.0f}" for rate in rates)
    print(f"\n{DENSE['nodes']} nodes that all play, an entry each {DENSE['handful_ms']} ms, cheap signatures: "
          f"deliveries a CPU second {each}; median {median(rates):,.0f}")  # fmt: skip


def _dense_room() -> float:
    from sim.run import run
    from sim.scenario import load

    scenario = load(str(SCENARIO), DENSE)
    before_s = time.process_time()
    figures = run(scenario, 1).figures
    return float(figures["deliveries"] / (time.process_time() - before_s))


# side by side


def side_by_side(nodes: int, degree: int, messages: int, others: str) -> None:
    """The flood in each, then blocksimpy."""
    print(f"\na flood of {messages} messages through {nodes} nodes with {degree} links each")
    print(f"{'':<34} {'deliveries':>10} {'CPU s':>7} {'deliveries/CPU s':>16} {'of heapq':>9}")
    neighbours = flood.graph(nodes, degree)
    rows: list[tuple[str, int, float]] = [
        ("heapq, a bare loop", *flood.heap(neighbours, messages)),
        ("SymJam's world, a null engine", *flood.world(neighbours, messages)),
    ]
    if others:
        command = [others, "-m", "bench.flood_simpy", str(nodes), str(degree), str(messages)]
        rows += [tuple(json.loads(line)) for line in _output(command, ROOT).splitlines()]
    fastest = rows[0][1] / rows[0][2]
    for name, deliveries, seconds in rows:
        rate = deliveries / seconds
        print(f"{name:<34} {deliveries:10,} {seconds:7.2f} {rate:16,.0f} {rate / fastest:9.2f}")
    if not others:
        print("simpy and blocksimpy: not measured; name an interpreter that has them with --others")
        return
    for many in (nodes, 1_000):
        _blocksimpy(others, many)


def _blocksimpy(others: str, nodes: int) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    program = "from blocksimpy.app import main; main()"
    _output([others, "-c", program, "--nodes", str(nodes), "--neighbors", "8", "--blocks", str(BLOCKS)], ROOT)
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    words = f"blocksimpy, {nodes:,} nodes, {BLOCKS} blocks"
    print(f"{words:<34} {'':>10} {cpu_s:7.2f} (real {wall_s:.2f} s, start-up included)")


def _output(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2_000:]}")
    return done.stdout


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description="How a mesh grows; other simulators.")
    parser.add_argument("--points", default=",".join(map(str, POINTS)), help="numbers of nodes")
    parser.add_argument("--windows", type=int, default=10, help="windows played; with over 100 nodes, fewer")
    parser.add_argument("--signatures", choices=("real", "shared", "cheap"), default="cheap")
    parser.add_argument("--others", default="", metavar="PYTHON", help="an interpreter that has simpy and blocksimpy")
    parser.add_argument("--flood", default="300,8,300", metavar="NODES,LINKS,MESSAGES")
    parser.add_argument("--out", type=Path, default=PICTURE, help="where the picture goes")
    parser.add_argument("--growth-only", action="store_true", help="no other simulators beside it")
    parser.add_argument("--share", type=float, default=SHARE, help="of the windows in which each plays")
    parser.add_argument("--room", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--dense-room", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """All of it, or (inside) one room."""
    told = _arguments()
    if told.room:
        print(json.dumps(room(int(told.room[0]), int(told.room[1]), told.room[2], float(told.room[3]))))
        return
    if told.dense_room:
        print(json.dumps(_dense_room()))
        return
    print(f"bench/scale.toml, {told.signatures} signatures, {told.share:.0%} of the windows played, windows of 10 s")
    found = grow(map(int, told.points.split(",")), told.windows, told.signatures, told.share)
    fitted(found)
    told.out.write_text(drawn(found, told.signatures), encoding="utf-8")
    print(f"drawn: {told.out.name}")
    if told.growth_only:
        return
    dense(DENSE_TIMES)
    side_by_side(*map(int, told.flood.split(",")), told.others)


if __name__ == "__main__":
    main()
