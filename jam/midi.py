"""Standard MIDI files as performances: what was played, in microseconds, on ten lanes (notes/jam.md).

A file's ticks become time through every tempo change in it, in exact integers. The declared tempo of the performance
is the one that holds for most of its time. Percussion lands on lanes by instrument; a melody lands by pitch class
(twelve onto ten, `pitch % 12 * 10 // 12`), so that a note keeps its lane in every octave and no lane depends on what
else is in the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from consensus.events import DRUM_LANES, OTHER_LANE, Event, Kind, Onset, onsets
from consensus.quality.grid import Grid
from crdt.errors import OperatingFailure, Unusable
from crdt.limits import MIDI_DURATION_MAX_US, MIDI_EVENTS_MAX, MIDI_FILE_MAX_BYTES
from crdt.types import Micros

DRUM_CHANNEL: Final = 9  # the tenth, counted from 0
DEFAULT_TEMPO_US: Final = 500_000  # per quarter note, when a file says nothing
TEMPO_RANGE_MBPM: Final = (20_000, 400_000)  # what a session can declare
_MELODIC: Final = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
WRITE_DIVISION: Final = 24_000  # ticks per quarter: about 20 us at 120 beats per minute

# What mido is known to raise on bytes that are no MIDI file; tests/jam/test_midi.py fuzzes for others.
_MALFORMED: Final = (OSError, EOFError, ValueError, LookupError, TypeError, ArithmeticError, AttributeError)


class Note(NamedTuple):
    """One event of a performance: microseconds from its start, Kind, lane, MIDI pitch, velocity."""

    t_us: int
    kind: int
    lane: int
    pitch: int
    velocity: int


class Performance(NamedTuple):
    """Something played, with the grid it was played to: tempo in thousandths of a beat per minute."""

    title: str
    tempo_mbpm: int
    beats_per_bar: int
    events: tuple[Note, ...]
    duration_us: int

    def as_events(self, shift_us: int = 0) -> tuple[Event, ...]:
        """The same as events of a jam, moved in time by `shift_us`."""
        return tuple(Event(Micros(n.t_us + shift_us), n.kind, n.lane, n.pitch, n.velocity) for n in self.events)

    def onsets(self) -> tuple[Onset, ...]:
        """The beginnings of its notes, as the rules see them."""
        return onsets(self.as_events())


def load(path: Path | str, doing: str = "play") -> Performance:
    """Read a MIDI file, to play it or for what else is said. OperatingFailure says what is wrong and what to do."""
    file = Path(path)
    what = f"cannot {doing} {file.name}"
    try:
        with file.open("rb") as stream:
            raw = stream.read(MIDI_FILE_MAX_BYTES + 1)
    except OSError as error:
        raise OperatingFailure(what, error.strerror or "it cannot be read", "Give the path of a MIDI file") from None
    return parse(raw, file.stem, what)


def parse(raw: bytes, title: str, what: str = "cannot play this") -> Performance:
    """A performance from a MIDI file's bytes; Unusable says what is wrong with them."""
    file = open_file(raw, what)
    messages = _in_order(file.tracks)
    notes = [m for _, m in messages if m.type == "note_on" and m.velocity > 0]
    if not notes:
        raise Unusable(what, "there is no note in it", "Give a file that holds a performance")
    if len(messages) > MIDI_EVENTS_MAX:
        raise Unusable(what, f"more than {MIDI_EVENTS_MAX} events", "Give a shorter recording")
    all_drums = not any(m.type == "program_change" for _, m in messages) and not any(
        m.channel != DRUM_CHANNEL and m.note not in DRUM_LANES for m in notes
    )
    tempo_us, beats, beat_unit = _metre(file.ticks_per_beat, messages)
    events = tuple(_events(file.ticks_per_beat, messages, all_drums))
    if events[-1].t_us > MIDI_DURATION_MAX_US:
        raise Unusable(what, "it lasts longer than a day", "Give a shorter recording")
    return Performance(
        title, _declarable((30_000_000_000 * beat_unit + tempo_us) // (2 * tempo_us)), beats, events, events[-1].t_us
    )


def open_file(raw: bytes, what: str) -> Any:
    """A mido.MidiFile of a file's bytes, its times in ticks per beat; Unusable as for `parse`."""
    import mido

    if len(raw) > MIDI_FILE_MAX_BYTES:
        raise Unusable(what, f"larger than {MIDI_FILE_MAX_BYTES} bytes", "Give a shorter recording")
    try:
        file = mido.MidiFile(file=io.BytesIO(raw), clip=True)
    except _MALFORMED:
        raise Unusable(what, "not a Standard MIDI File, or a damaged one", "Export it again") from None
    if file.ticks_per_beat <= 0:
        raise Unusable(what, "its times are not in ticks per beat", "Export it with a tempo")
    if file.type == 2:
        raise Unusable(what, "it holds several songs (type 2)", "Export one of them as type 0 or 1")
    return file


class Metre(NamedTuple):
    """What a file says of its beats; `beat_ticks_e3` is the length of one in thousandths of the file's ticks."""

    tempo_mbpm: int
    beats_per_bar: int
    beat_ticks_e3: int


def declared_metre(file: Any) -> Metre:
    """The metre of a mido.MidiFile; its beats are those of the tempo that a session can declare."""
    tempo_us, beats, beat_unit = _metre(file.ticks_per_beat, _in_order(file.tracks))
    actual = max(1, (30_000_000_000 * beat_unit + tempo_us) // (2 * tempo_us))
    tempo_mbpm = _declarable(actual)
    return Metre(tempo_mbpm, beats, max(1, file.ticks_per_beat * 4_000 * actual // (beat_unit * tempo_mbpm)))


def _in_order(tracks: Any) -> list[tuple[int, Any]]:
    """All tracks as one, with absolute ticks; a tempo change comes before the notes of its tick."""
    merged: list[tuple[int, Any]] = []
    for track in tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type in ("note_on", "note_off", "set_tempo", "time_signature", "program_change"):
                merged.append((tick, message))
    merged.sort(key=lambda item: (item[0], item[1].type in ("note_on", "note_off")))
    return merged


def _metre(division: int, messages: list[tuple[int, Any]]) -> tuple[int, int, int]:
    """(microseconds per quarter that hold for most of the time, beats per bar, note value of a beat)."""
    held: dict[int, int] = {}
    tempo_us, since = DEFAULT_TEMPO_US, 0
    signature: tuple[int, int] | None = None
    for tick, message in messages:
        if message.type == "set_tempo":
            held[tempo_us] = held.get(tempo_us, 0) + (tick - since) * tempo_us
            tempo_us, since = max(1, message.tempo), tick
        elif message.type == "time_signature" and signature is None:
            signature = (message.numerator, message.denominator)
    ends = messages[-1][0] if messages else 0
    held[tempo_us] = held.get(tempo_us, 0) + (ends - since) * tempo_us
    tempo_us = max(held, key=lambda tempo: (held[tempo], -tempo))
    numerator, denominator = signature or (4, 4)
    if numerator * 4 % denominator == 0:  # whole quarters fit a bar: 4/4, 3/4, 6/8
        beats, beat_unit = numerator * 4 // denominator, 4
    else:  # 7/8: the eighth is the beat
        beats, beat_unit = numerator, denominator
    return tempo_us, min(max(beats, 1), 32), beat_unit


def _declarable(tempo_mbpm: int) -> int:
    """The tempo, halved or doubled until a session can declare it: the same grid in other words."""
    low, high = TEMPO_RANGE_MBPM
    tempo = max(tempo_mbpm, 1)
    while tempo > high:
        tempo //= 2
    while tempo < low:
        tempo *= 2
    return tempo


def _events(division: int, messages: list[tuple[int, Any]], all_drums: bool) -> Iterator[Note]:
    """Notes in time order. Time is kept as ticks times tempo, so that nothing is lost by rounding on the way."""
    elapsed, tempo_us, last = 0, DEFAULT_TEMPO_US, 0
    for tick, message in messages:
        elapsed += (tick - last) * tempo_us
        last = tick
        if message.type == "set_tempo":
            tempo_us = max(1, message.tempo)
        elif message.type in ("note_on", "note_off"):
            kind = Kind.NOTE_ON if message.type == "note_on" and message.velocity > 0 else Kind.NOTE_OFF
            drum = all_drums or message.channel == DRUM_CHANNEL
            lane = DRUM_LANES.get(message.note, OTHER_LANE) if drum else message.note % 12 * 10 // 12
            velocity = message.velocity if kind is Kind.NOTE_ON else 0
            yield Note((2 * elapsed + division) // (2 * division), kind, lane, message.note, velocity)


def write(performance: Performance, path: Path | str) -> None:
    """Write a MIDI file of one track, on the drum channel when every note is a drum's. Times round to about 20 us."""
    raw = written(performance.title, performance.tempo_mbpm, performance.beats_per_bar, {"": performance.events})
    try:
        Path(path).write_bytes(raw)
    except OSError as error:
        raise OperatingFailure(f"cannot write {path}", error.strerror or "unknown", "Choose another place") from None


def written(title: str, tempo_mbpm: int, beats_per_bar: int, takes: Mapping[str, Sequence[Note]]) -> bytes:
    """The bytes of a MIDI file: of one track for one take, else of one track more for each, with its name. A take's
    notes go to the drum channel when all are a drum's, else to a channel of its own, as long as there are any."""
    import mido

    tempo_us = min(round(60_000_000_000 / tempo_mbpm), 0xFFFFFF)
    head = mido.MidiTrack()
    head.append(mido.MetaMessage("track_name", name=_latin(title)))
    head.append(mido.MetaMessage("set_tempo", tempo=tempo_us))
    head.append(mido.MetaMessage("time_signature", numerator=beats_per_bar, denominator=4))
    file = mido.MidiFile(type=0 if len(takes) == 1 else 1, ticks_per_beat=WRITE_DIVISION)
    file.tracks.append(head)
    for number, (name, notes) in enumerate(takes.items()):
        track = head
        if len(takes) > 1:
            track = mido.MidiTrack()
            track.append(mido.MetaMessage("track_name", name=_latin(name)))
            file.tracks.append(track)
        is_drums = all(n.lane == DRUM_LANES.get(n.pitch, OTHER_LANE) for n in notes)
        _write_notes(track, notes, DRUM_CHANNEL if is_drums else _MELODIC[number % len(_MELODIC)], tempo_us)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def _write_notes(track: Any, notes: Sequence[Note], channel: int, tempo_us: int) -> None:
    import mido

    last = 0
    for note in notes:
        tick = (2 * note.t_us * WRITE_DIVISION + tempo_us) // (2 * tempo_us)
        kind = "note_on" if note.kind == Kind.NOTE_ON else "note_off"
        track.append(mido.Message(kind, channel=channel, note=note.pitch, velocity=note.velocity, time=tick - last))
        last = tick


def _latin(text: str) -> str:
    """What a file can say: text in it is Latin-1."""
    return text.encode("latin-1", "replace").decode("latin-1")


def quantised(performance: Performance, grid: Grid) -> Performance:
    """The same with every note on the grid and its length kept: what a machine would play."""
    shift: dict[int, int] = {}  # of the note that sounds at a pitch
    moved: list[Note] = []
    for note in performance.events:
        if note.kind == Kind.NOTE_ON:
            shift[note.pitch] = -grid.deviation_us(note.t_us)
        moved.append(note._replace(t_us=max(0, note.t_us + shift.get(note.pitch, 0))))
    moved.sort(key=lambda n: n.t_us)
    return performance._replace(title=f"{performance.title} (quantised)", events=tuple(moved))
