"""Two nodes in two network namespaces, their clocks 100 ppm apart, under five kinds of network: what each can show.

All processes share the machine's counter, so the true offset between the clocks is known at every moment. What
is in error is what one node takes the other's clock for. Beside it, in the same namespaces, two peers of Ableton Link.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.lan.clocks import air
from tests.lan.wires import Lan

PPM = 50  # one clock is fast by as much, the other slow
OFFSETS_US = (0, 1_234_567)
CONDITIONS = ("ethernet", "wireless", "bursts", "busy", "asymmetric")
GOALS_MS = {"ethernet": 0.1, "wireless": 0.5, "bursts": 0.5, "busy": 0.5}  # nobody can see through asymmetry
SETTLED_S = 5.0  # of Link's beats these are not counted: it negotiates first
START_S = 60.0
_SPIN = "while True: pass"
_BEAT_MS = 500.0
_QUANTUM = 4


class Outcome(NamedTuple):
    """What one node took the other's clock for. Errors in milliseconds, of absolute value but for the mean."""

    samples: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    max_ms: float
    covered: float  # share of samples whose stated uncertainty holds the truth
    stated_ms: float  # median uncertainty
    went_back: int  # samples before which time had gone back


class LinkOutcome(NamedTuple):
    """How far apart two peers of Link were."""

    samples: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    max_ms: float


@contextmanager
def _process(*command: str, quiet: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    sink = subprocess.DEVNULL if quiet else subprocess.PIPE
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sink, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def weather(wires: Lan, condition: str, seed: int) -> Iterator[None]:
    """Put a kind of network between the first two hosts."""
    with ExitStack() as stack:
        if condition != "ethernet":
            ports = ("p0-eth0", "p1-eth0")
            for host, port in zip(wires.hosts, ports, strict=False):
                host.call(lambda: air.plain_frames("eth0"))
                wires.switch.ip("link", "set", port, "nomaster")
                stack.callback(wires.switch.ip, "link", "set", port, "master", "br0")
            carrier = (sys.executable, "-m", "tests.lan.clocks.air", *ports, condition, str(seed))
            stack.enter_context(_process(*wires.switch.command(*carrier), quiet=True))
        if condition == "busy":
            for _ in range(os.cpu_count() or 1):
                stack.enter_context(_process(sys.executable, "-c", _SPIN, quiet=True))
        yield


def measure(wires: Lan, seconds: float) -> Outcome:
    """Two nodes that play; what the one that joined took the creator's clock for."""
    with tempfile.TemporaryDirectory() as root, ExitStack() as stack:
        made = []
        for host, offset_us, ppm, role in zip(wires.hosts, OFFSETS_US, (PPM, -PPM), ("open", "join"), strict=False):
            options = (str(Path(root) / role), str(offset_us), str(ppm), str(seconds), role)
            program = (sys.executable, "-m", "tests.lan.clocks.drifting", *options)
            made.append(stack.enter_context(_process(*host.command(*program))))
        creator, here = (json.loads(_line(process)) for process in made)
        samples = json.loads(made[1].communicate(timeout=seconds + START_S)[0].splitlines()[-1])["samples"]
    return judge(creator, here, samples)


def _line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def _shown_us(clock: dict[str, int], count_us: int) -> float:
    elapsed_us = count_us - clock["began_us"]
    return clock["shown_us"] + elapsed_us + elapsed_us * clock["ppm"] / 1e6


def judge(creator: dict[str, int], here: dict[str, int], samples: list[list[int]]) -> Outcome:
    """Samples (count, offset, uncertainty, session time) against the truth."""
    errors_ms, covered, went_back = [], 0, 0
    before_us = -1
    for count_us, offset_us, uncertainty_us, time_us in samples:
        error_us = offset_us - (_shown_us(creator, count_us) - _shown_us(here, count_us))
        errors_ms.append(error_us / 1_000)
        covered += abs(error_us) <= uncertainty_us
        went_back += time_us < before_us
        before_us = time_us
    stated_ms = statistics.median(uncertainty_us for _, _, uncertainty_us, _ in samples) / 1_000
    spread = _spread(errors_ms)
    return Outcome(*spread, covered=covered / len(samples), stated_ms=stated_ms, went_back=went_back)


def measure_link(wires: Lan, python: str, seconds: float) -> LinkOutcome:
    """Two peers of Link; how far apart their beats are. `python`: an interpreter that has `link`."""
    script = str(Path(__file__).parent / "linked.py")
    with ExitStack() as stack:
        made = [stack.enter_context(_process(*host.command(python, script, str(seconds)))) for host in wires.hosts[:2]]
        said = [json.loads(process.communicate(timeout=seconds + START_S)[0]) for process in made]
    return judge_link(*said)


def judge_link(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> LinkOutcome:
    """Samples (time, beat) of two peers: the beats at the same times, whole bars apart at will."""
    beats = dict(one)
    first_us = min(at for at, _ in other) + SETTLED_S * 1e6
    apart = [beat - beats[at] for at, beat in other if at in beats and at >= first_us]
    return LinkOutcome(*_spread([_BEAT_MS * ((a + _QUANTUM / 2) % _QUANTUM - _QUANTUM / 2) for a in apart]))


def _spread(errors_ms: list[float]) -> tuple[int, float, float, float, float]:
    size = sorted(map(abs, errors_ms))
    at = [size[min(len(size) - 1, len(size) * percent // 100)] for percent in (50, 95)]
    return len(size), statistics.fmean(errors_ms), at[0], at[1], size[-1]


def no_link(python: str) -> str:
    """Why an interpreter cannot run Link; empty when it can."""
    tried = subprocess.run([python, "-c", "import link"], capture_output=True, text=True, check=False)
    return (tried.stderr.strip().splitlines() or ["it failed"])[-1] if tried.returncode else ""


def as_line(condition: str, outcome: Any) -> str:
    """One row of a table."""
    figures = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in outcome]
    return f"| {condition} | {' | '.join(figures)} |"


def new_seed() -> int:
    """A seed for the delays of one trial."""
    return secrets.randbelow(2**31)
