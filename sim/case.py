"""One random scenario: a mesh, people, faults, and then a time to heal. All of it follows from a `Case`.

While faults last (`seconds`), what must never be seen is looked for (sim/checks/laws.py). Then all faults are over:
within `HEAL_US` all honest nodes have to hold the same and be allowed to sign (a clock that ran ahead may have to be
waited for), and then to decide on what is played in one more window.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Annotated, Final, TextIO

import msgspec
from msgspec import Meta

from consensus.params import PRESETS, Params
from crdt.canonical import digest
from crdt.errors import Misuse
from crdt.keys import Identity
from crdt.types import Window
from node.engine.inputs import OpenSession
from sim import crypto
from sim.checks import RAISES, Checks, apart, undecided
from sim.checks.healed import decision_us
from sim.faults import CLOCK, Fault, parse_kinds, plan
from sim.people.cast import cast
from sim.people.options import STRATEGIES, Honest, People
from sim.people.player import Habits
from sim.people.seat import Seat
from sim.result import Broken, Result
from sim.trace import Trace
from sim.trouble import Cables, Mesh, Trouble, neighbours
from sim.world import World

NAME: Final = "soak"
TITLE: Final = "Random scenarios with every fault"
ABOUT: Final = (
    "A mesh in which processes die, machines lose power, disks fail, cables are cut, the network splits, clocks jump,"
    " all drawn from the seed; then everything heals, and all nodes have to become one. What `symjam sim soak` runs."
)
START_US: Final = 1_790_000_000_000_000
HEAL_US: Final = 30_000_000
JUMP_MAX_US: Final = 180_000_000  # see sim/faults.py
STEP_US: Final = 500_000
LOOKS_PER_WINDOW: Final = 10
HANDFUL_US: Final = 1_000_000  # notes of a second in one entry
DRIFT_MAX_PPM: Final = 100
FRIENDS: Final = 3
HOSTILE: Final = ("equivocator", "flooder", "withholder", "lazy", "refuser")

Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is run. Faults are drawn from the seed; `left_out` names those of them, by number, that do not happen."""

    seed: Annotated[int, Meta(ge=0)]
    nodes: Annotated[int, Meta(ge=1, le=1_000)] = 16
    seconds: Count = 3_600
    preset: str = "main"
    players: Count = 3  # of the nodes, how many are played at
    share: Annotated[float, Meta(ge=0, le=1)] = 0.3  # of the windows in which they play
    notes_per_s: Annotated[float, Meta(gt=0, le=20)] = 1.0
    links: Annotated[int, Meta(ge=2, le=64)] = 4  # of a node, about
    founders: Count = 0
    hostile: str = ""  # strategies (sim/people/options.py) of the last nodes, with commas
    faults: str = "all"  # kinds (sim/faults.py), with commas
    intensity: Annotated[float, Meta(ge=0, le=100)] = 1.0
    left_out: str = ""  # numbers, with commas
    tick_ms: Annotated[int, Meta(ge=10, le=10_000)] = 1_000

    @property
    def windows(self) -> int:
        """How long it is without the time to heal."""
        return -(-self.seconds // PRESETS[self.preset].window_s)

    def start_us(self) -> int:
        """When it begins: somewhere in an epoch."""
        params = PRESETS[self.preset]
        return START_US + Random(f"start {self.seed}").randrange(params.epoch_windows) * params.window_us

    def params(self) -> Params:
        """Its rules."""
        founders = sorted(identity(self.seed, number).player for number in range(min(self.founders, self.nodes)))
        return msgspec.structs.replace(PRESETS[self.preset], founders=tuple(founders))

    def plan(self) -> tuple[Fault, ...]:
        """What goes wrong in it. Windows of ten seconds want shorter faults than those of two minutes."""
        scale = PRESETS[self.preset].window_s / PRESETS["main"].window_s
        drawn = plan(self.seed, self.nodes, self.seconds, parse_kinds(self.faults), self.intensity, scale)
        left_out = set(numbers_in(self.left_out))
        return tuple(fault for number, fault in enumerate(drawn) if number not in left_out)

    def settings(self) -> dict[str, int | float | str]:
        """What is not as it would be without being asked for."""
        plain = msgspec.structs.asdict(Case(self.seed))
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value != plain[name]}

    def replay(self) -> str:
        """The command that runs exactly this again."""
        sets = "".join(f" --set {name}={value}" for name, value in self.settings().items())
        return f"symjam sim run soak --seed {self.seed}{sets}"


