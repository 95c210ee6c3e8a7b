"""Charts: which lane when, for each part of a piece, easy enough for fingers (SPEC 5).

A chart stands in beats, so it is played at whatever tempo a jam declares. A drum keeps its lane when all ten are used;
otherwise the drums, or the pitches, of a voice are ranked and the ranks divided among the lanes, low to the left. Notes
go to the nearest sixteenth or triplet, for a recording's own timing is no aim. Then notes are left out until none
follows another too fast: the strongest beats stay, and of equals the louder, then the earlier. A chart is an aid to the
eye and names no player: what is judged is the grid (consensus/quality).

A chart's id is the hash of its encoding. It is shared in pieces on the jam's board (jam/sheets.py).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from consensus.events import DRUM_LANES, LANES, OTHER_LANE
from consensus.quality.grid import MINUTE_MBPM_US
from crdt.canonical import Canonical, digest, encode
from crdt.errors import Misuse
from crdt.limits import BOARD_NAME_MAX, BOARD_TITLE_MAX, CHART_MAX_BYTES, CHART_NOTES_MAX, CHART_PARTS_MAX
from jam.voices import TICKS_PER_BEAT, Piece, Voice

LANES_MIN: Final = 4
SPACING_US: Final = {"easy": 400_000, "medium": 220_000, "hard": 110_000}  # between notes that are not struck at once
CHORD_MAX: Final = {"easy": 1, "medium": 2, "hard": 3}
_DELTA_MAX: Final = 2**27

_SNAPS: Final = (TICKS_PER_BEAT // 4, TICKS_PER_BEAT // 3)

Hit = tuple[int, int]  # tick, lane


class Placed(NamedTuple):
    """A note on its lane."""

    tick: int
    lane: int
    velocity: int


class Part(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What one player plays: each number is the ticks since the note before, times ten, plus the lane."""

    name: Annotated[str, Meta(min_length=1, max_length=BOARD_NAME_MAX)]
    packed: Annotated[
        tuple[Annotated[int, Meta(ge=0, lt=_DELTA_MAX * LANES)], ...], Meta(min_length=1, max_length=CHART_NOTES_MAX)
    ]

    def hits(self) -> Iterator[Hit]:
        """The notes as (tick, lane), by time."""
        tick = 0
        for number in self.packed:
            tick += number // LANES
            yield tick, number % LANES


class Chart(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A piece for `lanes` lanes; the tempo is the file's, for who opens a jam to it."""

    version: Literal[1]
    title: Annotated[str, Meta(max_length=BOARD_TITLE_MAX)]
    tempo_mbpm: Annotated[int, Meta(ge=20_000, le=400_000)]
    beats_per_bar: Annotated[int, Meta(ge=1, le=32)]
    lanes: Annotated[int, Meta(ge=LANES_MIN, le=LANES)]
    parts: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=CHART_PARTS_MAX)]


CHART: Final[Canonical[Chart]] = Canonical(Chart, CHART_MAX_BYTES)


def chart_id(encoded: bytes) -> str:
    """The content id of an encoded chart, in hex."""
    return digest(b"symjam-chart", encoded).hex()


