"""One damaged file: what must be kept, what must come back from a peer, and what must never be signed again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from consensus.params import SMALL
from crdt.entry import Entry
from crdt.errors import Misuse, OperatingFailure
from crdt.store.keys import LogName
from crdt.store.recover import Opened, close_clean, open_verified
from node.engine.documents import Stored
from node.engine.effects import Signed
from node.engine.engine import Engine
from node.engine.inputs import OpenSession, Play, Played
from sim.world import Host, World
from tests.crdt.store.logs import BOOT, FRESH
from tests.sim.room import SECOND, identity, totals
from tests.soak.history import NETWORK, History, history, left_behind

BLOCK = 32_768  # of LevelDB's log format; each begins with a header of a record or of a part of one
HEADER = 7
Damage = Callable[[bytearray, Random], None]


def flip(data: bytearray, random: Random) -> None:
    """One bit."""
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def zero_tail(data: bytearray, random: Random) -> None:
    """The file has its size, but its end was never written."""
    start = random.randrange(len(data))
    data[start:] = bytes(len(data) - start)


DAMAGES: dict[str, tuple[Damage, bool]] = {
    "bit flip, log": (flip, False),
    "bit flip, table": (flip, True),
    "zeroed tail, log": (zero_tail, False),
    "zeroed tail, table": (zero_tail, True),
}


class Survivor(Host):
    """A node of the room whose store is the one that was opened."""

    def __init__(self, world: World, opened: Opened, signed: Signed) -> None:
        self._opened, self._recorded = opened, signed
        super().__init__(world, identity(1))

    def start(self) -> None:
        opened, self.disk.signed = self._opened, self._recorded
        self.disk.store = opened.store  # type: ignore[assignment]
        stored = Stored(opened.entries(), opened.proofs)
        self.engine = Engine(
            self.identity, SMALL, self.world.now_us, stored=stored, nonce=opened.nonce, signed=self._recorded
        )
        self.alive = True


def trial(directory: Path, template: Path, kind: str, seed: int) -> dict[str, int]:
    """One round. AssertionError where the promise is broken; otherwise what happened, counted."""
    past, path = history(), directory / "store"
    data, unharmed = harm(path, template, kind, seed)
    try:
        opened = open_verified(path, NETWORK, BOOT, FRESH)
    except OperatingFailure as failure:
        assert failure.what and failure.why and failure.remedy
        return {f"refused ({failure.what}: {failure.why[:80]})": 1}
    kept = check_kept(opened, past, intact(data, past, DAMAGES[kind][1]))
    assert unharmed or opened.recovery.damaged or kept == past_entries(past)
    refetch(opened, past)
    again = open_verified(path, NETWORK, BOOT, FRESH)
    assert not again.recovery.words() and not again.recovery.signatures_checked, again.recovery
    assert all(again.logs.get(name, [])[: len(log)] == log for name, log in past.logs.items())
    again.store.close()
    return {
        "noticed": int(opened.recovery.damaged),
        "kept": kept,
        "of": past_entries(past),
        "emptied": int(kept == 0),
        "fresh_nonce": int(opened.nonce == FRESH),
    }


def harm(path: Path, template: Path, kind: str, seed: int) -> tuple[bytes, bool]:
    """A store with one damaged file; that file's bytes, and whether the damage changed nothing after all."""
    damage, table = DAMAGES[kind]
    random = Random(f"{kind} {seed}")
    left_behind(path, template, table, clean=random.random() < 0.5)
    file = max(path.glob("*.ldb" if table else "*.log"), key=lambda found: found.stat().st_size)
    whole = file.read_bytes()
    data = bytearray(whole)
    damage(data, random)
    file.write_bytes(data)
    return bytes(data), bytes(data) == whole


def past_entries(past: History) -> int:
    """How many entries there were."""
    return sum(map(len, past.logs.values()))


def intact(data: bytes, past: History, table: bool) -> dict[LogName, int]:
    """For each log, how many of its first entries still lie in the file with all their bytes.

    A log file is read without the headers that stand inside entries at the edge of a block."""
    text = bytes(data) if table else b"".join(data[at + HEADER : at + BLOCK] for at in range(0, len(data), BLOCK))
    lengths = {}
    for name, log in past.logs.items():
        missing = (number for number, entry in enumerate(log) if entry.raw not in text)
        lengths[name] = next(missing, len(log))
    return lengths


def check_kept(opened: Opened, past: History, at_least: dict[LogName, int]) -> int:
    """Every log is a prefix of what was, and no shorter than what can still be read in the files."""
    assert set(opened.logs) <= set(past.logs) | past.forked
    for name, log in past.logs.items():
        kept = opened.logs.get(name, [])
        assert kept == log[: len(kept)]
        assert len(kept) >= at_least[name], f"{name.document}: {len(kept)} kept, {at_least[name]} can be read"
    return opened.recovery.entries


def refetch(opened: Opened, past: History) -> None:
    """The damaged node meets a healthy one: it gets everything back, goes on writing, and contradicts nothing."""
    world = World(SMALL, 1, past.end_us + SECOND)
    survivor = Survivor(world, opened, past.signed)
    world.hosts[survivor.player] = survivor
    healthy = world.add(identity(2))
    healthy.store.write(past.held, sync=True)
    healthy.kill()
    healthy.start()
    world.after(0, lambda: world._tick(survivor))
    with suppress(Misuse):  # alone, it may have something to say already, or be too wise to
        survivor.give(OpenSession("alone", 100_000, 4, 4))
    world.run_until(world.now_us + SECOND)
    world.link(survivor.player, healthy.player)
    world.run_until(world.now_us + 6 * SECOND)
    assert survivor.engine.may_sign(world.now_us)
    survivor.give(OpenSession("after the damage", 100_000, 4, 4))
    for number in range(5):
        world.run_until(world.now_us + SECOND // 5)
        survivor.give(Play((Played(world.now_us, 0, 1, 60, 90 + number),)))
    world.run_until(world.now_us + 3 * SECOND)
    assert len(totals([survivor, healthy])) == 1
    for host in (survivor, healthy):
        proven = {proof.first.body.author for proof in host.engine.documents.equivocations()}
        assert proven and not proven & {survivor.player, healthy.player}
    check_everything(healthy, past)
    check_everything(survivor, past)
    survivor.alive = False
    close_clean(opened.store)


def check_everything(host: Host, past: History) -> None:
    """Nothing of the past is missing."""
    for name, log in past.logs.items():
        entries: list[Entry] = host.engine.documents.replicas[name.document].logs[name.log].entries
        assert entries[: len(log)] == log
