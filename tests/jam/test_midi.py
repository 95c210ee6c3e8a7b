"""MIDI files in, performances out; whatever else comes in, a message that says what to do."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.events import Kind
from consensus.quality.grid import Grid
from crdt.errors import OperatingFailure
from crdt.limits import MIDI_FILE_MAX_BYTES
from jam import midi, synthetic
from jam.grid import choose_subdivision
from tests.groove import needs_groove, take


def midi_bytes(*messages, division: int = 480, kind: int = 0, tracks=None) -> bytes:
    file = mido.MidiFile(type=kind, ticks_per_beat=division)
    for content in tracks or [messages]:
        file.tracks.append(mido.MidiTrack(content))
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def on(note: int, time: int = 0, channel: int = 0, velocity: int = 64) -> mido.Message:
    return mido.Message("note_on", note=note, time=time, channel=channel, velocity=velocity)


def tempo(us: int, time: int = 0) -> mido.MetaMessage:
    return mido.MetaMessage("set_tempo", tempo=us, time=time)


def test_time_follows_every_tempo_change_without_rounding_on_the_way() -> None:
    raw = midi_bytes(
        tempo(638_298), on(36), on(36, 480), tempo(500_001, 480), *[on(36, 1) for _ in range(480 * 7)], division=480
    )
    times = [e.t_us for e in midi.parse(raw, "t").events]
    assert times[:2] == [0, 638_298]
    assert times[-1] == 2 * 638_298 + 7 * 500_001


def test_tempo_is_the_one_that_holds_longest_in_thousandths() -> None:
    raw = midi_bytes(tempo(500_000), on(36), tempo(638_298, 480), on(36, 4_800))
    assert midi.parse(raw, "t").tempo_mbpm == 94_000
    assert midi.parse(midi_bytes(on(36)), "t").tempo_mbpm == 120_000


@pytest.mark.parametrize(("us", "mbpm"), [(60_000, 250_000), (16_777_215, 28_610), (1, 228_882), (0, 228_882)])
def test_a_tempo_no_session_can_declare_is_halved_or_doubled(us: int, mbpm: int) -> None:
    found = midi.parse(midi_bytes(tempo(us), on(36, 480)), "t").tempo_mbpm
    assert 20_000 <= found <= 400_000
    if us > 1:
        ratio = found / (60_000_000_000 / us)
        assert any(ratio == pytest.approx(2.0**k, rel=1e-3) for k in range(-12, 12))


@pytest.mark.parametrize(
    ("signature", "beats", "mbpm"),
    [((3, 4), 3, 120_000), ((6, 8), 3, 120_000), ((7, 8), 7, 240_000), ((2, 2), 4, 120_000)],
)
def test_beats_are_counted_in_what_divides_the_bar(signature, beats, mbpm) -> None:
    meta = mido.MetaMessage("time_signature", numerator=signature[0], denominator=signature[1])
    found = midi.parse(midi_bytes(meta, on(36)), "t")
    assert (found.beats_per_bar, found.tempo_mbpm) == (beats, mbpm)


def test_drums_land_by_instrument() -> None:
    kit = [36, 37, 38, 40, 48, 50, 45, 47, 43, 58, 26, 46, 22, 42, 44, 49, 52, 55, 57, 51, 53, 59, 39, 75]
    lanes = [0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 9, 9]
    found = midi.parse(midi_bytes(*[on(n, 10, channel=9) for n in kit]), "t")
    assert [e.lane for e in found.events] == lanes


def test_notes_of_a_kit_on_another_channel_are_drums_unless_an_instrument_is_named() -> None:
    assert [e.lane for e in midi.parse(midi_bytes(on(36), on(38, 9)), "t").events] == [0, 1]
    program = mido.Message("program_change", program=33)
    assert [e.lane for e in midi.parse(midi_bytes(program, on(36), on(38, 9)), "t").events] == [0, 1]  # pitch classes
    assert [e.lane for e in midi.parse(midi_bytes(program, on(43), on(49, 9)), "t").events] == [5, 0]
    assert [e.lane for e in midi.parse(midi_bytes(on(43), on(49, 9)), "t").events] == [4, 7]


@given(st.integers(0, 115))
def test_a_melody_keeps_its_lanes_in_every_octave(pitch: int) -> None:
    low, high = midi.parse(midi_bytes(on(0), on(pitch), on(pitch + 12)), "t").events[1:]
    assert low.lane == high.lane
    assert 0 <= low.lane <= 9


def test_note_offs_and_silent_note_ons_end_notes() -> None:
    off = mido.Message("note_off", note=60, time=240, velocity=90)
    found = midi.parse(midi_bytes(on(60), off, on(62), on(62, 240, velocity=0)), "t")
    assert [(e.kind, e.velocity) for e in found.events] == [(Kind.NOTE_ON, 64), (1, 0), (0, 64), (1, 0)]
    assert len(found.onsets()) == 2
    assert [e.t_us for e in found.as_events(1_000)] == [1_000, 251_000, 251_000, 501_000]


def test_tracks_are_merged_by_time() -> None:
    raw = midi_bytes(kind=1, tracks=[[tempo(250_000)], [on(60, 480)], [on(62, 240), on(64, 480)]])
    assert [(e.t_us, e.pitch) for e in midi.parse(raw, "t").events] == [(125_000, 62), (250_000, 60), (375_000, 64)]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "damaged"),
        (b"RIFF" + bytes(100), "damaged"),
        (b"MThd\x00\x00\x00\x06\x00\x00\x00\x01", "damaged"),
        (midi_bytes(on(36))[:-3], "damaged"),
        (midi_bytes(tempo(500_000)), "no note"),
        (midi_bytes(on(36, velocity=0)), "no note"),
        (midi_bytes(on(36)).replace(b"\x01\xe0", b"\x00\x00", 1), "ticks"),
        (midi_bytes(on(36)).replace(b"\x01\xe0", b"\xe7\x28", 1), "ticks"),
        (midi_bytes(on(36), kind=2), "several songs"),
        (midi_bytes(tempo(16_777_215), *[on(36, 2**27) for _ in range(9)], division=24), "longer than a day"),
        (b"MThd" + bytes(MIDI_FILE_MAX_BYTES), "larger than"),
    ],
)
def test_what_cannot_be_played_says_why(raw: bytes, why: str) -> None:
    with pytest.raises(OperatingFailure, match=why) as caught:
        midi.parse(raw, "t")
    assert caught.value.remedy


def test_a_missing_file_and_a_directory_say_why(tmp_path: Path) -> None:
    for path in (tmp_path / "none.mid", tmp_path):
        with pytest.raises(OperatingFailure, match=f"cannot play {path.name}"):
            midi.load(path)
    with pytest.raises(OperatingFailure, match="cannot write"):
        midi.write(synthetic.make(1, 2_000_000, 120_000), tmp_path / "none" / "x.mid")


def test_damaged_files_never_raise_anything_else(tmp_path: Path) -> None:
    midi.write(synthetic.make(1, 4_000_000, 120_000), tmp_path / "s.mid")
    whole = (tmp_path / "s.mid").read_bytes()
    chance = Random(1)
    outcomes = set()
    for _ in range(600):
        raw = bytearray(whole)
        for _ in range(chance.randrange(4)):
            raw[chance.choice((chance.randrange(60), chance.randrange(len(raw))))] = chance.randrange(256)
        try:
            midi.parse(bytes(raw[: chance.choice((len(raw), chance.randrange(len(raw))))]), "fuzz")
            outcomes.add("played")
        except OperatingFailure as error:
            outcomes.add(error.why)
    assert len(outcomes) >= 3


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    played = synthetic.make(3, 12_000_000, 94_000)
    midi.write(played, tmp_path / "take.mid")
    again = midi.load(tmp_path / "take.mid")
    assert (again.title, again.tempo_mbpm, again.beats_per_bar) == ("take", 94_000, 4)
    assert [(e.kind, e.lane, e.pitch, e.velocity) for e in again.events] == [
        (e.kind, e.lane, e.pitch, e.velocity) for e in played.events
    ]
    assert max(abs(a.t_us - b.t_us) for a, b in zip(again.events, played.events, strict=True)) <= 30


def test_quantised_puts_every_note_on_the_grid_and_keeps_its_length() -> None:
    grid = Grid(94_000, 4, 4)
    played = synthetic.make(3, 12_000_000, 94_000)
    straight = midi.quantised(played, grid)
    assert "quantised" in straight.title
    assert all(abs(grid.deviation_us(e.t_us)) <= 1 for e in straight.events if e.kind == Kind.NOTE_ON)
    assert len(straight.events) == len(played.events)
    assert [e.t_us for e in straight.events] == sorted(e.t_us for e in straight.events)


@pytest.mark.parametrize("subdivision", [3, 4, 6])
def test_the_subdivision_is_found(subdivision: int) -> None:
    grid, chance = Grid(100_000, 4, subdivision), Random(subdivision)
    found = midi.parse(midi_bytes(on(36)), "t")
    events = tuple(
        midi.Note(max(0, round(grid.step_at_us(k) + chance.gauss(0, 9_000))), 0, k % 3, 36, 90) for k in range(200)
    )
    assert choose_subdivision(found._replace(events=events).onsets(), 100_000) == subdivision


@needs_groove
def test_a_real_take() -> None:
    found = midi.load(take("drummer1/session1/100_neworleans-secondline_94_beat_4-4"))
    assert (found.tempo_mbpm, found.beats_per_bar) == (94_000, 4)
    assert found.duration_us > 120_000_000
    assert {e.lane for e in found.events} <= set(range(10))
    assert len(found.onsets()) > 500
