"""Requests by number: remembered beside the entry, bounded, and taken up again from what was saved."""

from __future__ import annotations

import pytest

from crdt.entry import Entry, LogKey, first_body, sign
from crdt.limits import REQUESTS_MAX
from crdt.types import NO_ENTRY, NO_NONCE, Digest, Epoch, ledger_document
from node.engine.requests import REQUEST_PREFIX, Request, Requests
from tests.crdt.authors import ALICE, NETWORK

ASKED = Digest(b"a" * 32)


def an_entry() -> Entry:
    body = first_body(NETWORK, ledger_document(Epoch(1)), LogKey(ALICE.player, NO_NONCE), b"x", NO_ENTRY, ())
    return sign(ALICE, NETWORK, body)


def numbered(number: int) -> Request:
    return Request(number.to_bytes(16, "big"), ASKED)


def test_the_oldest_are_forgotten_here_and_in_the_store() -> None:
    requests, entry = Requests(), an_entry()
    saved: dict[bytes, bytes | None] = {}
    wanted = [numbered(number ^ 0x5A5) for number in range(REQUESTS_MAX + 3)]  # not in the order of their digits
    for request in wanted:
        saved.update(requests.remember(request, entry))
        held = {key: value for key, value in saved.items() if value is not None}
        assert len(held) <= REQUESTS_MAX
        if request in (wanted[5], wanted[-2]):
            requests = Requests(sorted(held.items()))  # as after a restart: the order is known from what was saved
    assert [requests.known(request.number) is None for request in wanted] == [True] * 3 + [False] * REQUESTS_MAX
    known = requests.known(wanted[-1].number)
    assert known is not None and (known.entry, known.document, known.asked) == (entry.id, "ledger/1", ASKED)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"", b""),
        (b"zz" * 16, None),
        (b"ab" * 15, None),
        (b"\xff" * 32, None),
        (b"00" * 15 + b"02", b""),
        (b"00" * 15 + b"02", b"\x94\x00"),
    ],
)
def test_a_record_that_cannot_be_read_is_left_out(key: bytes, value: bytes | None) -> None:
    ((good, raw),) = Requests().remember(numbered(1), an_entry())
    assert raw is not None
    requests = Requests([(good, raw), (REQUEST_PREFIX + key, raw if value is None else value)])
    assert requests.known(numbered(1).number) is not None and requests.known(numbered(2).number) is None
