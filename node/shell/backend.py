"""The daemon as its API sees it: commands go into the engine, what the engine tells comes out as notices.

Events are coalesced here (SPEC 3): one that finds the links idle goes out at once; those that arrive while earlier
ones are on their way share the next entry, its signature and its frames, within COALESCE_MAX_US.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import trio

from consensus.events import Event
from crdt.errors import Misuse, OperatingFailure
from crdt.limits import COALESCE_MAX_US, EVENTS_PER_ENTRY_MAX, PLAY_QUEUE_MAX
from crdt.types import DocumentName, PlayerId, SessionId
from crdt.view import View
from node.api.backend import Played as ApiPlayed
from node.api.backend import SessionWish
from node.api.notices import Board, Feed
from node.engine.effects import BlockChanged, Effect, Heard, SessionChanged, WindowJudged
from node.engine.engine import Engine
from node.engine.inputs import CloseSession, Input, OpenSession, Play, Played
from node.mesh.mesh import Mesh
from node.shell import views
from node.shell.clock import NodeClock
from node.shell.hands import Hands
from node.shell.status import Facts, metrics, status

Doc = dict[str, Any]
_PAUSE_S = 0.001


class _Waiting:
    """Events that wait to be signed together with others, and the one who waits for them."""

    def __init__(self, events: tuple[Played, ...]) -> None:
        self.events = events
        self.done = trio.Event()
        self.failure: Misuse | None = None


class DaemonBackend:
    """node.api.backend.Backend around a running engine."""

    def __init__(self, engine: Engine, clock: NodeClock, mesh: Mesh, facts: Facts, stop: Callable[[], None]) -> None:
        self.engine = engine
        self.clock = clock
        self.mesh = mesh
        self.facts = facts
        self.board = Board()
        self.hands: Hands | None = None
        self._stop = stop
        self._plays: deque[_Waiting] = deque()
        self._queued = 0
        self._arrived = trio.Event()
        self._views: dict[DocumentName, View] = {}

    # what the engine tells

    def tell(self, effect: Effect) -> None:
        """Publish what the engine wants its user to know."""
        match effect:
            case Heard(player, session, events, entries):
                self._tell_events(player, session, events, entries)
            case BlockChanged(block):
                state = self.engine.ledger.block(block)
                if state is not None:
                    self.board.publish({"type": "block", "block": views.block(self.engine, state)})
            case WindowJudged(window):
                outcome = self.engine.duties.outcomes.get(window)
                if outcome is not None:
                    self.board.publish({"type": "window", "window": views.window(outcome)})
            case SessionChanged():
                now_us = self.clock.now_us()
                placed = self.engine.current_session(now_us)
                shown = views.session(placed, self.engine.player, now_us)
                self.board.publish({"type": "session", "session": shown})

    def _tell_events(self, player: PlayerId, session: SessionId, events: tuple[Event, ...], entries: int) -> None:
        facts = self.engine.ledger.session(session)
        if facts is None:
            return
        now_us = self.clock.now_us()
        reading = self.engine.sessions.clock(facts.creator, now_us, self.engine.peers)
        t0_at_us = facts.op.t0_us - (reading.offset_us if reading else 0)
        self.board.publish(
            {
                "type": "event",
                "player": player.hex(),
                "session": session.hex(),
                "t0_at_us": t0_at_us,
                "entries": entries,
                "events": [(e.t_us, e.kind, e.lane, e.pitch, e.velocity, t0_at_us + e.t_us) for e in events],
            }
        )

    # what the API asks

    def now_us(self) -> int:
        """The node's clock."""
        return self.clock.now_us()

    def status(self) -> Doc:
        """`symjam.status/1`."""
        return status(self.engine, self.mesh, self.facts, self.clock.now_us())

    def blocks(self, limit: int) -> Sequence[Doc]:
        """Newest first."""
        newest = self.engine.ledger.blocks()[::-1][:limit]
        return [views.block(self.engine, state) for state in newest]

    def windows(self, limit: int) -> Sequence[Doc]:
        """Newest first."""
        newest = list(self.engine.duties.outcomes.values())[::-1][:limit]
        return [views.window(outcome) for outcome in newest]

    def wallet(self) -> Doc:
        """`symjam.wallet/1`."""
        return views.wallet(self.engine)

    def history(self, limit: int) -> Doc:
        """`symjam.history/1`."""
        return views.history(self.engine, limit)

    def document(self, name: str) -> bytes | None:
        """One document as a Yjs update, from a view kept up to date from one call to the next."""
        document = DocumentName(name)
        replica = self.engine.documents.replicas.get(document)
        if replica is None:
            return None
        view = self._views.pop(document, None) or View(replica)
        self._views[document] = view
        while len(self._views) > 8:
            self._views.pop(next(iter(self._views)))
        return view.update()

    def metrics(self) -> bytes:
        """Prometheus text."""
        return metrics(self.engine, self.mesh, self.facts, self.clock.now_us())

    async def play(self, events: Sequence[ApiPlayed]) -> Doc:
        """Sign, save and send events; returns once they are saved."""
        if self._queued + len(events) > PLAY_QUEUE_MAX:
            raise OperatingFailure("too much at once", "events come faster than they can be signed", "Play slower.")
        if not 0 < len(events) <= EVENTS_PER_ENTRY_MAX:
            raise OperatingFailure("cannot play that", f"1 to {EVENTS_PER_ENTRY_MAX} events at a time", "Send fewer.")
        played = tuple(Played(e.at_us, e.kind, e.lane, e.pitch, e.velocity) for e in events)
        waiting = _Waiting(played)
        self._plays.append(waiting)
        self._queued += len(played)
        self._arrived.set()
        await waiting.done.wait()
        if waiting.failure is not None:
            raise OperatingFailure("cannot play that", str(waiting.failure), "Is the page's clock right?")
        return {"count": len(played), "entries": 1}

    async def open_session(self, wish: SessionWish) -> Doc:
        """Open a jam."""
        opening = OpenSession(wish.title, wish.tempo_mbpm, wish.beats_per_bar, wish.subdivision, wish.tags)
        return await self._command(opening, "cannot open a jam")

    async def close_session(self) -> Doc:
        """Close the jam that this node opened."""
        return await self._command(CloseSession(), "cannot close a jam")

    async def _command(self, command: Input, what: str) -> Doc:
        assert self.hands is not None
        now_us = self.clock.now_us()
        before = views.session(self.engine.current_session(now_us), self.engine.player, now_us)
        try:
            self.hands.execute(self.engine.handle(now_us, command))
        except Misuse as misuse:
            raise OperatingFailure(what, str(misuse)) from misuse
        await self.hands.settled()
        after = views.session(self.engine.current_session(now_us), self.engine.player, now_us)
        return after if isinstance(command, OpenSession) and after else before or {}

    def stop(self) -> None:
        """End the daemon."""
        self._stop()

    def subscribe(self) -> Feed:
        """A watcher's queue."""
        return self.board.subscribe()

    # the pump

    async def pump_forever(self) -> None:
        """The task that turns waiting events into entries."""
        while True:
            await self._arrived.wait()
            self._arrived = trio.Event()
            while self._plays:
                await self._links_idle()
                self._sign(self._take_batch())
                await trio.lowlevel.checkpoint()

    async def _links_idle(self) -> None:
        """Wait for frames on their way, but never longer than the ear would notice."""
        with trio.move_on_after(COALESCE_MAX_US / 1_000_000):
            while any(link.queued for link in self.mesh.links().values()):
                await trio.sleep(_PAUSE_S)

    def _take_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        count = 0
        while self._plays and count + len(self._plays[0].events) <= EVENTS_PER_ENTRY_MAX:
            waiting = self._plays.popleft()
            count += len(waiting.events)
            batch.append(waiting)
        self._queued -= count
        return batch

    def _sign(self, batch: list[_Waiting]) -> None:
        assert self.hands is not None
        events = tuple(event for waiting in batch for event in waiting.events)
        try:
            self.hands.execute(self.engine.handle(self.clock.now_us(), Play(events)))
        except Misuse as misuse:
            if len(batch) > 1:  # one bad time stamp must not refuse the others' notes
                for waiting in batch:
                    self._sign([waiting])
                return
            batch[0].failure = misuse
        for waiting in batch:
            waiting.done.set()
