"""Frames come out whole, however the stream was cut, and nothing is held beyond one frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse, Reason, Violation
from crdt.limits import FRAME_MAX_BYTES
from node.mesh.framing import HEADER_BYTES, Decoder, encode

FRAMES = st.lists(st.binary(min_size=1, max_size=300), max_size=20)


@given(FRAMES, st.randoms())
def test_any_cut_gives_the_same_frames(frames: list[bytes], random: object) -> None:
    stream = b"".join(encode(frame) for frame in frames)
    decoder, got, position = Decoder(), [], 0
    while position < len(stream):
        step = random.randint(1, 200)  # type: ignore[attr-defined]
        got += decoder.feed(stream[position : position + step])
        position += step
    decoder.finish()
    assert got == frames


def test_the_largest_frame_passes_and_one_byte_more_does_not() -> None:
    frame = bytes(FRAME_MAX_BYTES)
    assert list(Decoder().feed(encode(frame))) == [frame]
    with pytest.raises(Violation) as caught:
        list(Decoder().feed((FRAME_MAX_BYTES + 1).to_bytes(4, "big")))
    assert caught.value.reason is Reason.OVERSIZE


def test_an_oversize_length_is_refused_after_the_frames_before_it() -> None:
    frames = Decoder().feed(encode(b"good") + b"\xff\xff\xff\xff")
    assert next(frames) == b"good"
    with pytest.raises(Violation):
        next(frames)


def test_an_empty_frame_is_refused_by_both_sides() -> None:
    with pytest.raises(Violation) as caught:
        list(Decoder().feed(bytes(HEADER_BYTES)))
    assert caught.value.reason is Reason.GARBAGE
    for frame in (b"", bytes(FRAME_MAX_BYTES + 1)):
        with pytest.raises(Misuse):
            encode(frame)


@given(st.binary(min_size=1, max_size=50), st.data())
def test_an_end_inside_a_frame_is_seen(frame: bytes, data: st.DataObject) -> None:
    whole = encode(frame)
    part = whole[: data.draw(st.integers(1, len(whole) - 1))]
    decoder = Decoder()
    assert list(decoder.feed(part)) == []
    with pytest.raises(Violation) as caught:
        decoder.finish()
    assert caught.value.reason is Reason.TRUNCATED


@given(st.lists(st.binary(max_size=100), max_size=30))
def test_garbage_gives_frames_or_a_violation(chunks: list[bytes]) -> None:
    decoder = Decoder()
    try:
        for chunk in chunks:
            for frame in decoder.feed(chunk):
                assert 0 < len(frame) <= FRAME_MAX_BYTES
    except Violation as violation:
        assert violation.reason in (Reason.OVERSIZE, Reason.GARBAGE)
