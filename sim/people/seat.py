"""Somebody's hands at a host: plays what their policy says, into whatever jam is on, riffs included.

A window's notes are known when it begins, and again when its riff is drawn. They are played in handfuls, `handful_us`
after one another, as a program does that writes many notes into one entry: with 0 each note is an entry of its own.
Who has no jam to play in opens one, if it is one who opens jams.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from consensus.blocks import span_of
from consensus.events import Kind, decode_events
from consensus.quality.grid import grid_of
from consensus.riff import moments_us
from crdt.types import Window, jam_session
from jam.midi import Note
from node.engine.duties import RIFF_READY_SHARE
from node.engine.inputs import OpenSession, Play, Played
from node.engine.sessions import Placed
from sim.people.policy import Policy, Scene

if TYPE_CHECKING:
    from sim.world import Host, World

HANDFUL_US: Final = 250_000
HANDFUL_NOTES: Final = 64
RIFF_SPREAD_US: Final = 200_000  # after a riff may be drawn: it takes a tick of the engine


class Seat:
    """One person at one host."""

    def __init__(
        self,
        world: World,
        host: Host,
        policy: Policy,
        opens: OpenSession | None = None,
        handful_us: int = HANDFUL_US,
    ) -> None:
        self.world, self.host, self.policy = world, host, policy
        self.opens = opens
        self.handful_us = handful_us
        self.played = 0
        self._is_on = False
        self._pending: list[Note] = []  # of this window, on the node's own clock, the latest first
        host.sit(policy)
        world.after(0, self._window)

    def _window(self) -> None:
        """A window begins."""
        params, world = self.world.params, self.world
        window = params.window_at(world.now_us)
        self._flush()
        if self.policy.plays(window) and self.host.awake:
            self._begin(window)
        world.after(params.window_start_us(Window(window + 1)) - world.now_us, self._window)

    def _begin(self, window: Window) -> None:
        placed = self._placed()
        if placed is None and self.opens is not None and self.host.attempt(self.opens):
            placed = self._placed()
        if placed is None:
            return
        start_us, end_us = span_of(self.world.params, placed.facts, window)
        scene = Scene(grid_of(placed.facts.op), window, start_us, end_us, lambda: self._heard(placed, window))
        self._take(self.policy.notes(scene), placed, self.host.now_us)
        params = self.world.params
        ready_us = params.window_start_us(window) + params.window_us // RIFF_READY_SHARE + RIFF_SPREAD_US
        self.world.after(max(0, ready_us - self.world.now_us), self._riff, window, scene)

    def _riff(self, window: Window, scene: Scene) -> None:
        """The riff may be drawn by now."""
        placed = self._placed()
        asked = self.host.engine.duties.riff(window) if self.host.alive else None
        if placed is None or asked is None:
            return
        zero_us = self._zero_us(placed)
        waiting = [note._replace(t_us=note.t_us - zero_us) for note in reversed(self._pending)]
        moments = moments_us(self.world.params, scene.grid, scene.start_us, asked)
        self._take(self.policy.answered(waiting, window, moments, asked.lanes), placed, since_us=0)

    def _take(self, notes: Sequence[Note], placed: Placed, since_us: int) -> None:
        """These notes are what is still to be played; those before `since_us` by the node's clock are missed."""
        zero_us = self._zero_us(placed)
        due = (note._replace(t_us=note.t_us + zero_us) for note in notes)
        self._pending = sorted((note for note in due if note.t_us >= since_us), reverse=True)
        self._later()

    def _later(self) -> None:
        """Play the next handful a while after its first note has sounded."""
        if self._pending and not self._is_on:
            self._is_on = True
            wait_us = self._pending[-1].t_us - self.host.now_us + self.handful_us
            self.world.after(max(0, wait_us), self._handful)

    def _handful(self) -> None:
        self._is_on = False
        self._flush(self.host.now_us)
        self._later()

    def _flush(self, until_us: int | None = None) -> None:
        """Play what has sounded, or all; what was to sound while the node was down is lost."""
        due: list[Played] = []
        while self._pending and (until_us is None or self._pending[-1].t_us <= until_us):
            note = self._pending.pop()
            due.append(Played(note.t_us, note.kind, note.lane, note.pitch, note.velocity))
        for first in range(0, len(due), HANDFUL_NOTES):
            handful = tuple(due[first : first + HANDFUL_NOTES])
            if self.host.attempt(Play(handful)):
                self.played += len(handful)

    def _placed(self) -> Placed | None:
        host = self.host
        return host.engine.current_session(host.now_us) if host.awake else None

    def _zero_us(self, placed: Placed) -> int:
        """Session time zero on this node's clock."""
        return placed.facts.op.t0_us - (placed.clock.offset_us if placed.clock else 0)

    def _heard(self, placed: Placed, window: Window) -> list[tuple[Note, ...]]:
        """What each of the others played in the window before, from its start, as far as it is held here."""
        start_us, end_us = span_of(self.world.params, placed.facts, Window(window - 1))
        heard = []
        for name, replica in self.host.engine.documents.replicas.items():
            jam = jam_session(name)
            if jam is None or jam[0] != placed.facts.id:
                continue
            for key, log in sorted(replica.logs.items()):
                events = [event for entry in log.entries for event in decode_events(entry.body.payload)]
                notes = tuple(
                    Note(event.t_us - start_us, event.kind, event.lane, event.pitch, event.velocity)
                    for event in events
                    if start_us <= event.t_us < end_us and event.kind == Kind.NOTE_ON
                )
                if key.author != self.host.player and notes:
                    heard.append(notes)
        return heard
