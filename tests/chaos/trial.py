"""One run: nodes start, everybody plays, faults come and go, all is healed, and then everything is counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pycrdt import Array, Doc

from consensus.events import Kind as What
from crdt.entry import Entry, open_entry
from crdt.types import NetworkId, PlayerId
from tests.chaos.actor import Actor
from tests.chaos.load import Meter
from tests.chaos.place import Place
from tests.chaos.schedule import Fault, Kind
from tests.chaos.tags import Tagged, held, judge
from tests.chaos.writer import Writer

HEALED_S = 5.0  # the bound of issue 3
PATIENCE_S = 60.0  # waited all the same, to tell slow from never
LOOK_EVERY_S = 2.0
_POLL_S = 0.25  # asking eight nodes costs each of them a hundredth of a core a second


class Wish(NamedTuple):
    """What kind of run."""

    nodes: int
    seconds: int
    preset: str
    rate: float  # events a second and node
    players: int  # of the nodes' writers, how many play notes, of which blocks are made; the others turn knobs

    def replay(self, seed: int) -> str:
        """The command for the same again."""
        options = " ".join(f"{name.upper()}={value}" for name, value in self._asdict().items())
        return f"make soak-nodes SEED={seed} RUNS=1 {options}"


@dataclass
class Result:
    """What a run came to; empty lists are good."""

    seed: int
    wish: Wish
    faults: dict[str, int]
    lives: int  # processes that ran
    sent: int = 0
    acknowledged: int = 0
    entries: int = 0  # of jam documents, on every node
    healed_s: float | None = None  # from the last healing act until all said the same; None: never
    answered_s: float | None = None  # of that, until all answered again: processes that were started last had to begin
    missing: dict[str, list[int]] = field(default_factory=dict)  # by node, numbers of events
    doubled: dict[str, list[int]] = field(default_factory=dict)
    foreign: dict[str, list[int]] = field(default_factory=dict)
    cores: tuple[float, float] = (0.0, 0.0)  # in use on average: by this run, by others on this machine
    wrong: list[str] = field(default_factory=list)  # refusals, exceptions, equivocations, words in logs

    @property
    def fine(self) -> bool:
        """Whether it was as issue 3 demands."""
        lost = self.missing or self.doubled or self.foreign or self.wrong
        return not lost and self.healed_s is not None and self.healed_s <= HEALED_S

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"schema": "symjam.soak-run/1", "fine": self.fine, **asdict(self), "wish": self.wish._asdict()}

    def words(self) -> str:
        """For people."""
        own, others = self.cores
        faults = ", ".join(f"{count} {name}" for name, count in sorted(self.faults.items()))
        healed = "never the same everywhere" if self.healed_s is None else f"the same everywhere {self.healed_s:.2f} s"
        counts = [sum(map(len, part.values())) for part in (self.missing, self.doubled, self.foreign)]
        head = f"seed {self.seed}: {'fine' if self.fine else 'FAILED'}: {self.acknowledged} events acknowledged"
        tail = f"missing {counts[0]}, doubled {counts[1]}, foreign {counts[2]}, {healed} after healing ({faults})"
        used = f"all answered {self.answered_s} s after healing; cores in use: {own} by this, {others} by others"
        return "\n  ".join([f"{head}, {tail}", used, *self.wrong])


class Trial:
    """The nodes, their players and what befalls them."""

    def __init__(self, place: Place, root: Path, seed: int, wish: Wish, faults: list[Fault]) -> None:
        room = f"soak-{root.name}"
        self._place = place
        self._nodes = [Actor(i, seat, root / f"node{i}", room, wish.preset) for i, seat in enumerate(place.seats)]
        self._writers = [
            Writer(n.data_dir, f"{seed}/{n.number}", wish.rate, What.NOTE_ON if i < wish.players else What.CONTROL)
            for i, n in enumerate(self._nodes)
        ]
        self._faults = faults
        self._seconds = wish.seconds
        self._opened: dict[bytes, Entry] = {}
        kinds = Counter(str(fault.kind) for fault in self._faults)
        self.result = Result(seed, wish, dict(kinds), 0)

    def run(self) -> Result:
        """All of it. The processes are ended whatever happens."""
        meter = Meter()
        with ExitStack() as ending:
            for node in self._nodes:
                ending.callback(node.stop)
                node.begin()
            for node in self._nodes:
                node.await_ready()
            threads = [node.seat.thread(w.run) for node, w in zip(self._nodes, self._writers, strict=True)]
            self._suffer()
            healed_at = time.monotonic()
            for writer in self._writers:
                writer.stop()
            self._await_same(healed_at)
            for thread in threads:
                thread.join(PATIENCE_S)
            self._count()
        self.result.cores = meter.read()
        self._listen()
        return self.result

    # faults

    def _suffer(self) -> None:
        began = time.monotonic()
        acts: list[tuple[int, int, Callable[[], None]]] = []
        for fault in self._faults:
            acts.append((fault.at_ms, 1, lambda f=fault: self._begin(f)))  # type: ignore[misc]
            acts.append((fault.ends_ms, 0, lambda f=fault: self._undo(f)))  # type: ignore[misc]
        acts.append((self._seconds * 1_000, 2, lambda: None))
        for at_ms, _, act in sorted(acts, key=lambda act: act[:2]):
            while (wait_s := began + at_ms / 1_000 - time.monotonic()) > 0:
                self._look()
                time.sleep(min(wait_s, LOOK_EVERY_S))
            act()

    def _begin(self, fault: Fault) -> None:
        for number in fault.nodes:
            node = self._nodes[number]
            match fault.kind:
                case Kind.KILL:
                    node.kill()
                case Kind.RESTART:
                    node.stop()
                case Kind.FREEZE:
                    node.freeze()
                case Kind.CUT:
                    self._place.cut(number)
                case Kind.SPLIT:
                    self._place.move(number, other_switch=True)

    def _undo(self, fault: Fault) -> None:
        for number in fault.nodes:
            node = self._nodes[number]
            match fault.kind:
                case Kind.KILL | Kind.RESTART:
                    node.begin()
                case Kind.FREEZE:
                    node.thaw()
                case Kind.CUT:
                    self._place.mend(number)
                case Kind.SPLIT:
                    self._place.move(number, other_switch=False)

    # looking

    def _look(self) -> None:
        """Have every node that can answer say what it refused: a kill takes the counters with it."""
        wait([node.asked() for node in self._nodes if node.is_alive and not node.frozen], timeout=0.5)

    def _await_same(self, healed_at: float) -> None:
        while time.monotonic() - healed_at < PATIENCE_S:
            asked = [node.asked() for node in self._nodes]
            states = [one.result() for one in asked]
            at = time.monotonic()
            if self.result.answered_s is None and None not in states:
                self.result.answered_s = round(at - healed_at, 3)
            seen = {(s["total"], s["ledger"]["root"]) if s else None for s in states}
            if len(seen) == 1 and None not in seen and not any(writer.busy for writer in self._writers):
                self.result.healed_s = round(at - healed_at, 3)
                return
            time.sleep(_POLL_S)
        self.result.wrong += [f"node {n}: {_state(s)}" for n, s in enumerate(states)]

    def _count(self) -> None:
        """Every acknowledged event on every node, read as any Yjs client reads it."""
        result = self.result
        own = {_player(n): w.acknowledged for n, w in zip(self._nodes, self._writers, strict=True)}
        sent = {_player(n): w.sent for n, w in zip(self._nodes, self._writers, strict=True)}
        result.sent, result.acknowledged = (sum(map(len, of.values())) for of in (sent, own))
        for node in self._nodes:
            status = node.status()
            if status is None:
                result.wrong.append(f"node {node.number} does not answer")
                continue
            names = [d["name"] for d in status["documents"] if d["name"].startswith("jam/")]
            entries = [e for name in names for e in self._entries(status["network"], node.document(name))]
            verdict = judge(own, sent, held(entries))
            result.entries = len(entries)
            for part in ("missing", "doubled", "foreign"):
                tags: tuple[Tagged, ...] = getattr(verdict, part)
                if tags:
                    getattr(result, part)[f"node {node.number}"] = [tag.number for tag in tags]

    def _entries(self, network: str, update: bytes) -> list[Entry]:
        doc: Doc[Array[bytes]] = Doc()
        doc.apply_update(update)
        raws = [bytes(raw) for root in list(doc.keys()) for raw in doc.get(root, type=Array)]
        for raw in raws:
            if raw not in self._opened:
                self._opened[raw] = open_entry(NetworkId(bytes.fromhex(network)), raw)
        return [self._opened[raw] for raw in raws]

    def _listen(self) -> None:
        """What the nodes and their writers complained of."""
        result = self.result
        result.lives = sum(node.lives for node in self._nodes)
        for node, writer in zip(self._nodes, self._writers, strict=True):
            result.wrong += [f"node {node.number}, life {life}: {found}" for life, found in node.wrong.items()]
            result.wrong += [f"node {node.number} wrote: {line}" for line in node.words()[:5]]
            result.wrong += [f"node {node.number} refused to be played: {why}" for why in writer.refused[:3]]


def _player(node: Actor) -> PlayerId:
    return PlayerId(bytes.fromhex(node.player))


def _state(status: dict[str, Any] | None) -> str:
    if status is None:
        return "no answer"
    peers = [f"{p['player'][:4]}{'=' if p['synced'] else '!'}" for p in status["peers"]]
    return f"total {status['total'][:8]}, root {status['ledger']['root'][:8]}, peers {' '.join(peers)}"
