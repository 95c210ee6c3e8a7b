"""How long a node takes to start on a long ledger: from exec to the first status and the first balance, and memory.

Run with `python -m bench.start [--entries N] [--runs N]`. Forty players are there in every window of the last days, one
of them has a block voted on in every third one, and they pay one another, an operation an entry, all of it really
signed and drawn. That is made once and kept in build/. Each run starts `symjam up` on a copy: after a clean stop, when
signatures are not verified again, and after kill -9, when they are. Medians; seconds of the wall clock, and of the
processor, which what else runs on the machine does not count into.
"""

from __future__ import annotations

import argparse
import functools
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bench.checkpoint import epoch_of
from bench.idle import sample
from bench.ledger import Mesh
from consensus import vrf
from consensus.params import MAIN, network_id
from crdt.entry import Entry
from crdt.errors import OperatingFailure
from crdt.store.keys import entry_item
from crdt.store.recover import close_clean, open_verified
from crdt.types import NO_NONCE, Epoch
from node.client import Client
from node.shell.config import Config, boot_id
from wallet import keystore
from wallet.keyfile import Form, Key

ROOM: Final = "bench"
PLAYERS: Final = 40
BATCH: Final = 1_000
PATIENCE_S: Final = 300.0
_PROGRAM: Final = (sys.executable, "-m", "node")


class Start(NamedTuple):
    """Of one start: seconds on the wall and of the processor, to the first status and to the first balance."""

    status_s: float
    status_cpu_s: float
    balance_s: float
    balance_cpu_s: float
    resident_mb: float


def made(entries: int) -> Path:
    """A data directory with so many entries, kept from the last time."""
    epoch = MAIN.epoch_of(MAIN.window_at(time.time_ns() // 1_000))
    kept = Path("build") / f"start-{entries}"
    if not (kept / "made").exists():
        shutil.rmtree(kept, ignore_errors=True)
        _make(kept, entries, epoch)
        with running(kept) as child:  # once, as a node that took part has run: it remembers which proofs were valid
            started(kept, child, time.perf_counter())
        (kept / "made").touch()
    return kept


def _make(data_dir: Path, wanted: int, last: Epoch) -> None:
    print(f"making {wanted} entries, once ...", file=sys.stderr)
    vrf.verify = functools.cache(vrf.verify)
    params = msgspec.structs.replace(MAIN, room=ROOM)
    network = network_id(params)
    mesh, entries = Mesh(PLAYERS, network), list[Entry]()
    per_epoch = sum(len(batch) for batch in epoch_of(Mesh(PLAYERS, network), last))
    for epoch in range(last - wanted // per_epoch - 1, last):
        entries += [entry for batch in epoch_of(mesh, Epoch(epoch)) for entry in batch]
        print(f"  {len(entries)}", file=sys.stderr)
    keystore.put(data_dir / "keys", Key(Form.SEED, mesh.writers[0].identity.seed()), None)
    opened = open_verified(Config(data_dir, room=ROOM).store_path, network, boot_id(), NO_NONCE)
    for start in range(0, wanted, BATCH):
        opened.store.write([entry_item(entry) for entry in entries[start : min(start + BATCH, wanted)]], sync=False)
    close_clean(opened.store)


@contextmanager
def running(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`symjam up` in a data directory; ended cleanly, unless it was killed."""
    where = ("--data", str(data_dir), "--room", ROOM, "--interface", "127.0.0.1", "--no-mdns", "--json")
    child = subprocess.Popen([*_PROGRAM, "up", *where], stdout=subprocess.DEVNULL, env=_environment())
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


def started(data_dir: Path, child: subprocess.Popen[bytes], began: float) -> Start:
    """Asks until it answers."""
    _until(lambda: Client.of(data_dir).status())
    status_s, status = time.perf_counter() - began, sample(child.pid)
    _until(lambda: Client.of(data_dir, PATIENCE_S).wallet())
    balance_s, balance = time.perf_counter() - began, sample(child.pid)
    return Start(status_s, status.cpu_s, balance_s, balance.cpu_s, balance.resident_mb)


def _environment() -> dict[str, str]:
    """With compiled modules, as an installed program has them, whatever this shell says."""
    left = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**left, "PYTHONPYCACHEPREFIX": str(Path("build/bytecode").resolve())}


def _until(ask: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            ask()
            return
        except OperatingFailure:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _command(*words: str) -> tuple[float, float]:
    """Seconds on the wall and of the processor for one command."""
    used, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*_PROGRAM, *words], stdout=subprocess.DEVNULL, check=True, env=_environment())
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def _say(name: str, wall_s: list[float], cpu_s: list[float]) -> None:
    wall, cpu = statistics.median(wall_s) * 1_000, statistics.median(cpu_s) * 1_000
    print(f"{name:48} {wall:8.0f} ms, {cpu:8.0f} ms of the processor (median of {len(wall_s)})")


def main(argv: list[str] | None = None) -> None:
    """Print what a start and the commands after it cost."""
    parser = argparse.ArgumentParser(prog="python -m bench.start", description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args(argv)
    kept = made(given.entries)
    with tempfile.TemporaryDirectory(prefix="symjam-start-", dir="build") as directory:
        data_dir = Path(directory) / "data"
        shutil.copytree(kept, data_dir)
        starts: dict[str, list[Start]] = {"after a clean stop": [], "after kill -9": []}
        for number in range(2 * given.runs):
            how = list(starts)[number % 2]
            began = time.perf_counter()
            with running(data_dir) as child:
                starts[how].append(started(data_dir, child, began))
                if how == "after a clean stop":
                    child.send_signal(signal.SIGKILL)
        for how, of in starts.items():
            _say(f"{how}: to the first status", [one.status_s for one in of], [one.status_cpu_s for one in of])
            _say(f"{how}: to the first balance", [one.balance_s for one in of], [one.balance_cpu_s for one in of])
            print(f"{how}: {statistics.median(one.resident_mb for one in of):.0f} MB resident")
        with running(data_dir) as child:
            started(data_dir, child, time.perf_counter())
            costs = [_command("wallet", "balance", "--data", str(data_dir)) for _ in range(7)]
        _say("symjam wallet balance", [wall for wall, _ in costs], [cpu for _, cpu in costs])
    costs = [_command("--help") for _ in range(7)]
    _say("symjam --help", [wall for wall, _ in costs], [cpu for _, cpu in costs])


if __name__ == "__main__":
    main()
