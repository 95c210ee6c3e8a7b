"""Those who cheat at what rules can judge: in what is played and in what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, assert_never

from msgspec import structs

from consensus.blocks import Draft, Judgement, build
from consensus.facts import SessionFacts
from consensus.ops import Vote, Why
from consensus.params import ONE_Q16, Params
from consensus.quality.measure import NOTHING
from consensus.quality.replay import ReplayIndex
from consensus.riff import Call
from consensus.state import BlockState
from crdt.entry import Entry
from crdt.types import PlayerId, Window
from jam.midi import Note
from sim.people import machine
from sim.people.options import Faker, People, Ring, Sybils
from sim.people.player import Habits, Player
from sim.people.policy import Acquainted, MachinePolicy, Policy, Role, Scene

YES: Final = Judgement(Vote.YES, Why.FINE, NOTHING, ())
NO: Final = Judgement(Vote.NO, Why.REPLAY, NOTHING, ())  # a reason that nobody can be punished for
REMEMBERED: Final = 8  # own windows that can be replayed
TEMPLATE_STEPS: Final = 16


class Brazen(Acquainted):
    """Proposes what the rules refuse, and what they do not refuse as they want it: a false claim would cost stake."""

    def draft(
        self,
        params: Params,
        session: SessionFacts,
        window: Window,
        entries: Sequence[Entry],
        asked: Call | None,
        known: ReplayIndex,
    ) -> Draft:
        """A block in any case."""
        fair = build(params, session, window, entries, asked, known)
        return fair if fair.block else build(_lenient(params), session, window, entries, asked, ReplayIndex())


def _lenient(params: Params) -> Params:
    return structs.replace(params, min_events=1, min_lanes=1, min_active_s=0, min_deviation_us=0, max_tie_q16=ONE_Q16)


class Refusing(Acquainted):
    """Verifies nobody."""

    def verifies(self, proposer: PlayerId) -> bool:
        """No."""
        return False


class Careless(Acquainted):
    """Says yes without looking."""

    def looks(self, state: BlockState) -> bool:
        """No."""
        return False

    def says(self, state: BlockState, finding: Judgement | None) -> Judgement | None:
        """Yes."""
        return YES


class Colluding(Brazen):
    """Says yes to its members without looking, and the truth of others."""

    def looks(self, state: BlockState) -> bool:
        """At what is not a member's."""
        return state.proposer not in self.members

    def says(self, state: BlockState, finding: Judgement | None) -> Judgement | None:
        """Yes to members."""
        return YES if state.proposer in self.members else finding


class ColludingYes(Brazen):
    """Says yes to everybody: nobody has a reason to look closer at it."""

    def looks(self, state: BlockState) -> bool:
        """At nothing."""
        return False

    def says(self, state: BlockState, finding: Judgement | None) -> Judgement | None:
        """Yes."""
        return YES


class ColludingNo(Colluding):
    """Says no to whoever is no member."""

    def looks(self, state: BlockState) -> bool:
        """At nothing."""
        return False

    def says(self, state: BlockState, finding: Judgement | None) -> Judgement | None:
        """Yes to members, no to others."""
        return YES if state.proposer in self.members else NO


class ColludingNothing(Colluding):
    """Verifies members only."""

    def verifies(self, proposer: PlayerId) -> bool:
        """Members."""
        return proposer in self.members


class RefuserPolicy(Policy):
    """Never verifies."""

    conduct_kind = Refusing


class LazyPolicy(Policy):
    """Never looks."""

    conduct_kind = Careless


class FakerPolicy(MachinePolicy):
    """A machine plays, and whatever comes of it is proposed."""

    conduct_kind = Brazen

    def __init__(self, role: Role, options: Faker) -> None:
        super().__init__(role, options)
        self.kind, self.sd_us = options.kind, options.sd_ms * 1_000
        self.source, self.shift_us = options.source, options.shift_ms * 1_000
        self.answers = options.answers
        self._exact = _on_the_grid(role.name, options.habits)
        self._drummer = self.person if options.source == "own" else Player(f"{role.name}/another", Habits())
        self._played: list[tuple[Note, ...]] = []  # own windows, each from its start

    def notes(self, scene: Scene) -> tuple[Note, ...]:
        """What its machine plays."""
        chance = self.person.chance(f"machine {scene.window}")
        if self.kind == "replay":
            return self._replayed(scene)
        exact = machine.quantised(scene.grid, self._exact.notes(scene.grid, scene.window, scene.start_us, scene.end_us))
        match self.kind:
            case "quantised":
                return exact
            case "jittered":
                return machine.jittered(chance, exact, self.sd_us)
            case "drifting":
                return machine.drifting(chance, scene.grid, exact, self._drummer.timing)
            case "template":
                return machine.templated(chance, scene.grid, exact, self._drummer.timing, self._template)
        assert_never(self.kind)

    def _template(self, lane: int, step: int) -> float:
        return self._drummer.template_us[lane, step % TEMPLATE_STEPS]

    def _replayed(self, scene: Scene) -> tuple[Note, ...]:
        """An earlier window again; a first one is played, so that there is something to replay."""
        chance = self.person.chance(f"machine {scene.window}")
        known = self._played if self.source == "own" else [notes for notes in scene.heard() if notes]
        if not known:
            notes = self.person.notes(scene.grid, scene.window, scene.start_us, scene.end_us)
            self._played.append(tuple(note._replace(t_us=note.t_us - scene.start_us) for note in notes))
            del self._played[:-REMEMBERED]
            return notes
        again = machine.again(chance, chance.choice(known), scene.start_us + self.shift_us, self.sd_us)
        return tuple(note for note in again if scene.start_us <= note.t_us < scene.end_us)


def _on_the_grid(name: str, habits: Habits) -> Player:
    return Player(name, structs.replace(habits, deviation=0.0))


class RingPolicy(FakerPolicy):
    """A member of a ring: a faker, or a person, that attests its own."""

    def __init__(self, role: Role, options: Ring | Sybils) -> None:
        others = options.others if isinstance(options, Ring) else "honest"
        self.conduct_kind = _COLLUDING[others]
        self.plays_itself = options.plays == "honest"
        kind: Literal["template", "quantised"] = "template" if options.plays == "template" else "quantised"
        plain = {name: getattr(options, name) for name in People.__struct_fields__}
        super().__init__(role, Faker(kind=kind, answers=options.answers, **plain))
        self.options = options

    def notes(self, scene: Scene) -> tuple[Note, ...]:
        """Its own playing, or a machine's."""
        return Policy.notes(self, scene) if self.plays_itself else super().notes(scene)


_COLLUDING: Final[dict[str, type[Brazen]]] = {
    "honest": Colluding,
    "yes": ColludingYes,
    "no": ColludingNo,
    "nothing": ColludingNothing,
}
