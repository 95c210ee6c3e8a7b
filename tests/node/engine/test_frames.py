"""Frames: every kind there and back, and nothing else in."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Reason, Violation
from crdt.limits import FRAME_MAX_BYTES
from crdt.types import Digest, DocumentName, EntryId, Micros, NetworkId, Nonce, PlayerId, Seq
from node.engine import frames
from node.engine.frames import pack, unpack

PLAYER = PlayerId(bytes(range(32)))
DOCUMENT = DocumentName("ledger/7")
HASH = bytes(range(32))

ALL = (
    frames.Hello(1, NetworkId(HASH), PLAYER, "symjam/0.1"),
    frames.Total(Digest(HASH)),
    frames.Documents((frames.DocumentDigest(DOCUMENT, Digest(HASH)),)),
    frames.Heads(DOCUMENT, (frames.LogHead(PLAYER, Nonce(bytes(8)), 3, EntryId(HASH), False),), True),
    frames.Ask(DOCUMENT, PLAYER, Nonce(bytes(8)), Seq(0), Seq(9), 1),
    frames.Entries(DOCUMENT, (bytes(65), bytes(80)), 0),
    frames.Proof(bytes(65), bytes(70)),
    frames.Probe(Micros(1)),
    frames.Echo(Micros(1), Micros(2), Micros(3)),
    frames.Links((PLAYER,)),
    frames.Guests((PLAYER,)),
    frames.ClockTold(PLAYER, -5, 20_000, 300, (PLAYER,)),
)


@pytest.mark.parametrize("frame", ALL, ids=lambda frame: type(frame).__name__)
def test_every_frame_survives_the_wire(frame: frames.Frame) -> None:
    assert unpack(pack(frame)) == frame


@pytest.mark.parametrize("frame", ALL, ids=lambda frame: type(frame).__name__)
def test_a_truncated_frame_is_garbage(frame: frames.Frame) -> None:
    raw = pack(frame)
    for cut in range(len(raw)):
        with pytest.raises(Violation) as caught:
            unpack(raw[:cut])
        assert caught.value.reason is Reason.GARBAGE


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([1, 0, HASH, HASH, "x"], "a protocol of 0"),
        ([1, 1, HASH[:31], HASH, "x"], "a short network id"),
        ([1, 1, HASH, HASH, "x" * 41], "a long software name"),
        ([1, 1, HASH, HASH, "x", 9], "a field too many"),
        ([1, 1, HASH, HASH], "a field too few"),
        ([2, b"short"], "a short digest"),
        ([4, "ledger/7", [[HASH, bytes(8), -1, HASH, False]], False], "a negative length"),
        ([5, "ledger/7", HASH, bytes(8), 0, 1, 0], "request number 0"),
        ([6, "ledger/7", [b"tiny"], 0], "an entry no longer than a signature"),
        ([8, -1], "a time before 1970"),
        ([8, 1.5], "a float"),
        ([99, 1], "an unknown kind"),
        ({"type": 1}, "a map"),
        ([], "nothing"),
        ("text", "a string"),
    ],
)
def test_what_is_out_of_bounds_is_garbage(values: object, why: str) -> None:
    with pytest.raises(Violation) as caught:
        unpack(msgspec.msgpack.encode(values))
    assert caught.value.reason is Reason.GARBAGE, why


def test_another_spelling_is_not_canonical() -> None:
    raw = pack(frames.Probe(Micros(5)))
    assert raw[-1:] == b"\x05"
    with pytest.raises(Violation) as caught:
        unpack(raw[:-1] + b"\xcc\x05")  # 5 as a two-byte integer
    assert caught.value.reason is Reason.NON_CANONICAL


def test_a_frame_beyond_the_bound_is_oversize() -> None:
    with pytest.raises(Violation) as caught:
        unpack(bytes(FRAME_MAX_BYTES + 1))
    assert caught.value.reason is Reason.OVERSIZE


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_violation(raw: bytes) -> None:
    try:
        frame = unpack(raw)
    except Violation:
        return
    assert pack(frame) == raw
