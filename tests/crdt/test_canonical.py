from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from crdt.canonical import Canonical, digest, encode
from crdt.errors import Reason, Violation


class Point(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    x: Annotated[int, Meta(ge=0, le=1_000)]
    name: Annotated[str, Meta(max_length=4)]
    tags: Annotated[tuple[bytes, ...], Meta(max_length=2)] = ()


points: Canonical[Point] = Canonical(Point, 32)


def refused(raw: bytes) -> Reason:
    with pytest.raises(Violation) as caught:
        points.decode(raw)
    return caught.value.reason


@given(st.integers(0, 1_000), st.text(max_size=4), st.lists(st.binary(max_size=3), max_size=2))
def test_what_is_encoded_decodes_to_itself(x: int, name: str, tags: list[bytes]) -> None:
    point = Point(x, name, tuple(tags))
    assert points.decode(points.encode(point)) == point


@pytest.mark.parametrize(
    "raw",
    [
        b"\x93\xcc\x05\xa1a\x90",  # 5 in two bytes
        b"\x93\xcd\x00\x05\xa1a\x90",  # 5 in three
        b"\x93\xd0\x05\xa1a\x90",  # 5 as a signed byte
        b"\xdc\x00\x03\x05\xa1a\x90",  # the array's length in 16 bits
        b"\x93\x05\xd9\x01a\x90",  # the string's length in 8 bits
        b"\x93\x05\xa1a\x91\xc5\x00\x01z",  # the bytes' length in 16 bits
        b"\x92\x05\xa1a",  # a default left out
    ],
)
def test_another_spelling_of_a_value_is_refused(raw: bytes) -> None:
    assert refused(raw) is Reason.NON_CANONICAL


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b"\xc0",
        b"\x05",
        b"\x93\x05\xa1a",  # ends early
        b"\x93\x05\xa1a\x90\x00",  # goes on
        b"\x94\x05\xa1a\x90\x00",  # a field too many
        b"\x91\x05",  # one too few
        encode((1_001, "a", ())),
        encode((-1, "a", ())),
        encode((2**64 - 1, "a", ())),
        encode((1.0, "a", ())),
        encode((True, "a", ())),
        encode((None, "a", ())),
        encode((1, b"a", ())),
        encode((1, "abcde", ())),
        encode((1, "a", (b"", b"", b""))),
        encode((1, "a", ("text",))),
        encode({"x": 1, "name": "a", "tags": ()}),
        b"\x93\x05\xa2\xff\xfe\x90",  # not UTF-8
    ],
)
def test_what_is_not_the_type_is_garbage(raw: bytes) -> None:
    assert refused(raw) is Reason.GARBAGE


def test_more_bytes_than_allowed_are_not_even_decoded() -> None:
    assert refused(bytes(33)) is Reason.OVERSIZE


def test_nesting_without_end_is_garbage() -> None:
    anything: Canonical[object] = Canonical(object, 100_000)
    with pytest.raises(Violation) as caught:
        anything.decode(b"\x91" * 100_000)
    assert caught.value.reason is Reason.GARBAGE


@given(st.binary(max_size=40))
def test_any_bytes_are_a_canonical_value_or_a_violation(raw: bytes) -> None:
    try:
        value = points.decode(raw)
    except Violation:
        return
    assert points.encode(value) == raw


def test_digests_differ_by_kind_and_content() -> None:
    assert len(digest(b"kind", b"a", b"b")) == 32
    assert digest(b"kind", b"ab") == digest(b"kind", b"a", b"b")
    assert len({digest(b"kind", b"ab"), digest(b"kinds", b"ab"), digest(b"kind", b"ba"), digest(b"kind")}) == 4
