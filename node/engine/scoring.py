"""What the window under way is worth so far, for its player to see while playing.

It is measured as `consensus/blocks.py` measures the window when it is over: the same slice of the player's own log, the
same functions, so at the window's end the last score is what the block claims. One thing is left open until then: what
was played before. Originality is taken to be whole, so a score holds as long as the playing is no replay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from consensus.blocks import slice_of, span_of
from consensus.events import onsets
from consensus.facts import SessionFacts
from consensus.ops import Measures, Why
from consensus.params import Params
from consensus.quality.grid import grid_of
from consensus.quality.liveness import Liveness, count
from consensus.quality.measure import measure
from consensus.quality.replay import ReplayIndex
from consensus.quality.timing import lag_us
from consensus.quality.wife3 import chance_q16
from consensus.riff import Call, is_played
from crdt.entry import Entry
from crdt.types import SessionId, Window


class Score(NamedTuple):
    """A window so far. `lag_us` is the constant offset taken out of every hit, early below zero; `chance_q16` what a
    random hit is worth on this grid; `riff` whether it was played, None while none is asked for."""

    window: Window
    session: SessionId
    counted: Liveness
    lag_us: int
    chance_q16: int
    measures: Measures
    why: Why
    words: tuple[str, ...]
    riff: bool | None


def score(
    params: Params, session: SessionFacts, window: Window, entries: Sequence[Entry], asked: Call | None
) -> Score | None:
    """The score of a window by the player's entries around it; None when nothing of it is in them."""
    cut = slice_of(params, session, window, entries)
    played = onsets(cut.events) if cut else ()
    if not played:
        return None
    grid = grid_of(session.op)
    report = measure(params, grid, played, ReplayIndex())
    lag = lag_us(grid, played)
    start_us, _ = span_of(params, session, window)
    return Score(
        window,
        session.id,
        count(played),
        lag - (grid.step_us if 2 * lag > grid.step_us else 0),
        chance_q16(grid),
        report.measures,
        report.why,
        report.words[:-1],  # the last is about originality, which is not known yet
        is_played(params, grid, start_us, asked, played) if asked else None,
    )
