"""What the store costs: opening a large one, verified and after a clean close, and syncs shared by what waits."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import trio

from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.keys import Identity
from crdt.store.base import Batch
from crdt.store.keys import entry_item
from crdt.store.level import LevelStore
from crdt.store.recover import close_clean, open_verified
from crdt.types import NO_NONCE, NetworkId, PlayerId, SessionId, Window, jam_document
from node.engine.effects import Effect, Persist, WindowJudged
from node.shell.hands import Hands

NETWORK = NetworkId(b"bench".ljust(32, b"."))
JAM = jam_document(SessionId(bytes(32)))
ENTRIES, AUTHORS = 100_000, 10
SYNCED_S = 2.0


def main(_argv: list[str] | None = None) -> None:
    """Opening, then group commit."""
    with tempfile.TemporaryDirectory() as directory:
        _opening(Path(directory) / "db")
    print(f"{'synced entries/s':>17} {'entries':>8} {'syncs':>6} {'entries/sync':>13} {'slowest ms':>11}")
    for rate in (20, 200, 2_000):
        with tempfile.TemporaryDirectory() as directory:
            trio.run(_group_commit, Path(directory), rate)


def _opening(path: Path) -> None:
    store = open_verified(path, NETWORK, "boot", NO_NONCE).store
    for number in range(AUTHORS):
        log = _log(Identity(bytes([number + 1]) * 32), ENTRIES // AUTHORS)
        for start in range(0, len(log), 100):
            store.write([entry_item(entry) for entry in log[start : start + 100]], sync=False)
    store.close()
    for name in ("every signature", "after a clean close"):
        wall, cpu = time.perf_counter(), time.process_time()
        opened = open_verified(path, NETWORK, "boot", NO_NONCE)
        took, used = time.perf_counter() - wall, time.process_time() - cpu
        kib = int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])
        print(f"{ENTRIES} entries opened, {name}: {took:.2f} s, {used:.2f} s of CPU; {kib // 1024} MB resident")
        began = time.perf_counter()
        close_clean(opened.store)
        del opened
    print(f"closed cleanly: {time.perf_counter() - began:.2f} s")


def _log(author: Identity, count: int) -> list[Entry]:
    entries = [sign(author, NETWORK, first_body(NETWORK, JAM, LogKey(author.player, NO_NONCE), bytes(24)))]
    while len(entries) < count:
        entries.append(sign(author, NETWORK, next_body(entries[-1], bytes(24))))
    return entries


class _Counting(LevelStore):
    """Counts syncs."""

    syncs = 0

    def write(self, batch: Batch, sync: bool) -> None:
        self.syncs += sync
        super().write(batch, sync)


class _Nobody:
    """A mesh without peers."""

    def flush(self) -> None:
        """Nothing waits."""


async def _group_commit(path: Path, rate: int) -> None:
    """Batches to be synced, so many a second, through the daemon's own hands; how long the slowest waited."""
    store, waits, given = _Counting(path / "db"), list[float](), list[float]()

    def tell(effect: Effect) -> None:
        assert isinstance(effect, WindowJudged)
        waits.append(time.perf_counter() - given[effect.window])

    mesh: Any = _Nobody()
    hands = Hands(store, {}, mesh, tell, lambda _: None, lambda _: None, Counter())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hands.sync_forever)
        for number in range(int(rate * SYNCED_S)):
            given.append(time.perf_counter())
            said = WindowJudged(Window(number), PlayerId(bytes(32)))
            hands.execute([Persist(((b"k%d" % number, bytes(250)),), sync=True, then=(said,))])
            await trio.sleep(1 / rate)
        await hands.settled()
        nursery.cancel_scope.cancel()
    store.close()
    count = len(waits)
    print(f"{rate:17} {count:8} {store.syncs:6} {count / store.syncs:13.1f} {max(waits) * 1_000:11.1f}")
