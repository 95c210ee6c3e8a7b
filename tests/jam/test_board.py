"""The board: what may be set and said, and what several parts of a jam make of it together."""

from __future__ import annotations

import pytest

from crdt.errors import Misuse
from crdt.keys import Identity
from crdt.shared import Push, Put, Shared
from jam.board import (
    CHAT,
    PARTS,
    SHAPE,
    Assign,
    Board,
    Change,
    DropPart,
    Line,
    Say,
    SetChart,
    SetTempo,
    SetTitle,
    op_of,
    read,
)
from tests.crdt.authors import ALICE, BOB

CHART = "ab" * 32


def _change(shared: Shared, who: Identity, *changes: Change, t_us: int = 7) -> None:
    client = 5 if who is ALICE else 7
    for change in changes:
        shared.add(client, who.player, shared.draft(client, who.player, op_of(change, who.player, t_us)))


def test_everything_is_set_and_said() -> None:
    shared = Shared(SHAPE)
    _change(shared, ALICE, SetTitle("Blues"), SetTempo(96_500), SetChart(CHART), Assign("bass", BOB.player))
    _change(shared, BOB, SetTitle("Blues in F"), Assign("drums", None), Say("one, two"), t_us=2**53 - 1)
    assert read([shared]) == Board(
        title="Blues in F",
        tempo_mbpm=96_500,
        chart=CHART,
        parts=(("bass", BOB.player), ("drums", None)),
        lines=(Line(2**53 - 1, BOB.player, "one, two"),),
    )
    assert read([]) == read([Shared(SHAPE)]) == Board()


def test_later_parts_of_the_jam_have_the_last_word() -> None:
    first, second = Shared(SHAPE), Shared(SHAPE)
    _change(first, ALICE, SetTitle("old"), SetTempo(80_000), Assign("bass", BOB.player), Assign("keys", None), Say("a"))
    _change(second, BOB, SetTitle("new"), DropPart("bass"), Say("b"))
    board = read([first, second])
    assert (board.title, board.tempo_mbpm, board.parts) == ("new", 80_000, (("keys", None),))
    assert [line.text for line in board.lines] == ["a", "b"]


@pytest.mark.parametrize(
    "change",
    [
        SetTitle("x" * 81),
        SetTempo(19_999),
        SetTempo(400_001),
        SetChart("ab"),
        SetChart("AB" * 32),
        Assign("", None),
        Assign("x" * 25, ALICE.player),
        DropPart(""),
        Say(""),
        Say("x" * 501),
    ],
)
def test_what_is_out_of_bounds_is_misuse(change: Change) -> None:
    with pytest.raises(Misuse):
        op_of(change, ALICE.player, 1)


@pytest.mark.parametrize(
    "op",
    [
        Push(CHAT, (1, BOB.player.hex(), "in another's name")),
        Push(CHAT, (-1, ALICE.player.hex(), "before the beginning")),
        Push(CHAT, (True, ALICE.player.hex(), "at no time")),
        Push(CHAT, (1, ALICE.player.hex())),
        Push(CHAT, "bare"),
        Put(PARTS, "bass", "nobody"),
        Put(PARTS, "bass", 7),
        Put("about", "colour", "red"),
        Put("about", "tempo_mbpm", True),
        Put("about", "title", 7),
        Put("about", "title", None),
    ],
)
def test_what_has_no_place_on_the_board_is_refused(op: Put | Push) -> None:
    with pytest.raises(Misuse):
        Shared(SHAPE).draft(5, ALICE.player, op)