def case_of(seed: int, settings: Mapping[str, int | float | str | bool]) -> Case:
    """A case with these settings. Misuse for what it does not have."""
    try:
        # one fault left out is a number to whoever reads the words of a command
        told = {name: str(value) if name == "left_out" else value for name, value in settings.items()}
        case = msgspec.convert({"seed": seed, **told}, Case)
    except msgspec.ValidationError as error:
        raise Misuse(f"soak: {error}") from None
    if case.preset not in PRESETS:
        raise Misuse(f"no preset {case.preset!r}; there are {', '.join(PRESETS)}")
    unknown = sorted(set(words_in(case.hostile)) - set(HOSTILE))
    if unknown:
        raise Misuse(f"soak: nobody hostile is {', '.join(unknown)}; there are {', '.join(HOSTILE)}")
    parse_kinds(case.faults)
    numbers_in(case.left_out)
    return case


def words_in(words: str) -> list[str]:
    """What stands between commas."""
    return [word.strip() for word in words.split(",") if word.strip()]


def numbers_in(words: str) -> list[int]:
    """The same as numbers."""
    try:
        return [int(word) for word in words_in(words)]
    except ValueError:
        raise Misuse(f"{words!r} is no list of numbers") from None


class Outcome(msgspec.Struct, frozen=True):
    """What a case came to."""

    case: Case
    broken: tuple[Broken, ...]
    figures: dict[str, int]
    fingerprint: str = ""  # of all inputs, if they were traced


def identity(seed: int, number: int) -> Identity:
    """A player of a case."""
    return Identity(digest(b"symjam-sim-key", seed.to_bytes(8, "big"), number.to_bytes(8, "big")))


def result_of(case: Case, file: TextIO | None = None) -> Result:
    """Run a case, traced, with signatures that are verified once for all nodes."""
    with crypto.shared():
        outcome = Run(case, Trace(case.start_us(), file)).run()
    return Result(
        scenario=NAME,
        fidelity="network",
        signatures="shared",
        seed=case.seed,
        nodes=case.nodes,
        windows=case.windows,
        figures=dict(outcome.figures),
        broken=outcome.broken,
        fingerprint=outcome.fingerprint,
    )


