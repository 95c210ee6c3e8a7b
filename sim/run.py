"""A scenario in `network` fidelity: people at engines in a world, to a `Result`.

While the scenario lasts, people play and faults come and go. Then nobody plays any more: within `settle_s` all honest
nodes have to hold the same, and what was proposed gets its verdicts. Nothing that the machine decides (wall time,
memory) is in the trace, or in any figure but those of `sim.figures.MACHINE`.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from itertools import combinations
from random import Random
from typing import Final, NamedTuple, TextIO

import msgspec

from crdt.errors import Misuse
from crdt.keys import Identity
from node.engine.inputs import OpenSession
from sim import crypto
from sim.case import Case, identity, result_of
from sim.checks import RAISES, Checks, apart
from sim.checks.healed import decision_us
from sim.collector import collecting_rarely
from sim.economy.plan import Plan
from sim.economy.run import run_economy
from sim.figures import Cost, at_end, resident_bytes
from sim.host import Host
from sim.people.cast import cast
from sim.people.options import Honest
from sim.people.seat import Seat
from sim.result import Broken, Number, Result
from sim.scenario import Scenario
from sim.setup import LEAD_US, Expected, Setup
from sim.trace import Trace
from sim.trouble import Cables, Mesh, Trouble, neighbours
from sim.world import World

FROM_US: Final = 1_790_000_000_000_000  # runs begin with the first epoch after it
STEP_US: Final = 250_000
QUIET_SHARE: Final = 6  # tenths of a window after which nothing is due


class Progress(NamedTuple):
    """How far a run is."""

    done_us: int
    of_us: int
    deliveries: int
    broken: int  # laws, so far


class Enough(Exception):
    """Raised by whoever is told of a run's progress, to end it there."""


Tell = Callable[[Progress], None]


def _nothing(_: Progress) -> None:
    """Nobody wants to know."""


def run(scenario: Scenario, seed: int, file: TextIO | None = None, tell: Tell = _nothing) -> Result:
    """One run, in the scenario's fidelity; its trace goes to `file`, too."""
    with collecting_rarely():
        result = _result(scenario, seed, file, tell)
    return msgspec.structs.replace(result, replay=replay(scenario, seed), settings=dict(scenario.settings))


def _result(scenario: Scenario, seed: int, file: TextIO | None, tell: Tell) -> Result:
    if isinstance(scenario.setup, Plan):
        if file is not None:
            raise Misuse(f"{scenario.name} has no trace: in an economy no node is given anything")
        return run_economy(scenario.setup, seed)
    if isinstance(scenario.setup, Case):
        return result_of(msgspec.structs.replace(scenario.setup, seed=seed), file)
    with crypto.using(scenario.setup.signatures) as tally:
        return Stage(scenario.setup, scenario.name, seed, file, tell).run(tally)


def replay(scenario: Scenario, seed: int) -> str:
    """The command that runs exactly this again: a file of the user's by the path that was given, whatever is in it."""
    sets = [word for place, value in scenario.settings.items() for word in ("--set", f"{place}={_word(value)}")]
    return shlex.join(["symjam", "sim", "run", scenario.place, "--seed", str(seed), *sets])


