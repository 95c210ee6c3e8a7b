"""Performance events: what a jam entry's payload holds (SPEC 5), in a room below jam/ because the rules judge them.

Times are whole microseconds of session time. An event is at most 64 bytes; a note takes about twelve. What five
integers cannot say goes into `data`: a content id of an instrument, the axes of a motion, a marker of a recording.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, encode
from crdt.errors import Misuse, Violation
from crdt.limits import EVENT_DATA_MAX_BYTES, EVENT_MAX_BYTES, EVENTS_PER_ENTRY_MAX
from crdt.types import Micros, MicrosField

LANES: Final = 10
OTHER_LANE: Final = 9

# General MIDI drums by lane. 35 and 41 are not struck on the kit that was measured; they go beside 36 and 43.
DRUM_LANES: Final[dict[int, int]] = {
    pitch: lane
    for lane, pitches in enumerate(
        (
            (35, 36),
            (37, 38, 40),
            (48, 50),
            (45, 47),
            (41, 43, 58),
            (26, 46),
            (22, 42, 44),
            (49, 52, 55, 57),
            (51, 53, 59),
        )
    )
    for pitch in pitches
}


def is_struck(lane: int, pitch: int) -> bool:
    """Whether a note has no pitch to be in harmony with: pitch 0, or that of a drum on the drum's own lane."""
    return pitch == 0 or lane == DRUM_LANES.get(pitch, OTHER_LANE)


class Kind(IntEnum):
    """What happened. Numbers up to 63 are reserved for later kinds: kept, replicated and skipped by the rules."""

    NOTE_ON = 0
    NOTE_OFF = 1
    MOTION = 2
    BEAT = 3
    CONTROL = 4


class Event(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """One thing played: session time, kind, lane 0..9, MIDI pitch and velocity, and what else its kind says."""

    t_us: MicrosField
    kind: Annotated[int, Meta(ge=0, le=63)]
    lane: Annotated[int, Meta(ge=0, le=LANES - 1)]
    pitch: Annotated[int, Meta(ge=0, le=127)]
    velocity: Annotated[int, Meta(ge=0, le=127)]
    data: Annotated[bytes, Meta(min_length=1, max_length=EVENT_DATA_MAX_BYTES)] | None = None


_payload: Canonical[tuple[Event, ...]] = Canonical(
    Annotated[tuple[Event, ...], Meta(max_length=EVENTS_PER_ENTRY_MAX)], EVENTS_PER_ENTRY_MAX * EVENT_MAX_BYTES
)


def encode_events(events: tuple[Event, ...]) -> bytes:
    """The payload of a jam entry."""
    if not 0 < len(events) <= EVENTS_PER_ENTRY_MAX:
        raise Misuse(f"an entry holds 1 to {EVENTS_PER_ENTRY_MAX} events")
    return encode(events)


def decode_events(payload: bytes) -> tuple[Event, ...]:
    """Events of a payload; none when it is not one that this version can read."""
    try:
        return _payload.decode(payload)
    except Violation:
        return ()


class Onset(msgspec.Struct, array_like=True, frozen=True, order=True):
    """A note's beginning, as the rules see it: session time, lane, velocity, MIDI pitch (0 for none)."""

    t_us: Micros
    lane: int
    velocity: int
    pitch: int = 0


def onsets(events: tuple[Event, ...]) -> tuple[Onset, ...]:
    """The sounding note-ons among events, by time, then lane."""
    return tuple(
        sorted(Onset(e.t_us, e.lane, e.velocity, e.pitch) for e in events if e.kind == Kind.NOTE_ON and e.velocity > 0)
    )
