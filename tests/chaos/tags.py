"""Telling events apart by what is played: every event of an author is a note of its own, by number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

from consensus.events import LANES, Kind, decode_events
from crdt.entry import Entry
from crdt.types import PlayerId

_PITCHES = 128
_VELOCITIES = 127  # from 1 on: a note that sounds
TAGS = LANES * _PITCHES * _VELOCITIES


class Tagged(NamedTuple):
    """One event: its author, and its number there."""

    author: PlayerId
    number: int


class Verdict(NamedTuple):
    """What was acknowledged and is not there; what is there more than once; what is there that nobody played."""

    missing: tuple[Tagged, ...]
    doubled: tuple[Tagged, ...]
    foreign: tuple[Tagged, ...]

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.doubled or self.foreign)


def note(number: int, kind: Kind = Kind.NOTE_ON) -> tuple[int, int, int, int]:
    """Kind, lane, pitch and velocity of an author's event by number.

    Of events that are no notes no block is made; to judge those costs eight nodes on one machine more than all else.
    """
    assert 0 <= number < TAGS
    rest, lane = divmod(number, LANES)
    velocity, pitch = divmod(rest, _PITCHES)
    return kind, lane, pitch, velocity + 1


def number_of(lane: int, pitch: int, velocity: int) -> int:
    """The number again."""
    return ((velocity - 1) * _PITCHES + pitch) * LANES + lane


def held(entries: Iterable[Entry]) -> Counter[Tagged]:
    """How often each event is in jam entries."""
    return Counter(
        Tagged(entry.body.author, number_of(event.lane, event.pitch, event.velocity))
        for entry in entries
        for event in decode_events(entry.body.payload)
    )


def judge(
    acknowledged: Mapping[PlayerId, Set[int]], sent: Mapping[PlayerId, Set[int]], found: Counter[Tagged]
) -> Verdict:
    """Every acknowledged event exactly once; one whose answer was lost with its node once or not at all."""
    wanted = {Tagged(author, number) for author, numbers in acknowledged.items() for number in numbers}
    return Verdict(
        missing=tuple(sorted(wanted - found.keys())),
        doubled=tuple(sorted(tag for tag, count in found.items() if count > 1)),
        foreign=tuple(sorted(tag for tag in found if tag.number not in sent.get(tag.author, ()))),
    )
