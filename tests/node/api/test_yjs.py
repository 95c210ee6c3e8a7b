"""The y-websocket protocol as bytes, without a socket."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Reason, Violation
from crdt.lib0 import buffer, varuint
from crdt.limits import YJS_MESSAGE_MAX_BYTES
from crdt.yupdate import encode_state_vector
from node.api import yjs

CLOCKS = st.dictionaries(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), max_size=8)


@given(CLOCKS)
def test_a_question_is_understood(clocks: dict[int, int]) -> None:
    assert yjs.understand(yjs.ask(clocks)) == yjs.Asked(clocks)


@given(st.binary(max_size=300))
def test_updates_are_handed_on_undecoded(update: bytes) -> None:
    assert yjs.understand(yjs.news(update)) == yjs.Given(update)
    assert yjs.understand(yjs.answer(update)) == yjs.Given(update)


@given(st.binary(max_size=300))
def test_presence_is_not_looked_at(state: bytes) -> None:
    assert yjs.understand(b"\x01" + buffer(state)) == yjs.Presence()


def test_what_is_said_is_what_y_protocols_writes() -> None:
    assert yjs.KEEP_ALIVE == b"\x01\x01\x00"
    assert yjs.understand(yjs.KEEP_ALIVE) == yjs.understand(b"\x03") == yjs.Presence()
    assert yjs.ask({300: 2}) == b"\x00\x00\x04\x01\xac\x02\x02"
    assert yjs.answer(yjs.NOTHING) == b"\x00\x01\x02\x00\x00"
    assert yjs.news(b"abc") == b"\x00\x02\x03abc"
    assert yjs.denied("no") == b"\x02\x00\x02no"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.TRUNCATED),
        (b"\x00", Reason.TRUNCATED),
        (b"\x00\x02", Reason.TRUNCATED),
        (b"\x00\x02\x05abc", Reason.TRUNCATED),
        (b"\x01", Reason.TRUNCATED),
        (b"\x01\xff\xff\xff\x7fabc", Reason.TRUNCATED),
        (b"\x00\x02\x00\x00", Reason.GARBAGE),
        (b"\x03\x00", Reason.GARBAGE),
        (b"\x01\x00\x00", Reason.GARBAGE),
        (b"\x00\x00" + buffer(b"\x00\x00"), Reason.GARBAGE),
        (b"\x00\x00" + buffer(b"\x02\x05"), Reason.TRUNCATED),
        (b"\x00\x00" + buffer(varuint(2**40)), Reason.OVERSIZE),
        (b"\x80\x00", Reason.NON_CANONICAL),
        (b"\xff" * 9, Reason.GARBAGE),
        (b"\x02\x00\x00", Reason.UNEXPECTED),
        (b"\x07", Reason.UNEXPECTED),
        (b"\x00\x03\x00", Reason.UNEXPECTED),
        (b"\x00" * (YJS_MESSAGE_MAX_BYTES + 1), Reason.OVERSIZE),
    ],
)
def test_a_malformed_message_is_refused(raw: bytes, reason: Reason) -> None:
    with pytest.raises(Violation) as caught:
        yjs.understand(raw)
    assert caught.value.reason == reason


@given(st.binary(max_size=60))
def test_anything_is_understood_or_a_violation(raw: bytes) -> None:
    with contextlib.suppress(Violation):
        yjs.understand(raw)


def test_a_state_vector_of_a_full_house_fits() -> None:
    clocks = {2**53 - 1 - number: 2**50 for number in range(1_024)}
    assert len(encode_state_vector(clocks)) < 20_000
    assert yjs.understand(yjs.ask(clocks)) == yjs.Asked(clocks)