def make_chart(piece: Piece, *, lanes: int = LANES, players: int = 1, level: str = "medium") -> Chart:
    """A chart of a piece with a part for each voice, and voices split by lane until there are enough for all players.

    Of more than CHART_PARTS_MAX voices those with most notes are kept; of too many notes the first. Misuse when
    lanes, players or level make no sense.
    """
    if not LANES_MIN <= lanes <= LANES:
        raise Misuse(f"a chart has {LANES_MIN} to {LANES} lanes")
    if not 1 <= players <= CHART_PARTS_MAX:
        raise Misuse(f"a chart has parts for 1 to {CHART_PARTS_MAX} players")
    if level not in SPACING_US:
        raise Misuse(f"a chart is one of {', '.join(SPACING_US)}")
    spacing = max(1, SPACING_US[level] * piece.tempo_mbpm * TICKS_PER_BEAT // MINUTE_MBPM_US)
    kept = sorted(sorted(piece.voices, key=lambda v: (-len(v.notes), v.name))[:CHART_PARTS_MAX], key=piece.voices.index)
    parts = _shared_out([(voice.name, _placed(voice, lanes)) for voice in kept], players)
    easy = _fitting([(name, _thinned(notes, piece.beats_per_bar, spacing, level)) for name, notes in parts])
    return Chart(
        1,
        piece.title[:BOARD_TITLE_MAX],
        piece.tempo_mbpm,
        piece.beats_per_bar,
        lanes,
        tuple(Part(name, tuple(_packed(hits))) for name, hits in easy),
    )


def encode_chart(chart: Chart) -> bytes:
    """Its canonical bytes."""
    return encode(chart)


def bars(chart: Chart) -> int:
    """How many bars it takes."""
    last = max(tick for part in chart.parts for tick, _ in part.hits())
    return last // (TICKS_PER_BEAT * chart.beats_per_bar) + 1


def _placed(voice: Voice, lanes: int) -> list[Placed]:
    """Each note with its lane, on the nearest sixteenth or triplet."""
    keys = [DRUM_LANES.get(n.pitch, OTHER_LANE) if voice.is_drums else n.pitch for n in voice.notes]
    used = sorted(set(keys))
    if voice.is_drums and lanes == LANES:
        lane_of = {key: key for key in used}
    elif len(used) <= lanes:
        lane_of = {key: (lanes - len(used)) // 2 + rank for rank, key in enumerate(used)}
    else:
        lane_of = {key: rank * lanes // len(used) for rank, key in enumerate(used)}
    return [Placed(_snapped(n.tick), lane_of[key], n.velocity) for n, key in zip(voice.notes, keys, strict=True)]


def _snapped(tick: int) -> int:
    return min(((tick + unit // 2) // unit * unit for unit in _SNAPS), key=lambda to: abs(to - tick))


def _strength(tick: int, beats_per_bar: int) -> int:
    """How strong a place in the bar is, 0 for the first beat."""
    for rank, unit in enumerate((TICKS_PER_BEAT * beats_per_bar, TICKS_PER_BEAT, TICKS_PER_BEAT // 2)):
        if tick % unit == 0:
            return rank
    return 3 if tick % (TICKS_PER_BEAT // 4) == 0 else 4


def _thinned(placed: Sequence[Placed], beats_per_bar: int, spacing: int, level: str) -> list[Hit]:
    """The notes that stay, by time."""
    order = sorted(placed, key=lambda n: (_strength(n.tick, beats_per_bar), -n.velocity, n.tick, n.lane))
    chords: dict[int, set[int]] = {}
    ticks: list[int] = []
    for note in order:
        chord = chords.get(note.tick)
        if chord is not None:
            if len(chord) < CHORD_MAX[level]:
                chord.add(note.lane)
            continue
        at = bisect_left(ticks, note.tick)
        if all(abs(tick - note.tick) >= spacing for tick in ticks[max(0, at - 1) : at + 1]):
            insort(ticks, note.tick)
            chords[note.tick] = {note.lane}
    return [(tick, lane) for tick in ticks for lane in sorted(chords[tick])]


def _shared_out(parts: list[tuple[str, list[Placed]]], players: int) -> list[tuple[str, list[Placed]]]:
    """Parts for so many players: the fullest that uses several lanes is cut into low and high until there are."""
    while len(parts) < players:
        divisible = [p for p in parts if len({n.lane for n in p[1]}) > 1 and len(p[0]) + 2 <= BOARD_NAME_MAX]
        if not divisible:
            break
        fullest = max(divisible, key=lambda p: len(p[1]))
        name, notes = fullest
        lanes = sorted({n.lane for n in notes})[1:]
        cut = min(lanes, key=lambda lane: abs(len(notes) - 2 * sum(n.lane < lane for n in notes)))
        halves = [n for n in notes if n.lane < cut], [n for n in notes if n.lane >= cut]
        at = parts.index(fullest)
        parts = [*parts[:at], (f"{name} a", halves[0]), (f"{name} b", halves[1]), *parts[at + 1 :]]
    return parts


def _fitting(parts: list[tuple[str, list[Hit]]]) -> list[tuple[str, list[Hit]]]:
    """The first CHART_NOTES_MAX notes of them all; a part that has none before that is left out."""
    ticks = sorted(tick for _, hits in parts for tick, _ in hits)
    if len(ticks) <= CHART_NOTES_MAX:
        return parts
    until = ticks[CHART_NOTES_MAX]
    cut = [(name, [hit for hit in hits if hit[0] < until]) for name, hits in parts]
    return [(name, hits) for name, hits in cut if hits]


def _packed(hits: Sequence[Hit]) -> Iterator[int]:
    before = 0
    for tick, lane in hits:
        yield (tick - before) * LANES + lane
        before = tick
