"""Eight nodes writing while they are killed, frozen, restarted and cut off, in the virtual room: the soak of
`make soak-nodes` (tests/chaos) with the same schedules, thousands of times cheaper. The same seed gives the same run.

    python -m tests.sim.chaos --seed 7 --runs 100      prints what each run came to
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from consensus.events import Event
from crdt.entry import Entry
from crdt.errors import Reason
from crdt.types import PlayerId, jam_session
from node.engine.effects import Heard
from node.engine.inputs import Play, Played
from sim import crypto
from sim.world import Host, World
from tests.chaos.schedule import CABLE, Fault, Kind, plan
from tests.chaos.tags import Verdict, held, judge, note, number_of
from tests.sim.room import SECOND, room, roots, totals

NODES, SECONDS = 8, 20
EVENTS_PER_S = 2
HEALED_S = 5  # the bound of issue 3
_STEP_US = 100_000
_NOTICED_US = 2_000_000  # a dead link, by the watchdog
_MILLI = 1_000


class Report(NamedTuple):
    """What a run came to."""

    seed: int
    faults: int
    acknowledged: int
    healed_us: int | None  # from the end of the last fault until all held the same; None: not within the bound
    verdicts: tuple[Verdict, ...]  # one per node
    proofs: int  # of equivocations that nobody committed
    refused: dict[Reason, int]
    ready: int  # nodes that may write to the ledger

    @property
    def fine(self) -> bool:
        """Whether nothing was lost, and nobody blamed."""
        same = self.healed_us is not None and all(verdict.fine for verdict in self.verdicts)
        return same and not self.proofs and not self.refused and self.ready == len(self.verdicts)

    def words(self) -> str:
        """The report on one line, with what is wrong in full."""
        healed = f"the same everywhere {self.healed_us // _MILLI} ms" if self.healed_us else "not the same"
        wrong = [f"node {n}: {v}" for n, v in enumerate(self.verdicts) if not v.fine]
        wrong += [f"{self.proofs} equivocations"] if self.proofs else []
        wrong += [f"refused: {self.refused}"] if self.refused else []
        wrong += [f"only {self.ready} may sign"] if self.ready < len(self.verdicts) else []
        counts = f"{self.faults} faults, {self.acknowledged} events acknowledged, {healed} after healing"
        return f"seed {self.seed}: {'fine' if self.fine else 'FAILED'}: {'; '.join([counts, *wrong])}"


class Chaos:
    """One run."""

    def __init__(self, seed: int, nodes: int = NODES, seconds: int = SECONDS) -> None:
        self.seed = seed
        self.faults = plan(seed, nodes, seconds)
        self.world: World
        self.world, self.hosts = room(nodes, seed)
        self._chance = Random(seed)
        self._start_us = self.world.now_us
        self._end_us = self._start_us + seconds * SECOND
        self._segment = dict.fromkeys(range(nodes), 0)
        self._apart_since: dict[tuple[int, int], int] = {}
        self._sent: dict[PlayerId, set[int]] = defaultdict(set)

    def run(self) -> Report:
        """Faults and music, then healing, then the count."""
        for fault in self.faults:
            self.world.after(fault.at_ms * _MILLI, lambda f=fault: self._begin(f))
            self.world.after(fault.ends_ms * _MILLI, lambda f=fault: self._undo(f))
        for host in self.hosts:
            self._play_later(host, 0)
        self._step()
        self.world.run_until(self._end_us)
        healed_us = self._heal()
        own = {host.player: self._acknowledged(host) for host in self.hosts}
        refused = Counter(reason for host in self.hosts for reason in host.engine.refused.elements())
        del refused[Reason.GAP]  # nobody's fault: what was missed is fetched
        return Report(
            self.seed,
            len(self.faults),
            sum(map(len, own.values())),
            healed_us,
            tuple(judge(own, self._sent, held(_jam_entries(host))) for host in self.hosts),
            sum(len(host.engine.documents.equivocations()) for host in self.hosts),
            dict(refused),
            sum(host.engine.may_sign(self.world.now_us) for host in self.hosts),
        )

    def _heal(self) -> int | None:
        """Let time pass until all hold the same; how long that took."""
        while self.world.now_us < self._end_us + HEALED_S * SECOND:
            self.world.run_until(self.world.now_us + _STEP_US)
            if len(totals(self.hosts)) == len(roots(self.hosts)) == 1:
                return self.world.now_us - self._end_us
        return None

    # music

    def _play_later(self, host: Host, number: int) -> None:
        wait_us = int(self._chance.expovariate(EVENTS_PER_S) * SECOND) + 1
        if self.world.now_us + wait_us < self._end_us:
            self.world.after(wait_us, lambda: self._play(host, number))

    def _play(self, host: Host, number: int) -> None:
        if host.alive:
            self._sent[host.player].add(number)
            host.give(Play((Played(self.world.now_us, *note(number)),)))
        self._play_later(host, number + 1)

    def _acknowledged(self, host: Host) -> set[int]:
        """What the node told its own player to have been saved."""
        heard = [told for told in host.told if isinstance(told, Heard) and told.player == host.player]
        return {_number(event) for told in heard for event in told.events}

    # faults

    def _begin(self, fault: Fault) -> None:
        for node in fault.nodes:
            match fault.kind:
                case Kind.KILL | Kind.RESTART:
                    self.hosts[node].kill()
                case Kind.FREEZE:
                    self.hosts[node].freeze()
                case Kind.CUT:
                    self._segment[node] = 2 + node
                case Kind.SPLIT:
                    self._segment[node] = 1

    def _undo(self, fault: Fault) -> None:
        for node in fault.nodes:
            if fault.kind in CABLE:
                self._segment[node] = 0
            elif fault.kind is Kind.FREEZE:
                self.hosts[node].thaw()
            else:
                self.hosts[node].start()

    def _step(self) -> None:
        """What cables, watchdogs and diallers do."""
        for pair in itertools.combinations(range(len(self.hosts)), 2):
            one, other = (self.hosts[node] for node in pair)
            is_cut = self._segment[pair[0]] != self._segment[pair[1]]
            mend_or_cut = self.world.cut if is_cut else self.world.mend
            mend_or_cut(one.player, other.player)
            if not is_cut and one.alive and other.alive and not one.frozen and not other.frozen:
                self._apart_since.pop(pair, None)
                if self._chance.random() < 0.3:
                    self.world.link(one.player, other.player)
            elif self.world.now_us - self._apart_since.setdefault(pair, self.world.now_us) > _NOTICED_US:
                self.world.unlink(one.player, other.player)
        self.world.after(_STEP_US, self._step)


def _jam_entries(host: Host) -> Iterator[Entry]:
    for name, replica in host.engine.documents.replicas.items():
        if jam_session(name) is not None:
            for log in replica.logs.values():
                yield from log.entries


def _number(event: Event) -> int:
    return number_of(event.lane, event.pitch, event.velocity)


def replay(seed: int) -> str:
    """The command that runs one seed again."""
    return f"python -m tests.sim.chaos --seed {seed}"


def main() -> int:
    """Run seeds and print what came of each."""
    parser = argparse.ArgumentParser(description="faults in the virtual room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1)
    wish = parser.parse_args()
    failed = 0
    for seed in range(wish.seed, wish.seed + wish.runs):
        with crypto.shared():
            report = Chaos(seed).run()
        print(report.words(), flush=True)
        if not report.fine:
            failed += 1
            print(f"again: {replay(seed)}", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