def _word(value: Number | str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Stage:
    """A world with everybody in it."""

    def __init__(self, setup: Setup, name: str, seed: int, file: TextIO | None, tell: Tell) -> None:
        self.setup, self.name, self.seed = setup, name, seed
        self._tell, self._resident = tell, resident_bytes()
        self._began, self._worked = time.perf_counter(), time.process_time()
        identities = [identity(seed, number) for number in range(setup.nodes)]
        players = [one.player for one in identities]
        self.params = params = setup.params(tuple(sorted(players[: setup.founders])))
        epoch_us = params.window_us * params.epoch_windows
        first_us = -(-FROM_US // epoch_us) * epoch_us
        self.start_us, self.end_us = first_us - LEAD_US, first_us + setup.windows * params.window_us
        self.first = params.window_at(first_us)
        self.trace = Trace(self.start_us, file)
        mesh = setup.mesh
        self.world = world = World(
            params,
            seed,
            self.start_us,
            line=mesh.line,
            gossip=mesh.gossip,
            tick_us=setup.tick_ms * 1_000,
            trace=self.trace,
        )
        kinds = [table for table in setup.people for _ in range(table.count)]
        honest = {player for player, kind in zip(players, kinds, strict=True) if isinstance(kind, Honest)}
        since = params.epoch_of(params.window_at(self.start_us))
        self.checks = Checks(params, honest, since, lambda: world.now_us - self.start_us)
        world.watch = self.checks if setup.checks else None
        self.hosts = [self._host(one) for one in identities]
        self.honest = [host for host in self.hosts if host.player in honest]
        self.strategies = [str(kind.__struct_config__.tag) for kind in kinds]
        self.faults = setup.plan(seed)
        cables = Cables(world, self.hosts)
        pairs = neighbours(setup.nodes, mesh.links, Random(f"mesh {seed}")) if mesh.links else None
        self.mesh = Mesh(world, self.hosts, pairs or tuple(combinations(range(setup.nodes), 2)), cables)
        self.trouble = Trouble(world, self.hosts, self.faults, cables)
        self.policies = cast(seed, setup.people, players, self.first)

    def run(self, tally: crypto.Tally) -> Result:
        """All of it."""
        converged_us, expected = None, self.setup.expected
        try:
            self._begin()
            self._until(self.end_us - 1, self.params.window_us // 2)
            self._hush()
            self.world.run_until(self.end_us)
            converged_us = self._converge()
            self._decide()
        except RAISES as error:
            self.checks.raised(error)
        except Enough:
            expected = ()
        wall_s, cpu_s = time.perf_counter() - self._began, time.process_time() - self._worked
        cost = Cost(wall_s, cpu_s, resident_bytes() - self._resident)
        figures, series = at_end(self, tally, cost, converged_us)
        setup = self.setup
        return Result(
            self.name,
            "network",
            setup.signatures,
            self.seed,
            setup.nodes,
            setup.windows,
            figures,
            series,
            (
                *self.checks.broken,
                *(self._missed(figures, wanted) for wanted in expected if not _met(figures, wanted)),
            ),
            fingerprint=self.trace.fingerprint(),
        )

    def _host(self, who: Identity) -> Host:
        clocks, chance = self.setup.clocks, Random(f"clock {self.seed} {len(self.world.hosts)}")
        offset_us = chance.randint(-clocks.offset_ms, clocks.offset_ms) * 1_000
        clock = self.world.clock(offset_us, chance.randint(-clocks.drift_ppm, clocks.drift_ppm))
        host = self.world.add(who, clock=clock)
        host.tell = _forget
        return host

    def _begin(self) -> None:
        self.trouble.begin()
        self.mesh.begin()
        opens = OpenSession(self.name, self.setup.tempo_bpm * 1_000, 4, 4)
        self.world.after(LEAD_US // 2, self.hosts[0].attempt, opens)
        for host, policy in zip(self.hosts, self.policies, strict=True):
            Seat(self.world, host, policy, opens if host.number == 0 else None, self.setup.handful_ms * 1_000)

    def _until(self, until_us: int, look_us: int) -> None:
        """Let time pass, looking at what must never be seen every so often."""
        while self.world.now_us < until_us:
            self.world.run_until(min(until_us, self.world.now_us + look_us))
            if self.setup.checks:
                self.checks.look([host for host in self.honest if host.alive])
            all_us = self.end_us - self.start_us + decision_us(self.params)
            done_us, deliveries = self.world.now_us - self.start_us, self.world.network.deliveries
            self._tell(Progress(done_us, all_us, deliveries, len(self.checks.broken)))

    def _hush(self) -> None:
        """Nobody plays from now on, and no flood goes on."""
        for policy in self.policies:
            policy.rest()

    def _converge(self) -> int | None:
        """How long until all hold the same; None: not within the bound."""
        began_us = self.world.now_us
        while self.world.now_us < began_us + self.setup.settle_s * 1_000_000:
            self._until(self.world.now_us + STEP_US, STEP_US)
            if not apart(self.honest):
                return self.world.now_us - began_us
        self.checks.must_heal(apart(self.honest))
        return None

    def _decide(self) -> None:
        """Until what was proposed has its verdicts, and to a moment at which nothing is due."""
        until_us, window_us = self.end_us + decision_us(self.params), self.params.window_us
        at_us = until_us // window_us * window_us + window_us * QUIET_SHARE // 10
        self._until(at_us if at_us >= until_us else at_us + window_us, window_us // 2)
        self.checks.must_heal(apart(self.honest))

    def _missed(self, figures: dict[str, Number], wanted: Expected) -> Broken:
        bounds = [
            f"{word} {bound:g}" for word, bound in (("least", wanted.least), ("most", wanted.most)) if bound is not None
        ]
        words = (
            f"{wanted.figure} is {figures.get(wanted.figure, 'missing')}, and should be at {' and at '.join(bounds)}"
        )
        return Broken("expected", self.world.now_us - self.start_us, words)


def _met(figures: dict[str, Number], wanted: Expected) -> bool:
    value = figures.get(wanted.figure)
    if value is None:
        return False
    return (wanted.least is None or value >= wanted.least) and (wanted.most is None or value <= wanted.most)


def _forget(_: object) -> None:
    """What nodes tell their users, nobody hears."""
