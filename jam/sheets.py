"""Charts on the board: cut into pieces that fit an edit, and put together again by whoever sees them.

The list `sheets` of the shared document holds `[author, chart id, number, of how many, text]`. A chart is there when
the pieces of one author make bytes with that id; whatever else stands under the id counts for nothing.
"""

from __future__ import annotations

from base64 import b85decode, b85encode
from collections.abc import Iterable, Iterator
from typing import Final

from crdt.errors import Violation
from crdt.limits import CHART_MAX_BYTES, SHEET_TEXT_MAX, SHEETS_MAX
from crdt.types import PlayerId
from crdt.yedit import Value
from jam.chart import CHART, Chart, chart_id

SHEETS: Final = "sheets"


def sheets_of(encoded: bytes) -> Iterator[tuple[str, int, int, str]]:
    """The pieces of an encoded chart: id, number, of how many, text."""
    text = b85encode(encoded).decode()
    count = -(-len(text) // SHEET_TEXT_MAX)
    for number in range(count):
        start = number * SHEET_TEXT_MAX
        yield chart_id(encoded), number, count, text[start : start + SHEET_TEXT_MAX]


def allows_sheet(author: PlayerId, key: str | None, value: Value) -> bool:
    """Whether a value may stand in the list."""
    match value:
        case (str(player), str(chart), int(number), int(count), str(text)):
            return (
                player == author.hex()
                and len(chart) == 64
                and all(digit in "0123456789abcdef" for digit in chart)
                and 0 <= number < count <= SHEETS_MAX
                and 0 < len(text) <= SHEET_TEXT_MAX
            )
    return False


def chart_in(sheets: Iterable[object], wanted: str) -> Chart | None:
    """The chart of this id, when it is there whole."""
    found: dict[tuple[str, int], dict[int, str]] = {}
    for sheet in sheets:
        assert isinstance(sheet, list)
        player, chart, number, count, text = sheet
        if chart == wanted:
            found.setdefault((player, int(count)), {})[int(number)] = text
    for (_, count), texts in found.items():
        if len(texts) == count:
            chart = _decoded("".join(texts[number] for number in range(count)), wanted)
            if chart is not None:
                return chart
    return None


def _decoded(text: str, wanted: str) -> Chart | None:
    try:
        encoded = b85decode(text)
        if len(encoded) > CHART_MAX_BYTES or chart_id(encoded) != wanted:
            return None
        return CHART.decode(encoded)
    except (ValueError, Violation):
        return None
