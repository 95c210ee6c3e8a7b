"""The payload of a jam entry: what it holds, and what it refuses to."""

from __future__ import annotations

import pytest

from consensus.events import Event, Kind, decode_events, encode_events, onsets
from crdt.canonical import encode
from crdt.errors import Misuse
from crdt.limits import EVENT_DATA_MAX_BYTES, EVENT_MAX_BYTES, EVENTS_PER_ENTRY_MAX, PAYLOAD_MAX_BYTES
from crdt.types import UINT63_MAX, Micros

NOTE = Event(Micros(1_000), Kind.NOTE_ON, 3, 60, 100)
LARGEST = Event(Micros(UINT63_MAX), 63, 9, 127, 127, bytes(EVENT_DATA_MAX_BYTES))


def test_events_come_back_as_they_were() -> None:
    events = (NOTE, LARGEST, Event(Micros(0), Kind.CONTROL, 0, 0, 0, b"x"))
    assert decode_events(encode_events(events)) == events


def test_the_largest_events_fit_their_bounds() -> None:
    assert len(encode_events((LARGEST,))) <= EVENT_MAX_BYTES
    assert len(encode_events((LARGEST,) * EVENTS_PER_ENTRY_MAX)) <= PAYLOAD_MAX_BYTES


@pytest.mark.parametrize("events", [(), (NOTE,) * (EVENTS_PER_ENTRY_MAX + 1)])
def test_no_events_and_too_many_are_no_payload(events: tuple[Event, ...]) -> None:
    with pytest.raises(Misuse):
        encode_events(events)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"garbage",
        encode([[1_000, 0, 3, 60, 100]]),  # another spelling of a note: its last field left out
        encode([[1_000, 0, 3, 60, 100, b""]]),  # and another: no data as empty data
        encode([[1_000, 0, 3, 60, 100, bytes(EVENT_DATA_MAX_BYTES + 1)]]),
        encode([[1_000, 0, 3, 60, 100, "text"]]),
        encode([[1_000, 0, 3, 60, 100, None, None]]),
        encode([[-1, 0, 3, 60, 100, None]]),
        encode([[1_000, 64, 3, 60, 100, None]]),
        encode([[1_000, 0, 10, 60, 100, None]]),
        encode([[1_000, 0, 3, 128, 100, None]]),
        encode([[1_000, 0, 3, 60, 1.0, None]]),
        encode([[1_000, 0, 3, 60, 100, None]] * (EVENTS_PER_ENTRY_MAX + 1)),
    ],
)
def test_what_is_no_payload_holds_no_events(payload: bytes) -> None:
    assert decode_events(payload) == ()


def test_only_sounding_notes_are_onsets() -> None:
    silent = Event(Micros(1), Kind.NOTE_ON, 3, 60, 0)
    off = Event(Micros(2), Kind.NOTE_OFF, 3, 60, 100)
    assert [o.t_us for o in onsets((off, silent, NOTE))] == [1_000]
