"""Patience, rates, and what is asked for when."""

from __future__ import annotations

import pytest

from crdt.entry import LogKey
from crdt.errors import BLAMELESS, Reason
from crdt.limits import FRAMES_PER_S_MAX, REQUESTS_IN_FLIGHT_MAX
from crdt.reconcile import Want
from crdt.types import NO_NONCE, DocumentName, Seq
from node.engine.peers import ASK_TIMEOUT_US, PATIENCE, Peer
from tests.sim.room import identity

PLAYER = identity(1).player
DOCUMENT = DocumentName("ledger/1")


def _want(start: int) -> Want:
    return Want(LogKey(PLAYER, NO_NONCE), Seq(start), Seq(start + 1))


@pytest.mark.parametrize("reason", sorted(BLAMELESS))
def test_what_an_honest_peer_may_do_costs_it_nothing(reason: Reason) -> None:
    peer = Peer(PLAYER, 0)
    assert not any(peer.blame(reason, 0) for _ in range(10_000))
    assert peer.violations[reason] == 10_000


@pytest.mark.parametrize("reason", sorted(set(Reason) - BLAMELESS))
def test_everything_else_runs_patience_out(reason: Reason) -> None:
    peer = Peer(PLAYER, 0)
    assert any(peer.blame(reason, 0) for _ in range(PATIENCE))


def test_patience_grows_back() -> None:
    peer = Peer(PLAYER, 0)
    for second in range(0, 10_000, 100):
        assert not peer.blame(Reason.GARBAGE, second * 1_000_000)


def test_the_frame_rate_is_bounded_and_refills() -> None:
    peer = Peer(PLAYER, 0)
    assert sum(peer.may_send(0) for _ in range(2 * FRAMES_PER_S_MAX)) == FRAMES_PER_S_MAX
    assert not peer.may_send(0)
    assert peer.may_send(2_000_000)


def test_requests_are_bounded_numbered_and_asked_once() -> None:
    peer = Peer(PLAYER, 0)
    for start in range(10):
        peer.enqueue(DOCUMENT, _want(start))
        peer.enqueue(DOCUMENT, _want(start))
    first = peer.next_asks(0)
    assert len(first) == REQUESTS_IN_FLIGHT_MAX
    assert peer.next_asks(0) == []
    peer.enqueue(DOCUMENT, first[0][1].want)  # in flight already
    assert peer.answered(first[0][0]) == first[0][1]
    assert peer.answered(first[0][0]) is None
    assert peer.answered(999) is None
    later = peer.next_asks(0)
    assert len(later) == 1 and later[0][1] not in [asked for _, asked in first]


def test_an_unanswered_request_makes_room_after_a_while() -> None:
    peer = Peer(PLAYER, 0)
    for start in range(10):
        peer.enqueue(DOCUMENT, _want(start))
    first = peer.next_asks(0)
    assert len(peer.next_asks(ASK_TIMEOUT_US)) == REQUESTS_IN_FLIGHT_MAX
    assert peer.answered(first[0][0]) is None


def test_pages_come_round_to_everything() -> None:
    peer = Peer(PLAYER, 0)
    items = list(range(1_000))
    assert list(peer.page(items[:400], 400)) == items[:400]
    seen = {item for _ in range(3) for item in peer.page(items, 400)}
    assert seen == set(items)
