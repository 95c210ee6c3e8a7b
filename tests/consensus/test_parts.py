"""A jam goes on in a new document with every epoch, and everyone can tell which."""

from __future__ import annotations

import msgspec
import pytest

from consensus.blocks import Vote, judge, slice_of
from consensus.events import Event, Kind, onsets
from consensus.ops import SessionOpen, Why, session_id
from consensus.params import SMALL
from consensus.parts import by_document, document_at, ends_us, is_past, part_of
from consensus.quality.replay import ReplayIndex
from crdt.errors import Misuse
from crdt.types import Micros, Window, jam_document
from tests.consensus.test_blocks import AT, LOG, ME, SESSION, proposed

EPOCH_US = SMALL.window_us * SMALL.epoch_windows
LATE_US = EPOCH_US - 3_000_000  # the jam begins so long after an epoch did
OP = SessionOpen("test", 120_000, 4, 4, Micros(1_000 * EPOCH_US + LATE_US), ())
JAM = SESSION._replace(id=session_id(ME.player, OP), op=OP)


def _event(t_us: int) -> Event:
    return Event(Micros(t_us), Kind.NOTE_ON, 1, 60, 90)


@pytest.mark.parametrize(
    ("t_us", "part"), [(0, 0), (2_999_999, 0), (3_000_000, 1), (3_000_000 + EPOCH_US, 2), (50 * EPOCH_US, 50)]
)
def test_the_part_follows_from_the_epoch(t_us: int, part: int) -> None:
    assert document_at(SMALL, JAM, t_us) == jam_document(JAM.id, part)
    assert part_of(SMALL, JAM, SMALL.window_at(OP.t0_us + t_us)) == part
    assert OP.t0_us + t_us < ends_us(SMALL, JAM, part) <= OP.t0_us + t_us + EPOCH_US


def test_no_window_lies_in_two_parts() -> None:
    first = SMALL.window_at(OP.t0_us)
    for window in range(first, first + 3 * SMALL.epoch_windows):
        start, end = (SMALL.window_start_us(Window(window + n)) - OP.t0_us for n in (0, 1))
        assert document_at(SMALL, JAM, max(0, start)) == document_at(SMALL, JAM, end - 1)
        assert part_of(SMALL, JAM, Window(window)) == (window // SMALL.epoch_windows) - 1_000


def test_events_go_where_their_window_is() -> None:
    events = tuple(_event(t_us) for t_us in (3_000_000, 1, 2_999_999, 3_000_001))
    parted = by_document(SMALL, JAM, events)
    assert {document: [e.t_us for e in inside] for document, inside in parted.items()} == {
        jam_document(JAM.id, 1): [3_000_000, 3_000_001],
        jam_document(JAM.id, 0): [1, 2_999_999],
    }
    assert by_document(SMALL, JAM, ()) == {}


def test_what_is_beyond_the_last_part_is_misuse() -> None:
    with pytest.raises(Misuse):
        document_at(SMALL, JAM, 1_000_001 * EPOCH_US)


@pytest.mark.parametrize("part", [1, 2, 7])
def test_a_block_that_names_another_part_than_its_windows_is_refused(part: int) -> None:
    """Otherwise bad notes could be left out of a block by writing them into another document."""
    moved = [
        e.__class__(msgspec.structs.replace(e.body, document=jam_document(SESSION.id, part)), e.id, e.raw) for e in LOG
    ]
    block = msgspec.structs.replace(proposed(), document=jam_document(SESSION.id, part))
    finding = judge(SMALL, SESSION, block, ME.player, moved, ReplayIndex(), {})
    assert (finding.vote, finding.why) == (Vote.NO, Why.MALFORMED)
    assert judge(SMALL, SESSION, proposed(), ME.player, LOG, ReplayIndex(), {}).vote is Vote.YES
    assert part_of(SMALL, SESSION, AT) == 0


def test_a_part_is_past_when_nobody_need_keep_it() -> None:
    past_us = ends_us(SMALL, JAM, 3) + SMALL.keep_windows * SMALL.window_us
    assert not is_past(SMALL, JAM, 3, past_us - 1)
    assert is_past(SMALL, JAM, 3, past_us)
    assert not is_past(SMALL, JAM, 4, past_us)


def test_what_is_past_is_compared_with_by_nobody() -> None:
    """A verifier that has pruned a recording, and one that has not, must find the same."""
    cut = slice_of(SMALL, SESSION, AT, LOG)
    assert cut is not None
    for age, is_found in ((1, True), (SMALL.keep_windows - SMALL.close_windows, True), (SMALL.keep_windows, False)):
        known = ReplayIndex()
        known.add(b"a take", Window(AT - age), onsets(cut.events))
        match = known.find(SMALL, onsets(cut.events), before=AT)
        assert (match is not None) == is_found
