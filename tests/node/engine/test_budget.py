"""What a peer may cost: honest loads pass, floods do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.events import Event, encode_events
from consensus.params import SMALL, network_id
from crdt.entry import LogKey, first_body, sign
from crdt.limits import SERVED_BYTES_BURST_MAX, WORK_BURST_MAX, WORK_PER_S_MAX
from crdt.types import NO_NONCE, Digest, Micros, SessionId, jam_document
from node.engine import budget, frames
from node.engine.budget import Budget, Room, price_of, price_of_entries, work_budget
from node.engine.frames import pack
from tests.sim.room import identity

SECOND_US = 1_000_000
JAM = jam_document(SessionId(bytes(32)))


def entry(events: int) -> bytes:
    """One of so many events, as on the wire."""
    author, network = identity(1), network_id(SMALL)
    payload = encode_events(tuple(Event(Micros(10**7 + n), 0, 1, 60, 100) for n in range(events)))
    return sign(author, network, first_body(network, JAM, LogKey(author.player, NO_NONCE), payload)).raw


def rooms(units: int, each_s: int, seconds: int) -> list[Room]:
    """What is said to a steady stream of costs."""
    work = work_budget(0)
    return [work.spend(units, n * SECOND_US // each_s) for n in range(each_s * seconds)]


def test_tags_are_those_of_the_frames() -> None:
    for name in ("HELLO", "TOTAL", "DOCUMENTS", "HEADS", "ASK", "ENTRIES", "PROOF", "PROBE", "ECHO", "LINKS"):
        kind = getattr(frames, name.capitalize())
        assert kind.__struct_config__.tag == getattr(budget, f"TAG_{name}")
    assert budget.tag_of(pack(frames.Total(Digest(bytes(32))))) == budget.TAG_TOTAL


@pytest.mark.parametrize("raw", [b"", b"\x93", b"\x93\xcc\x06", b"\xc0" * 50_000])
def test_a_frame_without_a_tag_has_a_price_too(raw: bytes) -> None:
    assert price_of(raw) >= 50


@pytest.mark.parametrize(
    ("entries_per_s", "events"),
    [(80, 256), (1_000, 22), (1_000, 1), (100, 40)],  # 20,000 events a second; a thousand entries; in between
)
def test_an_honest_load_passes_for_ever(entries_per_s: int, events: int) -> None:
    raw = entry(events)
    price = price_of(pack(frames.Entries(JAM, (raw,), 0))) + price_of_entries(JAM, (raw,))
    assert set(rooms(price, entries_per_s, 60)) == {Room.WITHIN}


def test_what_is_left_out_for_want_of_room_costs_nothing() -> None:
    """Found by a mesh of few links whose burst of votes kept notes from being passed on for seconds after it."""
    relay = Budget(1_000, 500, 0)
    assert [relay.affords(600, 0) for _ in range(100)] == [True] + [False] * 99
    assert not relay.affords(1, 99_000)
    assert relay.affords(1, 100_000)


def test_a_little_too_much_for_a_while_is_dropped_and_forgiven() -> None:
    said = rooms(WORK_PER_S_MAX // 500, 600, 8)
    assert set(said) == {Room.WITHIN, Room.BEYOND}


def test_a_little_too_much_for_ever_is_a_flood() -> None:
    assert rooms(WORK_PER_S_MAX // 500, 600, 60)[-1] is Room.FLOOD


@given(request=st.integers(0, 2**53 - 1))
def test_answers_are_told_from_live_entries_before_they_are_decoded(request: int) -> None:
    frame = pack(frames.Entries(JAM, (), request))
    assert budget.is_answer(frame) == (request % 256 != 0)
    assert not budget.is_answer(pack(frames.Total(Digest(b"x" * 32))))


def test_far_too_much_is_a_flood() -> None:
    said = rooms(WORK_PER_S_MAX // 1_000, 4_000, 10)
    assert said[-1] is Room.FLOOD
    within = said.count(Room.WITHIN) * (WORK_PER_S_MAX // 1_000)
    assert within <= WORK_BURST_MAX + 10 * WORK_PER_S_MAX


def test_debt_is_paid_back_by_waiting() -> None:
    work = Budget(100, 200, 0)
    while work.spend(50, 0) is not Room.FLOOD:
        pass
    assert work.spend(0, SECOND_US) is Room.BEYOND
    assert work.spend(0, 10 * SECOND_US) is Room.WITHIN


def test_time_that_goes_back_gives_nothing() -> None:
    work = Budget(100, 100, SECOND_US)
    work.spend(101, SECOND_US)
    assert work.is_spent(0)
    assert not work.is_spent(2 * SECOND_US)


def test_a_whole_catch_up_is_served_at_once() -> None:
    assert 100_000 // 256 * len(entry(256)) < SERVED_BYTES_BURST_MAX