class Run:
    """A case under way."""

    def __init__(self, case: Case, trace: Trace | None = None) -> None:
        self.case, self.trace = case, trace
        chance = Random(f"case {case.seed}")
        params = case.params()
        self.start_us = case.start_us()
        self.world = World(params, case.seed, self.start_us, tick_us=case.tick_ms * 1_000, trace=trace)
        self.first = params.window_at(self.start_us)
        identities = [identity(case.seed, number) for number in range(case.nodes)]
        kinds = self._people()
        honest = [one.player for one, kind in zip(identities, kinds, strict=True) if isinstance(kind, Honest)]
        self.checks = Checks(params, honest, params.epoch_of(self.first), lambda: self.world.now_us - self.start_us)
        self.world.watch = self.checks
        clocks = [self.world.clock(drift_ppm=chance.randint(-DRIFT_MAX_PPM, DRIFT_MAX_PPM)) for _ in identities]
        self.hosts = [self.world.add(one, clock=clock) for one, clock in zip(identities, clocks, strict=True)]
        self.honest = [host for host in self.hosts if host.player in set(honest)]
        self.faults = case.plan()
        self.cables = Cables(self.world, self.hosts)
        pairs = neighbours(case.nodes, case.links, chance)
        self.mesh = Mesh(self.world, self.hosts, pairs, self.cables)
        self.trouble = Trouble(self.world, self.hosts, self.faults, self.cables)
        self.policies = cast(case.seed, kinds, [one.player for one in identities], self.first)
        self.healed_us: int | None = None

    def _people(self) -> list[People]:
        """One table for each node: those who play, those who listen, and the hostile ones."""
        case = self.case
        hostile = words_in(case.hostile)[: case.nodes - 1]
        calm = case.nodes - len(hostile)
        plays = Habits(notes_per_s=case.notes_per_s, share=case.share)
        friends = min(FRIENDS, calm - 1) if case.founders else 0
        honest: list[People] = [
            Honest(habits=plays if number < case.players else Habits(share=0.0), friends=friends)
            for number in range(calm)
        ]
        return honest + [STRATEGIES[name](habits=plays) for name in hostile]

    def run(self) -> Outcome:
        """All of it, until something is broken."""
        try:
            self._begin()
            self._until(self.start_us + self.case.seconds * 1_000_000)
            if not self.checks.broken:
                self._heal()
        except RAISES as error:
            self.checks.raised(error)
        return Outcome(
            self.case,
            tuple(self.checks.broken),
            self._figures(),
            "" if self.trace is None else self.trace.fingerprint(),
        )

    def _begin(self) -> None:
        self.trouble.begin()
        self.mesh.begin()
        opens = OpenSession(f"case {self.case.seed}", 100_000, 4, 4)
        for host, policy in zip(self.hosts, self.policies, strict=True):
            Seat(self.world, host, policy, opens if host.number < self.case.players else None, HANDFUL_US)

    def _until(self, until_us: int) -> None:
        every_us = self.world.params.window_us // LOOKS_PER_WINDOW
        while self.world.now_us < until_us and not self.checks.broken:
            self.world.run_until(min(until_us, self.world.now_us + every_us))
            self.checks.look([host for host in self.honest if host.alive])

    # healing

    def _heal(self) -> None:
        began_us, params = self.world.now_us, self.world.params
        self._play(0.0)
        jump_us = JUMP_MAX_US * params.window_s // PRESETS["main"].window_s
        self._together(HEAL_US + (jump_us if parse_kinds(self.case.faults) & set(CLOCK) else 0))
        self.healed_us = self.world.now_us - began_us
        if self.checks.broken:
            return
        window = Window(params.window_at(self.world.now_us) + 1)
        self._play(1.0)
        end_us = params.window_start_us(Window(window + 1))
        self._until(end_us - STEP_US)
        self._play(0.0)
        self._until(end_us + params.vote_delay_ms * 1_000)
        while self._waits(window) and self.world.now_us < end_us + decision_us(params) and not self.checks.broken:
            self._until(self.world.now_us + STEP_US)
        self.checks.must_heal(self._waits(window))
        self._together(HEAL_US)
        self.checks.refold(self.honest[:1], self.case.seed)

    def _together(self, bound_us: int) -> None:
        """Let time pass until all hold the same and may sign."""
        until_us = self.world.now_us + bound_us
        while (words := apart(self.honest)) and self.world.now_us < until_us and not self.checks.broken:
            self._until(self.world.now_us + STEP_US)
        self.checks.must_heal(words)

    def _play(self, share: float) -> None:
        """In which share of the windows that begin from now on those who play do so."""
        for policy in self.policies[: self.case.players]:
            policy.person.habits = msgspec.structs.replace(policy.person.habits, share=share)

    def _waits(self, window: Window) -> list[str]:
        """Blocks of a window that have no verdict, of those who are honest."""
        players = {host.player for host in self.honest}
        return undecided(self.honest[0], window, players) if self.honest else []

    def _figures(self) -> dict[str, int]:
        network, seconds = self.world.network, (self.world.now_us - self.start_us) // 1_000_000
        held = [host.engine for host in self.honest if host.alive][:1]
        counts = [engine.ledger.counts() for engine in held]
        return {
            "faults": len(self.faults),
            "seconds": seconds,
            "frames": network.frames,
            **({} if self.healed_us is None else {"healed_ms": self.healed_us // 1_000}),
            "entries": sum(r.entry_count for engine in held for r in engine.documents.replicas.values()),
            "blocks": sum(count.local + count.rejected + count.pending for count in counts),
            "accepted": sum(count.local for count in counts),
            "final_epochs": sum(engine.ledger.base.epoch > 0 for engine in held),
        }
