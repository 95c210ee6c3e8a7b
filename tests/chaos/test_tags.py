"""The judge of the soak: it must see what is missing, doubled or foreign."""

from __future__ import annotations

from collections import Counter

from consensus.events import Event, encode_events
from crdt.entry import LogKey, first_body, sign
from crdt.keys import Identity
from crdt.types import NO_ENTRY, NO_NONCE, Micros, NetworkId, SessionId, jam_document
from tests.chaos.tags import TAGS, Tagged, Verdict, held, judge, note, number_of

IDENTITY = Identity(bytes(32))
ME = IDENTITY.player


def _found(*numbers: int) -> Counter[Tagged]:
    return Counter(Tagged(ME, number) for number in numbers)


def _judged(acknowledged: set[int], sent: set[int], found: Counter[Tagged]) -> Verdict:
    return judge({ME: acknowledged}, {ME: sent}, found)


def test_every_number_is_a_note_of_its_own() -> None:
    assert len({note(number) for number in range(TAGS)}) == TAGS
    assert all(number_of(*note(number)[1:]) == number for number in range(0, TAGS, 97))


def test_nothing_wrong() -> None:
    assert _judged({1, 2}, {1, 2, 3}, _found(1, 2)).fine
    assert _judged({1, 2}, {1, 2, 3}, _found(1, 2, 3)).fine


def test_what_was_acknowledged_is_missed() -> None:
    assert _judged({1, 2}, {1, 2}, _found(1)).missing == (Tagged(ME, 2),)


def test_what_is_there_twice_is_seen_acknowledged_or_not() -> None:
    assert _judged({1}, {1, 2}, _found(1, 1, 2, 2)).doubled == (Tagged(ME, 1), Tagged(ME, 2))


def test_what_nobody_played_is_seen() -> None:
    assert _judged({1}, {1}, _found(1, 7)).foreign == (Tagged(ME, 7),)
    assert judge({}, {}, _found(1)).foreign == (Tagged(ME, 1),)


def test_events_are_counted_out_of_entries() -> None:
    network, document = NetworkId(bytes(32)), jam_document(SessionId(bytes(32)))
    payload = encode_events(tuple(Event(Micros(5), *note(number)) for number in (3, 4, 4)))
    body = first_body(network, document, LogKey(ME, NO_NONCE), payload, NO_ENTRY, ())
    assert held([sign(IDENTITY, network, body)]) == _found(3, 4, 4)
