"""The voices of a MIDI file: who plays what at which beat, for charts. How long a beat lasts is left out, so tempo
changes and what a player made of them are too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from crdt.errors import Unusable
from crdt.limits import CHART_FILE_MAX_BYTES, MIDI_EVENTS_MAX
from jam.midi import DRUM_CHANNEL, declared_metre, open_file

TICKS_PER_BEAT = 96  # sixteenths are 24, triplets of eighths 32
BEATS_MAX = 100_000


class Struck(NamedTuple):
    """A note's beginning: ticks of a 96th of a beat from the start, MIDI pitch and velocity."""

    tick: int
    pitch: int
    velocity: int


class Voice(NamedTuple):
    """What one channel of one track plays, by time."""

    name: str
    is_drums: bool
    notes: tuple[Struck, ...]


class Piece(NamedTuple):
    """A file's voices, in the file's order, and the grid they stand on."""

    title: str
    tempo_mbpm: int
    beats_per_bar: int
    voices: tuple[Voice, ...]


def read_piece(raw: bytes, title: str, what: str = "cannot make a chart of this") -> Piece:
    """The voices of a MIDI file's bytes. Unusable says what is wrong with it and what to do."""
    if len(raw) > CHART_FILE_MAX_BYTES:
        raise Unusable(what, f"larger than {CHART_FILE_MAX_BYTES} bytes", "Give a shorter piece")
    file = open_file(raw, what)
    if sum(len(track) for track in file.tracks) > MIDI_EVENTS_MAX:
        raise Unusable(what, f"more than {MIDI_EVENTS_MAX} events", "Give a shorter piece")
    metre = declared_metre(file)
    found: list[Voice] = []
    for track in file.tracks:
        found.extend(_voices_of(track, file.ticks_per_beat, metre.beat_ticks_e3))
    if not found:
        raise Unusable(what, "there is no note in it", "Give a file that holds a piece")
    if max(voice.notes[-1].tick for voice in found) > BEATS_MAX * TICKS_PER_BEAT:
        raise Unusable(what, f"longer than {BEATS_MAX} beats", "Give a shorter piece")
    return Piece(title, metre.tempo_mbpm, metre.beats_per_bar, tuple(_told_apart(found)))


def _voices_of(track: Any, division: int, beat_ticks_e3: int) -> list[Voice]:
    """The channels of one track that hold notes."""
    notes: dict[int, list[Struck]] = {}
    name, now = "", 0
    for message in track:
        now += message.time
        if message.type == "track_name":
            name = "".join(c for c in str(message.name).strip() if c.isprintable())[:16]
        elif message.type == "note_on" and message.velocity > 0:
            tick = (2_000 * now * TICKS_PER_BEAT + beat_ticks_e3) // (2 * beat_ticks_e3)
            notes.setdefault(message.channel, []).append(Struck(tick, message.note, message.velocity))
    return [
        Voice(_name(name, channel), channel == DRUM_CHANNEL, tuple(sorted(notes[channel]))) for channel in sorted(notes)
    ]


def _name(track: str, channel: int) -> str:
    return track or ("drums" if channel == DRUM_CHANNEL else f"voice {channel + 1}")


def _told_apart(voices: Iterable[Voice]) -> Iterable[Voice]:
    """The same with names that occur once."""
    seen: dict[str, int] = {}
    for voice in voices:
        seen[voice.name] = seen.get(voice.name, 0) + 1
        yield voice if seen[voice.name] == 1 else voice._replace(name=f"{voice.name} {seen[voice.name]}")
