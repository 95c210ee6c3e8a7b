"""Charts: every voice a part, easy enough, the same for everyone, and nothing that is no chart."""

from __future__ import annotations

import io
from itertools import pairwise
from random import Random

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse, OperatingFailure, Violation
from crdt.limits import CHART_MAX_BYTES, CHART_NOTES_MAX, CHART_PARTS_MAX
from crdt.types import PlayerId
from jam.chart import CHART, SPACING_US, Chart, bars, chart_id, encode_chart, make_chart
from jam.sheets import allows_sheet, chart_in, sheets_of
from jam.voices import TICKS_PER_BEAT, Piece, Struck, Voice, read_piece
from tests.groove import needs_groove, take

AUTHOR = PlayerId(bytes(range(32)))


def midi(tracks: list[list[mido.Message]], division: int = 480, kind: int = 1) -> bytes:
    file = mido.MidiFile(type=kind, ticks_per_beat=division)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def note(pitch: int, wait: int = 0, channel: int = 0, velocity: int = 90) -> mido.Message:
    return mido.Message("note_on", note=pitch, velocity=velocity, channel=channel, time=wait)


def band() -> bytes:
    bass = [mido.MetaMessage("track_name", name="bass"), *(note(40 + n % 5, 240 if n else 0) for n in range(64))]
    drums = [note(36 if n % 2 else 42, 120 if n else 0, channel=9) for n in range(128)]
    tempo = [
        mido.MetaMessage("set_tempo", tempo=600_000),
        mido.MetaMessage("time_signature", numerator=3, denominator=4),
    ]
    return midi([tempo, bass, drums])


def piece(ticks_pitches: list[tuple[int, int]], is_drums: bool = False, tempo_mbpm: int = 120_000) -> Piece:
    notes = tuple(sorted(Struck(tick, pitch, 90) for tick, pitch in ticks_pitches))
    return Piece("x", tempo_mbpm, 4, (Voice("one", is_drums, notes),))


def test_a_files_voices_keep_their_names_beats_and_metre() -> None:
    found = read_piece(band(), "song")
    assert (found.tempo_mbpm, found.beats_per_bar) == (100_000, 3)
    assert [(v.name, v.is_drums, len(v.notes)) for v in found.voices] == [("bass", False, 64), ("drums", True, 128)]
    assert [n.tick for n in found.voices[0].notes[:4]] == [0, 48, 96, 144]
    assert found.voices[1].notes[1].tick == 24


def test_tempo_changes_do_not_move_beats() -> None:
    track = [note(60), mido.MetaMessage("set_tempo", tempo=300_000, time=480), note(60), note(60, 480)]
    assert [n.tick for n in read_piece(midi([track]), "x").voices[0].notes] == [0, 96, 192]


def test_channels_of_one_track_are_voices_of_their_own() -> None:
    found = read_piece(midi([[note(60), note(64, channel=3), note(36, channel=9)]], kind=0), "x")
    assert [voice.name for voice in found.voices] == ["voice 1", "voice 4", "drums"]


def test_voices_of_one_name_are_told_apart() -> None:
    track = [mido.MetaMessage("track_name", name="horns"), note(60)]
    assert [v.name for v in read_piece(midi([list(track), list(track)]), "x").voices] == ["horns", "horns 2"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not a Standard MIDI File"),
        (b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk\x00\x00\x00\x04\x00\x90", "not a Standard MIDI File"),
        (b"RIFF" * 100, "not a Standard MIDI File"),
        (b"MThd" + bytes(1_000_000), "larger than"),
        (midi([[mido.MetaMessage("track_name", name="nobody")]]), "no note"),
        (midi([[note(60)], [note(60)]], kind=2), "several songs"),
        (midi([[note(60), *(note(60, 2**27) for _ in range(60))]], division=1), "longer than"),
    ],
    ids=["empty", "cut", "other", "large", "silent", "songs", "long"],
)
def test_what_is_no_piece_is_refused_in_words(raw: bytes, why: str) -> None:
    with pytest.raises(OperatingFailure) as caught:
        read_piece(raw, "x")
    assert why in caught.value.why and caught.value.remedy


