"""The jam that is on: its session, its board, its chart, its recording; and guests."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from node.shapes.common import Hex, Shape
from node.shapes.ledger import Quality

Event = Annotated[list[int], Meta(min_length=5, max_length=6, description="t_us, kind, lane, pitch, velocity; at_us")]
ChartNote = Annotated[list[int], Meta(min_length=2, max_length=2, description="[tick, lane], 96 ticks to the beat")]


class SessionClock(Shape, frozen=True):
    """The creator's clock minus this node's; `via`: the peer through which it is known, null when it is linked."""

    offset_us: int
    uncertainty_us: int
    via: Hex | None


class Session(Shape, frozen=True):
    """A jam. `t0_at_us` and `t_us` are null while the creator's clock is not known here."""

    id: Hex
    title: str
    creator: Hex
    tempo_mbpm: int
    beats_per_bar: int
    subdivision: int
    t0_us: int
    t0_at_us: int | None
    tags: list[str]
    open: bool
    mine: bool
    clock: SessionClock | None
    t_us: int | None


class Riff(Shape, frozen=True):
    """What this player is asked to play in the window that is on, note by note."""

    window: int
    lanes: list[int]
    t_us: list[int]
    tolerance_us: int


class Score(Shape, frozen=True):
    """What the window under way is worth so far. `lag_us`: the constant offset taken out of each hit, early below 0."""

    window: int
    session: Hex
    events: int
    lanes: int
    active_s: int
    lag_us: int
    chance_q16: int
    accuracy_cap_q16: int
    measures: Quality
    why: str
    words: str
    explain: list[str]
    riff: bool | None


class BoardPart(Shape, frozen=True):
    """A part, and who plays it."""

    part: str
    player: Hex | None


class BoardLine(Shape, frozen=True):
    """A line of the chat."""

    t_us: int
    player: Hex
    text: str


class Board(Shape, frozen=True):
    """What all who play in a session share and may change; null until somebody sets it."""

    title: str | None
    tempo_mbpm: int | None
    chart: str | None
    start_bar: int | None
    parts: list[BoardPart]
    lines: list[BoardLine]


class Jam(Shape, frozen=True, tag_field="schema", tag="symjam.session/1"):
    """The session that is on, and its board."""

    session: Session | None
    board: Board | None


class ChartPart(Shape, frozen=True):
    """Which lane when, for one part."""

    part: str
    notes: list[ChartNote]


class ChartContent(Shape, frozen=True):
    """A chart: `tempo_mbpm` is the file's."""

    title: str
    tempo_mbpm: int
    beats_per_bar: int
    lanes: int
    bars: int
    parts: list[ChartPart]


class Chart(Shape, frozen=True, tag_field="schema", tag="symjam.chart/1"):
    """The chart of the session that is on; `chart` is null while it is not here whole."""

    id: str | None
    chart: ChartContent | None


class Take(Shape, frozen=True):
    """What one player played."""

    player: Hex
    events: list[Event]


class Recording(Shape, frozen=True, tag_field="schema", tag="symjam.recording/1"):
    """What was played in a session, from the entries that all hold."""

    session: Hex
    title: str
    tempo_mbpm: int
    beats_per_bar: int
    duration_us: int
    takes: list[Take]


class GuestHere(Shape, frozen=True):
    """A guest of this node."""

    player: Hex
    here: bool
    since_us: int


class Guests(Shape, frozen=True, tag_field="schema", tag="symjam.guests/1"):
    """Whether guests are let in, and by which link; `qr` is a picture as data: URI."""

    on: bool
    link: str | None
    links: list[str]
    qr: str | None
    seats: int
    guests: list[GuestHere]
