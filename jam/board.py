"""A jam's board: title, tempo, chart, who plays which part, and what people say to each other.

It is one shared document (crdt/shared.py) for each part of the jam. What one sees is all of them together: of what can
be set the latest part's, of what was said all. Any member may change what is set; what was said only its author may
take back. The tempo here is what players agreed on last; what is judged is the grid that the session declared.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, SupportsInt

from crdt.errors import Misuse
from crdt.limits import (
    BOARD_LINE_MAX,
    BOARD_LINES_SHOWN_MAX,
    BOARD_NAME_MAX,
    BOARD_PARTS_NAMED_MAX,
    BOARD_TITLE_MAX,
    SHEETS_READ_MAX,
)
from crdt.shared import Push, Put, Root, Shared
from crdt.types import PlayerId
from crdt.yedit import Value
from jam.chart import Chart
from jam.sheets import SHEETS, allows_sheet, chart_in

TEMPO_MBPM: Final = range(20_000, 400_001)
BARS: Final = range(2**31)
ABOUT: Final = "about"
PARTS: Final = "parts"
CHAT: Final = "chat"


class SetTitle(NamedTuple):
    """What the piece is called."""

    title: str


class SetTempo(NamedTuple):
    """How fast it goes, in thousandths of a beat per minute."""

    tempo_mbpm: int


class SetChart(NamedTuple):
    """Which chart is played, by its content id in hex; empty for none."""

    chart: str


class SetStart(NamedTuple):
    """From which bar of the session on the chart is played, again and again."""

    bar: int


class AddSheet(NamedTuple):
    """A piece of a chart (jam/sheets.py)."""

    chart: str
    number: int
    pieces: int
    text: str


class Assign(NamedTuple):
    """Who plays a part; None for nobody yet. A part that nobody needs any more is dropped by `DropPart`."""

    part: str
    player: PlayerId | None


class DropPart(NamedTuple):
    """There is no such part any more."""

    part: str


class Say(NamedTuple):
    """A line in the chat."""

    text: str


Change = SetTitle | SetTempo | SetChart | SetStart | AddSheet | Assign | DropPart | Say


class Line(NamedTuple):
    """What somebody said, and when by session time as they state it."""

    t_us: int
    player: PlayerId
    text: str


class Board(NamedTuple):
    """What everyone sees; None for what nobody has set."""

    title: str | None = None
    tempo_mbpm: int | None = None
    chart: str | None = None
    start_bar: int | None = None
    parts: tuple[tuple[str, PlayerId | None], ...] = ()
    lines: tuple[Line, ...] = ()


def _allows_about(author: PlayerId, key: str | None, value: Value) -> bool:
    match key:
        case "title":
            return _is_text(value, BOARD_TITLE_MAX)
        case "tempo_mbpm":
            return _is_number(value) and value in TEMPO_MBPM
        case "chart":
            return isinstance(value, str) and (not value or _is_hex(value))
        case "start_bar":
            return _is_number(value) and value in BARS
    return False


def _allows_part(author: PlayerId, key: str | None, value: Value) -> bool:
    if not key or len(key) > BOARD_NAME_MAX:
        return False
    return value is None or (isinstance(value, str) and (not value or _is_hex(value)))


def _allows_line(author: PlayerId, key: str | None, value: Value) -> bool:
    match value:
        case (int(t_us), str(player), str(text)):
            return (
                _is_number(t_us)
                and t_us >= 0
                and player == author.hex()
                and bool(text)
                and _is_text(text, BOARD_LINE_MAX)
            )
    return False


def _is_number(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Value, size: int) -> bool:
    return isinstance(value, str) and len(value) <= size


def _is_hex(value: str) -> bool:
    return len(value) == 64 and all(digit in "0123456789abcdef" for digit in value)


SHAPE: Final = {
    ABOUT: Root(is_map=True, allows=_allows_about),
    PARTS: Root(is_map=True, allows=_allows_part),
    CHAT: Root(is_map=False, allows=_allows_line, own=True),
    SHEETS: Root(is_map=False, allows=allows_sheet, own=True),
}


def op_of(change: Change, author: PlayerId, t_us: int) -> Put | Push:
    """A change as what it does to the shared document. Misuse when it is out of bounds."""
    op: Put | Push
    match change:
        case SetTitle(title):
            op = Put(ABOUT, "title", title)
        case SetTempo(tempo_mbpm):
            op = Put(ABOUT, "tempo_mbpm", tempo_mbpm)
        case SetChart(chart):
            op = Put(ABOUT, "chart", chart)
        case SetStart(bar):
            op = Put(ABOUT, "start_bar", bar)
        case AddSheet(chart, number, pieces, text):
            op = Push(SHEETS, (author.hex(), chart, number, pieces, text))
        case Assign(part, player):
            op = Put(PARTS, part, player.hex() if player else "")
        case DropPart(part):  # said, not deleted: an earlier part of the jam may name it too
            op = Put(PARTS, part, None)
        case Say(text):
            op = Push(CHAT, (t_us, author.hex(), text))
    if not SHAPE[op.root].allows(author, op.key if isinstance(op, Put) else None, op.value):
        raise Misuse(
            f"a title has up to {BOARD_TITLE_MAX} characters, a part's name 1 to {BOARD_NAME_MAX}, a line 1 to "
            f"{BOARD_LINE_MAX}; a tempo is 20 to 400 beats a minute, a chart 64 hex digits, a bar not negative"
        )
    return op


def read(documents: Iterable[Shared]) -> Board:
    """The board that the parts of a jam make together, given from the first to the last."""
    about: dict[str, object] = {}
    parts: dict[str, object] = {}
    lines: list[Line] = []
    for document in documents:
        about.update(document.map(ABOUT))
        parts.update(document.map(PARTS))
        lines.extend(_line(said) for said in document.list(CHAT, BOARD_LINES_SHOWN_MAX))
    named = sorted(name for name, player in parts.items() if player is not None)
    title, tempo, chart, start = (about.get(key) for key in ("title", "tempo_mbpm", "chart", "start_bar"))
    return Board(
        title=str(title) if title is not None else None,
        tempo_mbpm=_whole(tempo) if tempo is not None else None,
        chart=str(chart) if chart is not None else None,
        start_bar=_whole(start) if start is not None else None,
        parts=tuple((name, _player(parts[name])) for name in named[:BOARD_PARTS_NAMED_MAX]),
        lines=tuple(lines[-BOARD_LINES_SHOWN_MAX:]),
    )


def read_chart(documents: Iterable[Shared], wanted: str) -> Chart | None:
    """The chart of this id, when all of it is in one of the parts."""
    found = (chart_in(document.list(SHEETS, SHEETS_READ_MAX), wanted) for document in documents)
    return next((chart for chart in found if chart is not None), None)


def _line(said: object) -> Line:
    assert isinstance(said, list)
    t_us, player, text = said
    return Line(_whole(t_us), PlayerId(bytes.fromhex(player)), text)


def _player(shown: object) -> PlayerId | None:
    return PlayerId(bytes.fromhex(str(shown))) if shown else None


def _whole(number: object) -> int:
    assert isinstance(number, SupportsInt)  # Yjs knows one kind of number; the gate has let only whole ones through
    return int(number)
