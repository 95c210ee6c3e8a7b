"""The daemon as its API sees it: commands go into the engine, what the engine tells comes out as notices."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final

from consensus.checkpoint import NO_VALUE
from crdt.errors import Misuse, Refused
from crdt.types import DocumentName, Epoch, PlayerId
from jam.board import Change
from node.api.backend import ChartWish, SessionWish
from node.api.backend import Played as ApiPlayed
from node.api.notices import Board, Feed
from node.doctor.check import Check
from node.engine.effects import BlockChanged, BoardChanged, Heard, SessionChanged, WindowJudged
from node.engine.inputs import CloseSession, Edit, Input, OpenSession, Played
from node.guests.host import Guests
from node.shell import purse, views
from node.shell.health import checks
from node.shell.history import history, settle
from node.shell.journal import Journal
from node.shell.keeper import Keeper
from node.shell.library import Shelf
from node.shell.node import Node, Told
from node.shell.scorer import Scorer
from node.shell.stand import Stand
from node.shell.status import metrics, status
from node.shell.till import Till
from wallet.wishes import AnyWish

Doc = dict[str, Any]
EARLY_MAX: Final = 64  # entries of jams that nobody may ever open


class DaemonBackend:
    """node.api.backend.Backend around a running engine."""

    def __init__(self, node: Node, stop: Callable[[], None]) -> None:
        self.engine = node.engine
        self.clock = node.clock
        self.board = Board()
        # The notes that open a jam come ahead of the ledger's word of it, which is synced before it is sent.
        self._early: deque[Heard] = deque(maxlen=EARLY_MAX)
        self._node = node
        self._stop = stop
        self.library = Shelf(node)
        self.stand = Stand(node.engine, self.now_us, self.edit, self.open_session)
        self.scorer = Scorer(node.engine.duties, self.board.publish)
        self.door = Guests(node, self)
        self._keeper = Keeper(node)
        base = node.engine.ledger.base
        self._journal = Journal(node.config.journal_path, base.epoch if base != NO_VALUE else None)
        node.engine.documents.on_settling = self._settle
        self.till = Till(node.engine, self.now_us, node.give, node.hands.settled, node.config.keys_path)

    def _settle(self, epoch: Epoch) -> None:
        settle(self.engine, self.clock.now_us(), epoch, self._journal)

    # what the engine tells

    def tell(self, effect: Told) -> None:
        """Publish what the engine wants its user to know."""
        match effect:
            case Heard(player, session):
                now_us = self.clock.now_us()
                if player == self.engine.player:
                    self.scorer.heard(now_us)
                else:
                    self.door.heard(player, now_us)
                if self.engine.ledger.session(session) is None:
                    self._early.append(effect)
                else:
                    self._tell_events(effect)
            case BlockChanged(block):
                state = self.engine.ledger.block(block)
                if state is not None:
                    self._publish({"type": "block", "block": views.block(self.engine, state, self.clock.now_us())})
            case WindowJudged(window, player):
                outcome = self.engine.seats.of(player).duties.outcomes.get(window)
                if outcome is not None:
                    self._tell_window({"type": "window", "window": views.window(outcome)}, player)
            case BoardChanged(session):
                board = views.board(self.engine.boards.board(session))
                self._publish({"type": "board", "session": session.hex(), "board": board})
            case SessionChanged():
                now_us = self.clock.now_us()
                placed = self.engine.current_session(now_us)
                shown = views.session(placed, self.engine.player, now_us)
                self.board.publish({"type": "session", "session": shown})
                self.door.tell_session()
                self._tell_early()

    def _publish(self, notice: Doc) -> None:
        """What everybody may watch."""
        self.board.publish(notice)
        self.door.publish(notice)

    def _tell_window(self, notice: Doc, player: PlayerId) -> None:
        if player == self.engine.player:
            self.board.publish(notice)
        else:
            self.door.publish(notice, player)

    def _tell_early(self) -> None:
        for _ in range(len(self._early)):
            heard = self._early.popleft()
            if self.engine.ledger.session(heard.session) is None:
                self._early.append(heard)
            else:
                self._tell_events(heard)

    def _tell_events(self, heard: Heard) -> None:
        player, session, events, entries = heard.player, heard.session, heard.events, heard.entries
        facts = self.engine.ledger.session(session)
        assert facts is not None, "the caller looked"
        now_us = self.clock.now_us()
        reading = self.engine.timing.clock(facts.creator, now_us)
        t0_at_us = facts.op.t0_us - reading.offset_us if reading else None
        self._publish(
            {
                "type": "event",
                "player": player.hex(),
                "session": session.hex(),
                "t0_at_us": t0_at_us,
                "entries": entries,
                "events": [
                    (e.t_us, e.kind, e.lane, e.pitch, e.velocity, now_us if t0_at_us is None else t0_at_us + e.t_us)
                    for e in events
                ],
            }
        )

    # what the API asks

    def now_us(self) -> int:
        """The node's clock."""
        return self.clock.now_us()

    def status(self) -> Doc:
        """`symjam.status/1`."""
        shown = status(self.engine, self._node.mesh, self._node.facts, self.clock.now_us())
        shown["checks"] = [one.document() for one in self.checks()]
        return {**shown, "guests": self.door.players(), "score": self.scorer.latest}

    def checks(self) -> list[Check]:
        """What this node has seen to be right or wrong."""
        now_us, skew_us = self.clock.now_us(), self.clock.wall_skew_us()
        return checks(self.engine, self._node.mesh, self._node.facts, now_us, skew_us)

    def blocks(self, limit: int) -> Sequence[Doc]:
        """Newest first."""
        newest, now_us = self.engine.ledger.blocks()[::-1][:limit], self.clock.now_us()
        return [views.block(self.engine, state, now_us) for state in newest]

    def blocks_like(self, begins: str) -> Sequence[Doc]:
        """At most two."""
        like = [state for state in self.engine.ledger.blocks() if state.id.hex().startswith(begins)][:2]
        return [views.block(self.engine, state, self.clock.now_us()) for state in like]

    def windows(self, limit: int) -> Sequence[Doc]:
        """Newest first."""
        newest = list(self.engine.duties.outcomes.values())[::-1][:limit]
        return [views.window(outcome) for outcome in newest]

    def wallet(self) -> Doc:
        """`symjam.wallet/1`."""
        return purse.wallet(self.engine)

    def history(self, limit: int, before: int | None) -> Doc:
        """`symjam.history/1`."""
        return history(self.engine, self.clock.now_us(), limit, before, journal=self._journal)

    def plan(self, wish: AnyWish) -> Doc:
        """`symjam.plan/1`."""
        return self.till.plan(wish)

    async def sign(self, wish: AnyWish, passphrase: str | None, number: bytes | None = None) -> Doc:
        """`symjam.operation/1`."""
        return await self.till.sign(wish, passphrase, number)

    def operation(self, entry: str) -> Doc:
        """`symjam.operation/1`."""
        return self.till.operation(entry)

    async def requested(self, number: bytes) -> Doc:
        """`symjam.operation/1`."""
        return await self.till.requested(number)

    def vouches(self) -> Doc:
        """`symjam.vouches/1`."""
        return purse.vouches(self.engine)

    def document(self, name: str) -> bytes | None:
        """One document as a Yjs update."""
        return self.library.update(DocumentName(name))

    def metrics(self) -> bytes:
        """Prometheus text."""
        return metrics(self.engine, self._node.mesh, self._node.facts, self.clock.now_us())

    def store(self) -> AsyncGenerator[bytes, None]:
        """Frames of the store as it is now."""
        return self._keeper.frames()

    async def play(self, events: Sequence[ApiPlayed]) -> Doc:
        """Sign, save and send events; returns once they are saved."""
        played = tuple(Played(e.at_us, e.kind, e.lane, e.pitch, e.velocity) for e in events)
        await self._node.pump.play(played)
        return {"count": len(played), "entries": 1}

    async def open_session(self, wish: SessionWish) -> Doc:
        """Open a jam."""
        opening = OpenSession(wish.title, wish.tempo_mbpm, wish.beats_per_bar, wish.subdivision, wish.tags)
        return await self._command(opening, "cannot open a jam")

    async def close_session(self) -> Doc:
        """Close the jam that this node opened."""
        return await self._command(CloseSession(), "cannot close a jam")

    def jam(self) -> Doc:
        """`symjam.session/1`."""
        now_us = self.clock.now_us()
        placed = self.engine.current_session(now_us)
        board = views.board(self.engine.boards.board(placed.facts.id)) if placed else None
        shown = views.session(placed, self.engine.player, now_us)
        return {"schema": "symjam.session/1", "session": shown, "board": board}

    async def edit(self, change: Change) -> Doc:
        """Change the board of the jam that is on."""
        await self._command(Edit(change), "cannot edit the board")
        return self.jam()["board"] or {}

    def chart(self) -> Doc:
        """`symjam.chart/1`."""
        return self.stand.chart()

    async def share_chart(self, wish: ChartWish, raw: bytes) -> Doc:
        """Put a chart on the board."""
        return await self.stand.share(wish, raw)

    async def begin_chart(self) -> Doc:
        """Let it begin again."""
        return await self.stand.begin()

    def recording(self, session: str | None) -> Doc:
        """`symjam.recording/1`."""
        return self.stand.recording(session)

    def midi(self, session: str | None) -> bytes:
        """A Standard MIDI File."""
        return self.stand.midi(session)

    def guests(self) -> Doc:
        """`symjam.guests/1`."""
        return self.door.shown()

    async def invite(self) -> Doc:
        """Let guests in."""
        return await self.door.invite()

    async def show_out(self) -> Doc:
        """No guests any more."""
        return await self.door.show_out()

    async def _command(self, command: Input, what: str) -> Doc:
        now_us = self.clock.now_us()
        before = views.session(self.engine.current_session(now_us), self.engine.player, now_us)
        try:
            self._node.give(command)
        except Misuse as misuse:
            raise Refused("not-now", what, str(misuse), "`symjam status` says which jam is on.") from misuse
        await self._node.hands.settled()
        after = views.session(self.engine.current_session(now_us), self.engine.player, now_us)
        return after if isinstance(command, OpenSession) and after else before or {}

    def stop(self) -> None:
        """End the daemon."""
        self._stop()

    def subscribe(self) -> Feed:
        """A watcher's queue."""
        return self.board.subscribe()
