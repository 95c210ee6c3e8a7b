"""What a node of a small room has lived through: the batches that it wrote, in order, and what its peers hold."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass
from pathlib import Path

from consensus.params import SMALL, network_id
from crdt.entry import Entry, LogKey, first_body, open_entry, sign
from crdt.keys import Identity
from crdt.store.base import Batch
from crdt.store.keys import ENTRY, LogName
from crdt.store.level import LevelStore
from crdt.store.memory import MemoryStore
from crdt.store.recover import close_clean, open_verified
from crdt.types import NO_NONCE, jam_document
from jam.synthetic import make
from node.engine import frames
from node.engine.effects import Signed
from node.engine.inputs import FrameReceived
from tests.crdt.store.logs import BOOT
from tests.sim.room import SECOND, perform, room, settle

NETWORK = network_id(SMALL)


class Recorder(MemoryStore):
    """A store that remembers how it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[Batch, bool]] = []

    def write(self, batch: Batch, sync: bool) -> None:
        self.written.append((tuple(batch), sync))
        super().write(batch, sync)


@dataclass(frozen=True)
class History:
    """The victim is the room's first node; `held` is what every node of the room has in the end."""

    written: list[tuple[Batch, bool]]
    held: Batch
    logs: dict[LogName, list[Entry]]
    forked: set[LogName]
    signed: Signed
    end_us: int


@functools.cache
def history(seconds: int = 30) -> History:
    """Three nodes of which two play, and a stranger who signs two entries at one number."""
    world, hosts = room(3)
    store = hosts[0].disk.store = Recorder()  # type: ignore[assignment]
    world.run_until(world.now_us + 2 * SECOND)
    perform(world, hosts[0], make(3, seconds * SECOND, 100_000))
    world.run_until(world.now_us + SECOND)
    end_us = perform(world, hosts[1], make(4, seconds * SECOND, 110_000), opens=False)
    placed = hosts[0].engine.current_session(world.now_us)
    assert placed is not None
    stranger, document = Identity(b"a stranger".ljust(32)), jam_document(placed.facts.id)
    body = functools.partial(first_body, NETWORK, document, LogKey(stranger.player, NO_NONCE))
    pair = [sign(stranger, NETWORK, body(payload)).raw for payload in (b"one", b"other")]
    hosts[0].give(FrameReceived(hosts[1].player, frames.pack(frames.Proof(*pair))))
    world.run_until(end_us)
    settle(world)
    held = list(store.scan(b""))
    logs: dict[LogName, list[Entry]] = {}
    for _, raw in store.scan(ENTRY):
        entry = open_entry(NETWORK, raw)
        logs.setdefault(LogName(entry.body.document, entry.log), []).append(entry)
    assert hosts[0].signed is not None
    assert len({bytes(host.engine.documents.total()) for host in hosts}) == 1
    forked = {LogName(document, LogKey(stranger.player, NO_NONCE))}
    return History(store.written, held, logs, forked, hosts[0].signed, world.now_us)


def left_behind(path: Path, template: Path, table: bool, clean: bool) -> None:
    """The victim's store, as its process left it: in the write-ahead log or in a table. `template` is made once."""
    made = template / f"{'table' if table else 'log'}-{'clean' if clean else 'killed'}"
    if not made.exists():
        store = open_verified(made, NETWORK, BOOT, NO_NONCE).store
        for batch, _ in history().written:
            store.write(batch, sync=False)
        close_clean(store) if clean else store.close()
        if table:
            LevelStore(made).close()
    shutil.copytree(made, path)
