"""A policy: what somebody plays, decides and does around the engine. This one is the honest person's.

The engine inside is always the daemon's own. A cheat is a `Conduct` (node/engine/conduct.py), other notes, or effects
that are dropped, delayed, replaced or added before they are carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import structs

from consensus.ops import AnyOp, Vouch
from consensus.quality.grid import Grid
from crdt.types import PlayerId, Window
from jam.midi import Note
from node.engine.conduct import Conduct
from node.engine.effects import Effect, Persist, Send
from node.engine.inputs import Input
from sim.people.options import People
from sim.people.player import Player, with_riff

if TYPE_CHECKING:
    from sim.world import Host

START: Final = Window(0)
VOUCHING_WINDOWS: Final = 2  # in which acquaintances are declared: the first may be cut short


class Scene(NamedTuple):
    """What is to be played: the jam's grid, the window and where it lies in session time. `heard` gives what others
    played in the window before, each from the window's start."""

    grid: Grid
    window: Window
    start_us: int
    end_us: int
    heard: Callable[[], Sequence[tuple[Note, ...]]] = tuple


class Role(NamedTuple):
    """Somebody in a run: a name that all its chance comes from, its number, the run's first window, those who belong
    together with it (itself included), and whom it vouches for."""

    name: str
    player: PlayerId
    number: int
    first: Window
    members: frozenset[PlayerId] = frozenset()
    knows: tuple[PlayerId, ...] = ()
    refused: frozenset[PlayerId] = frozenset()


@dataclass(frozen=True)
class Acquainted(Conduct):
    """Honest, and says at the beginning whom it knows."""

    knows: tuple[PlayerId, ...] = ()
    since: Window = START
    members: frozenset[PlayerId] = frozenset()

    def declares(self, window: Window) -> tuple[AnyOp, ...]:
        """Its vouches."""
        is_new = self.since <= window < self.since + VOUCHING_WINDOWS
        return tuple(Vouch(player) for player in self.knows) if is_new else ()


class Policy:
    """The honest person's."""

    conduct_kind: type[Acquainted] = Acquainted

    def __init__(self, role: Role, options: People) -> None:
        self.role = role
        self.options = options
        self.person = Player(role.name, options.habits)
        since = Window(role.first + options.habits.comes)
        self.conduct: Conduct = self.conduct_kind(role.refused, role.knows, since, role.members)

    def plays(self, window: Window) -> bool:
        """Whether anything is played in a window."""
        return self.person.plays(window, self.role.first)

    def notes(self, scene: Scene) -> tuple[Note, ...]:
        """What is played in a window, before its riff is known; session time."""
        return self.person.notes(scene.grid, scene.window, scene.start_us, scene.end_us)

    def answered(
        self, notes: Sequence[Note], window: Window, moments_us: Sequence[int], lanes: Sequence[int]
    ) -> tuple[Note, ...]:
        """The window's notes once its riff is known."""
        return self.person.answered(notes, window, moments_us, lanes)

    def rest(self) -> None:
        """Nothing is played from now on; who floods stops it."""
        self.person.habits = structs.replace(self.person.habits, share=0.0)

    def act(self, host: Host, event: Input, effects: list[Effect]) -> list[Effect]:
        """What is carried out of what the engine asked for."""
        return effects


class MachinePolicy(Policy):
    """Base of those for whom a program plays: it answers a share of the riffs, exactly as often as it is told."""

    answers: float = 0.0

    def answered(
        self, notes: Sequence[Note], window: Window, moments_us: Sequence[int], lanes: Sequence[int]
    ) -> tuple[Note, ...]:
        """A program reads the riff as well as a person does."""
        chance = self.person.chance(f"riff {window}")
        if chance.random() >= self.answers:
            return tuple(notes)
        return with_riff(chance, notes, moments_us, lanes)


def each_send(effects: Iterable[Effect], change: Callable[[Send], Send | None]) -> list[Effect]:
    """Effects with every frame replaced or, by None, dropped: those that wait for the disk as well."""
    kept: list[Effect] = []
    for effect in effects:
        if isinstance(effect, Send):
            changed = change(effect)
            if changed is not None:
                kept.append(changed)
        elif isinstance(effect, Persist) and effect.then:
            kept.append(replace(effect, then=tuple(each_send(effect.then, change))))
        else:
            kept.append(effect)
    return kept
