"""The music stand: charts shared with the jam, and the recording of what was played (docs/api.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import trio

from consensus.quality.grid import Grid
from crdt.errors import Misuse, Refused, Unusable
from crdt.types import SessionId
from jam.board import AddSheet, Assign, Change, DropPart, SetChart, SetStart
from jam.chart import Chart, bars, encode_chart, make_chart
from jam.midi import written
from jam.sheets import sheets_of
from jam.voices import read_piece
from node.api.backend import ChartWish, SessionWish
from node.engine.engine import Engine
from node.engine.recording import notes_of, recorded
from node.engine.sessions import Placed

Doc = dict[str, Any]
LEAD_BARS = 2  # until a chart that was just shared begins


def read_chart(wish: ChartWish, raw: bytes) -> Chart:
    """A chart of a MIDI file's bytes; Unusable says what is wrong with them."""
    piece = read_piece(raw, wish.title or "chart")
    try:
        return make_chart(piece, lanes=wish.lanes, players=wish.players, level=wish.level)
    except Misuse as misuse:
        raise Unusable("cannot make a chart of this", str(misuse), "See `symjam jam --help`") from misuse


class Stand:
    """`edit` and `open_session` are the backend's: each returns once its entry is saved."""

    def __init__(
        self,
        engine: Engine,
        now_us: Callable[[], int],
        edit: Callable[[Change], Awaitable[object]],
        open_session: Callable[[SessionWish], Awaitable[object]],
    ) -> None:
        self._engine = engine
        self._now_us = now_us
        self._edit = edit
        self._open = open_session

    async def share(self, wish: ChartWish, raw: bytes) -> Doc:
        """Put a chart on the board of the jam that is on, which is opened to the chart's tempo when there is none."""
        chart = await trio.to_thread.run_sync(partial(read_chart, wish, raw))
        if self._engine.current_session(self._now_us()) is None:
            await self._open(SessionWish(chart.title, chart.tempo_mbpm, chart.beats_per_bar))
        placed = self._placed()
        before = self._engine.boards.board(placed.facts.id).parts
        encoded = encode_chart(chart)
        for sheet in sheets_of(encoded):
            await self._edit(AddSheet(*sheet))
        names = [part.name for part in chart.parts]
        for name, _ in before:
            if name not in names:
                await self._edit(DropPart(name))
        for name in names:
            await self._edit(Assign(name, None))
        await self._edit(SetStart(self._next_bar(placed)))
        await self._edit(SetChart(next(iter(sheets_of(encoded)))[0]))
        return self.chart()

    async def begin(self) -> Doc:
        """Let the chart begin again, two bars from now."""
        await self._edit(SetStart(self._next_bar(self._placed())))
        return self.chart()

    def chart(self) -> Doc:
        """`symjam.chart/1`."""
        placed = self._engine.current_session(self._now_us())
        if placed is None:
            return {"schema": "symjam.chart/1", "id": None, "chart": None}
        board = self._engine.boards.board(placed.facts.id)
        chart = self._engine.boards.chart(placed.facts.id)
        return {"schema": "symjam.chart/1", "id": board.chart or None, "chart": chart and shown(chart)}

    def recording(self, session: str | None) -> Doc:
        """`symjam.recording/1`."""
        facts = self._facts(session)
        takes = recorded(self._engine.documents, facts.id)
        rows = {p.hex(): [(e.t_us, e.kind, e.lane, e.pitch, e.velocity) for e in takes[p]] for p in sorted(takes)}
        return {
            "schema": "symjam.recording/1",
            "session": facts.id.hex(),
            "title": facts.op.title,
            "tempo_mbpm": facts.op.tempo_mbpm,
            "beats_per_bar": facts.op.beats_per_bar,
            "duration_us": max((events[-1].t_us for events in takes.values()), default=0),
            "takes": [{"player": player, "events": events} for player, events in rows.items()],
        }

    def midi(self, session: str | None) -> bytes:
        """The same as a Standard MIDI File, a track for each player."""
        facts = self._facts(session)
        takes = recorded(self._engine.documents, facts.id)
        notes = {player.hex()[:8]: notes_of(takes[player]) for player in sorted(takes)}
        notes = {name: played for name, played in notes.items() if played}
        if not notes:
            why = "nobody has played a note in it"
            raise Refused("nothing-played", "cannot export the jam", why, "Play something first.")
        return written(facts.op.title or "jam", facts.op.tempo_mbpm, facts.op.beats_per_bar, notes)

    def _facts(self, session: str | None) -> Any:
        """The session asked for, else the one that is on, else the newest that this node knows."""
        if session is not None:
            found = self._engine.ledger.session(SessionId(bytes.fromhex(session)))
        else:
            placed = self._engine.current_session(self._now_us())
            known = self._engine.ledger.sessions()
            found = placed.facts if placed else known[-1] if known else None
        if found is None:
            why = "no such jam is known here"
            raise Refused("no-such-session", "there is no recording", why, "Play something first.")
        return found

    def _placed(self) -> Placed:
        placed = self._engine.current_session(self._now_us())
        if placed is None:
            raise Refused("no-jam", "cannot share a chart", "no jam is on", "Open one first.")
        return placed

    def _next_bar(self, placed: Placed) -> int:
        grid = Grid(placed.facts.op.tempo_mbpm, placed.facts.op.beats_per_bar, 1)
        t_us = self._engine.sessions.session_time(self._now_us(), placed)
        return grid.step(t_us) // placed.facts.op.beats_per_bar + LEAD_BARS


def shown(chart: Chart) -> Doc:
    """Chart, of docs/api.md."""
    return {
        "title": chart.title,
        "tempo_mbpm": chart.tempo_mbpm,
        "beats_per_bar": chart.beats_per_bar,
        "lanes": chart.lanes,
        "bars": bars(chart),
        "parts": [{"part": part.name, "notes": list(part.hits())} for part in chart.parts],
    }
