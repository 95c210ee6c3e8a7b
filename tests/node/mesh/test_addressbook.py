"""Whom to dial, where and when: bounds and back-off."""

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.keys import Identity
from crdt.limits import ADDRESSES_PER_PEER_MAX, KNOWN_PEERS_MAX
from crdt.types import PlayerId
from node.mesh.address import at
from node.mesh.addressbook import ANNOUNCED_S, FAR_BACKOFF_MAX_S, NEAR_BACKOFF_MAX_S, AddressBook, Place, Source

PLAYER = Identity(bytes(32)).player
HOME = at("10.0.0.1", 4001, PLAYER)


def everybody(player: PlayerId) -> bool:
    return True


def book() -> AddressBook:
    return AddressBook(random.Random(1))


def fail_for(book: AddressBook, until_s: float) -> list[float]:
    """Let every attempt fail; the times of the attempts."""
    times, now = [], 0.0
    while now < until_s:
        due = book.next_due_s(everybody)
        assert due is not None
        now = max(now, due)
        for place in list(book.due(now, everybody)):
            times.append(now)
            book.ended(place, False, now)
    return times


def gaps(times: list[float]) -> list[float]:
    return [b - a for a, b in itertools.pairwise(times)]


def test_a_given_address_is_tried_every_few_seconds_for_ever() -> None:
    b = book()
    b.add(HOME, Source.GIVEN, 0.0)
    assert max(gaps(fail_for(b, 1_000.0))) <= 1.5 * NEAR_BACKOFF_MAX_S


def test_a_remembered_one_more_and_more_rarely() -> None:
    b = book()
    b.add(HOME, Source.REMEMBERED, 0.0)
    waits = gaps(fail_for(b, 2_000.0))
    assert waits[0] < 1.0
    assert NEAR_BACKOFF_MAX_S < max(waits) <= 1.5 * FAR_BACKOFF_MAX_S


def test_jitter_keeps_two_nodes_apart() -> None:
    a, b = AddressBook(random.Random(1)), AddressBook(random.Random(2))
    for one in (a, b):
        one.add(HOME, Source.GIVEN, 0.0)
    assert fail_for(a, 50.0) != fail_for(b, 50.0)


def test_a_new_port_of_a_known_peer_is_due_at_once() -> None:
    """A peer that came back: its old address is backing off, its new one is news."""
    b = book()
    b.add(HOME, Source.ANNOUNCED, 0.0)
    fail_for(b, 100.0)
    assert b.add(at("10.0.0.1", 4002, PLAYER), Source.ANNOUNCED, 100.0)
    assert [place.address.port for place in b.due(100.0, everybody)] == [4002]


def test_seen_again_after_a_long_silence_is_news() -> None:
    b = book()
    b.add(HOME, Source.ANNOUNCED, 0.0)
    assert not b.add(HOME, Source.ANNOUNCED, 10.0)
    assert b.add(HOME, Source.ANNOUNCED, 11.0 + ANNOUNCED_S)


def test_a_lost_connection_starts_the_back_off_afresh() -> None:
    b = book()
    b.add(HOME, Source.REMEMBERED, 0.0)
    fail_for(b, 500.0)
    b.lost(PLAYER, 1_000.0, 0.0)
    due = b.next_due_s(everybody)
    assert due is not None
    assert due < 1_001.0


def test_an_address_being_dialled_is_not_due_again() -> None:
    b = book()
    b.add(HOME, Source.GIVEN, 0.0)
    (place,) = b.due(0.0, everybody)
    place.dialling = True
    assert list(b.due(9.0, everybody)) == []
    assert b.next_due_s(everybody) is None


def test_unwanted_players_are_not_dialled() -> None:
    b = book()
    b.add(HOME, Source.GIVEN, 0.0)
    assert list(b.due(0.0, lambda player: player != PLAYER)) == []


def test_what_was_given_is_not_pushed_out_by_what_is_heard() -> None:
    b = book()
    b.add(HOME, Source.GIVEN, 0.0)
    for n in range(3 * ADDRESSES_PER_PEER_MAX):
        b.add(at("10.0.0.2", 5000 + n, PLAYER), Source.ANNOUNCED, 1.0 + n)
    places: list[Place] = list(b.due(1_000.0, everybody))
    assert len(places) == ADDRESSES_PER_PEER_MAX
    assert HOME in [place.address for place in places]


def test_a_flood_of_peers_is_bounded_and_leaves_the_given_one() -> None:
    b = book()
    b.add(HOME, Source.GIVEN, 0.0)
    for n in range(KNOWN_PEERS_MAX + 50):
        b.add(at("10.0.0.2", 4001, PlayerId(n.to_bytes(32, "big"))), Source.ANNOUNCED, 1.0 + n)
    assert len(b) == KNOWN_PEERS_MAX
    assert HOME in [place.address for place in b.due(9e9, everybody)]


def test_announcements_that_nobody_repeats_are_forgotten() -> None:
    b = book()
    b.add(HOME, Source.ANNOUNCED, 0.0)
    b.expire(10.0, lambda player: False)
    assert len(b) == 1
    b.expire(10 * ANNOUNCED_S, lambda player: True)
    assert len(b) == 1  # connected
    b.expire(10 * ANNOUNCED_S, lambda player: False)
    assert len(b) == 0


def test_where_somebody_was_reached_is_worth_remembering() -> None:
    b = book()
    b.add(HOME, Source.ANNOUNCED, 0.0)
    assert b.worked() == []
    (place,) = b.due(0.0, everybody)
    b.ended(place, True, 0.0)
    assert b.worked() == [str(HOME)]


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 40), st.sampled_from(Source), st.floats(0, 1e4)), max_size=200
    )
)
def test_bounds_hold_whatever_is_added(adds: list[tuple[int, int, Source, float]]) -> None:
    b = book()
    for who, port, source, now in adds:
        b.add(at("10.0.0.1", port, PlayerId(bytes((who,)) * 32)), source, now)
    per_player: dict[PlayerId, int] = {}
    for place in b.due(1e9, everybody):
        per_player[place.address.player] = per_player.get(place.address.player, 0) + 1
    assert all(count <= ADDRESSES_PER_PEER_MAX for count in per_player.values())


def test_a_newcomer_is_tried_before_a_flood_of_addresses_that_lead_nowhere() -> None:
    """Else the first ones known are due again before the last ones were ever tried, and those never are."""
    b = book()
    for n in range(KNOWN_PEERS_MAX - 1):
        b.add(at("10.0.0.2", 4001, PlayerId(n.to_bytes(32, "big"))), Source.ANNOUNCED, 0.0)
    tried, now = set(), 0.0
    for _ in range(KNOWN_PEERS_MAX):  # one attempt every 0.25 s, as of addresses that do not answer
        now += 0.25
        place = b.due(now, everybody)[0]
        tried.add(place.address.player)
        b.ended(place, False, now)
    assert len(tried) == KNOWN_PEERS_MAX - 1
    b.add(HOME, Source.ANNOUNCED, now)
    assert b.due(now, everybody)[0].address == HOME


def test_whom_we_have_reached_is_not_pushed_out_by_whom_we_have_not() -> None:
    b = book()
    b.add(HOME, Source.ANNOUNCED, 0.0)
    b.ended(b.due(0.0, everybody)[0], True, 0.0)
    for n in range(KNOWN_PEERS_MAX + 50):
        b.add(at("10.0.0.2", 4001, PlayerId(n.to_bytes(32, "big"))), Source.ANNOUNCED, 1.0 + n)
    assert b.worked() == [str(HOME)]