def test_damaged_files_never_do_worse_than_being_refused() -> None:
    chance, whole = Random(7), band()
    for _ in range(300):
        raw = bytearray(whole[: chance.randrange(1, len(whole))] if chance.random() < 0.5 else whole)
        for _ in range(chance.randrange(1, 6)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        try:
            encode_chart(make_chart(read_piece(bytes(raw), "x"), players=4))
        except OperatingFailure:
            continue


def test_a_part_for_each_voice_and_more_for_more_players() -> None:
    found = read_piece(band(), "song")
    assert [part.name for part in make_chart(found).parts] == ["bass", "drums"]
    shared = make_chart(found, players=4)
    assert [part.name for part in shared.parts] == ["bass a", "bass b", "drums a", "drums b"]
    low, high = ({lane for _, lane in part.hits()} for part in shared.parts[:2])
    assert max(low) < min(high)
    assert bars(shared) == 11  # 64 eighths in three


def test_drums_keep_their_lanes_on_ten_and_share_fewer() -> None:
    hits = [(n * 96, pitch) for n, pitch in enumerate((36, 38, 42, 49, 51, 47, 43, 46))]
    assert [lane for _, lane in make_chart(piece(hits, is_drums=True)).parts[0].hits()] == [0, 1, 6, 7, 8, 3, 4, 5]
    few = [lane for _, lane in make_chart(piece(hits, is_drums=True), lanes=4).parts[0].hits()]
    assert set(few) == {0, 1, 2, 3}


def test_higher_is_to_the_right() -> None:
    lanes = [lane for _, lane in make_chart(piece([(n * 96, 40 + n) for n in range(30)]), lanes=7).parts[0].hits()]
    assert lanes == sorted(lanes) and set(lanes) == set(range(7))


def test_the_beat_stays_when_notes_are_left_out() -> None:
    hits = list(make_chart(piece([(n * 24, 60) for n in range(64)]), level="easy").parts[0].hits())
    assert [tick for tick, _ in hits] == [n * TICKS_PER_BEAT for n in range(16)]


@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 127)), min_size=1, max_size=200),
    st.booleans(),
    st.integers(4, 10),
    st.integers(1, 8),
    st.sampled_from(sorted(SPACING_US)),
    st.integers(20_000, 400_000),
)
def test_nothing_follows_too_fast_and_everything_fits(
    notes: list[tuple[int, int]], is_drums: bool, lanes: int, players: int, level: str, tempo: int
) -> None:
    chart = make_chart(piece(notes, is_drums, tempo), lanes=lanes, players=players, level=level)
    for part in chart.parts:
        hits = list(part.hits())
        assert hits == sorted(set(hits)) and all(0 <= lane < lanes for _, lane in hits)
        ticks = sorted({tick for tick, _ in hits})
        gaps_us = [(b - a + 1) * 60_000_000_000 // (tempo * TICKS_PER_BEAT) for a, b in pairwise(ticks)]
        assert all(gap_us >= SPACING_US[level] for gap_us in gaps_us)
    encoded = encode_chart(chart)
    assert CHART.decode(encoded) == chart and len({part.name for part in chart.parts}) == len(chart.parts)
    sheets = [[AUTHOR.hex(), *sheet] for sheet in sheets_of(encoded)]
    assert all(allows_sheet(AUTHOR, None, tuple(sheet)) for sheet in sheets)
    assert chart_in(reversed(sheets), chart_id(encoded)) == chart


def test_the_longest_chart_fits_its_bounds() -> None:
    voices = tuple(
        Voice(f"{n} of a long name", False, tuple(Struck(6_553 * i, 30 + i % 60, 90) for i in range(4_000)))
        for n in range(12)
    )
    chart = make_chart(Piece("x" * 200, 120_000, 4, voices), level="hard")
    assert len(chart.parts) == CHART_PARTS_MAX
    assert sum(len(part.packed) for part in chart.parts) <= CHART_NOTES_MAX
    assert len(encode_chart(chart)) <= CHART_MAX_BYTES
    sheets = [[AUTHOR.hex(), *sheet] for sheet in sheets_of(encode_chart(chart))]
    assert all(allows_sheet(AUTHOR, None, tuple(sheet)) for sheet in sheets)


@pytest.mark.parametrize("wrong", [{"lanes": 3}, {"lanes": 11}, {"players": 0}, {"players": 9}, {"level": "absurd"}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Misuse):
        make_chart(piece([(0, 60)]), **wrong)  # type: ignore[arg-type]


def a_chart() -> Chart:
    return make_chart(read_piece(band(), "song"))


def test_a_chart_is_there_only_when_all_of_one_authors_pieces_are() -> None:
    chance = Random(3)
    voices = tuple(
        Voice(
            f"v{n}",
            False,
            tuple(Struck(i * 24 + chance.randrange(5) * 600, chance.randrange(128), 90) for i in range(900)),
        )
        for n in range(4)
    )
    encoded = encode_chart(make_chart(Piece("x", 60_000, 4, voices), level="hard"))
    wanted = chart_id(encoded)
    mine = [["aa", *sheet] for sheet in sheets_of(encoded)]
    assert len(mine) > 1
    forged = [["bb", wanted, n, len(mine), "garbage"] for n in range(len(mine))]
    assert chart_in(forged, wanted) is None
    assert chart_in([*mine[:-1], *forged], wanted) is None
    assert chart_in([*forged, *mine], wanted) is not None
    assert chart_in(mine, "0" * 64) is None


@pytest.mark.parametrize(
    "value",
    [
        ("00" * 32, "0" * 64, 0, 1, "x"),  # another's
        (AUTHOR.hex(), "0" * 63, 0, 1, "x"),
        (AUTHOR.hex(), "0" * 64, 1, 1, "x"),
        (AUTHOR.hex(), "0" * 64, 0, 17, "x"),
        (AUTHOR.hex(), "0" * 64, 0, 1, ""),
        (AUTHOR.hex(), "0" * 64, 0, 1, "x" * 3_501),
        (AUTHOR.hex(), "0" * 64, 0, 1),
        "x",
    ],
)
def test_what_is_no_piece_of_a_chart_may_not_stand_on_the_board(value: object) -> None:
    assert not allows_sheet(AUTHOR, None, value)  # type: ignore[arg-type]


def test_bytes_that_are_no_chart_are_refused() -> None:
    encoded = encode_chart(a_chart())
    for wrong in (encoded[:-1], encoded + b"\0", b"", b"\x96" + encoded[1:6]):
        with pytest.raises(Violation):
            CHART.decode(wrong)


@needs_groove
def test_a_real_take_becomes_a_chart_that_hands_can_play() -> None:
    path = take("drummer1/session1/102_funk_95_beat_4-4")
    piece_of = read_piece(path.read_bytes(), path.stem)
    sizes = [
        sum(len(part.packed) for part in make_chart(piece_of, level=level).parts)
        for level in ("easy", "medium", "hard")
    ]
    assert 0 < sizes[0] < sizes[1] <= sizes[2] <= sum(len(voice.notes) for voice in piece_of.voices)
    assert (piece_of.tempo_mbpm, piece_of.beats_per_bar) == (95_000, 4)
