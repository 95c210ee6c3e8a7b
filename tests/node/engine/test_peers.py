"""What is asked for when, and what is bounded about a peer."""

from __future__ import annotations

from crdt.entry import LogKey
from crdt.limits import ASKS_PENDING_MAX, BEHIND_DOCUMENTS_MAX, REQUESTS_IN_FLIGHT_MAX
from crdt.reconcile import Want
from crdt.types import NO_NONCE, DocumentName, Seq
from node.engine.frames import Ask
from node.engine.peers import ASK_TIMEOUT_US, ASTRAY_US, LATE_MAX, WANTS_QUEUED_MAX, Peer
from tests.sim.room import identity

PLAYER = identity(1).player
DOCUMENT = DocumentName("ledger/1")


def _want(start: int) -> Want:
    return Want(LogKey(PLAYER, NO_NONCE), Seq(start), Seq(start + 1))


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


def test_what_is_wanted_is_bounded_whatever_is_claimed() -> None:
    peer = Peer(PLAYER, 0)
    for start in range(2 * WANTS_QUEUED_MAX):
        peer.enqueue(DOCUMENT, _want(start))
    assert len(peer.wants) == WANTS_QUEUED_MAX
    for number in range(2 * BEHIND_DOCUMENTS_MAX):
        peer.compared(DocumentName(f"ledger/{number}"), 1, 1)
    assert len(peer.behind) == BEHIND_DOCUMENTS_MAX


def test_only_requests_that_were_made_can_be_late_and_only_the_last_of_them() -> None:
    peer = Peer(PLAYER, 0)
    for start in range(4 * LATE_MAX):
        peer.enqueue(DOCUMENT, _want(start))
    asked = [request for now in range(4 * LATE_MAX) for request, _ in peer.next_asks(now * ASK_TIMEOUT_US)]
    late = [request for request in asked if peer.is_late(request, ASTRAY_US)]
    assert len(late) == LATE_MAX
    assert not any(peer.question(request) for request in late)
    assert not peer.is_late(asked[-1] + 1, ASTRAY_US)


def test_questions_wait_until_too_many_do() -> None:
    peer = Peer(PLAYER, 0)
    ask = Ask(DOCUMENT, PLAYER, NO_NONCE, Seq(0), Seq(1), 1)
    assert sum(peer.may_wait(ask) for _ in range(2 * ASKS_PENDING_MAX)) == ASKS_PENDING_MAX


def test_no_request_ends_in_a_zero_byte_and_none_is_used_twice() -> None:
    peer, asked = Peer(PLAYER, 0), []
    for start in range(1_000):
        peer.enqueue(DOCUMENT, _want(start))
        for request, _ in peer.next_asks(0):
            asked.append(request)
            peer.answered(request)
    assert len(set(asked)) == 1_000 and all(request % 256 for request in asked)


def test_a_run_of_a_log_is_asked_for_once_at_a_time() -> None:
    peer = Peer(PLAYER, 0)
    first, grown = _want(0)._replace(stop=Seq(100)), _want(0)._replace(stop=Seq(130))
    peer.enqueue(DOCUMENT, first)
    peer.enqueue(DOCUMENT, grown)
    peer.enqueue(DOCUMENT, _want(50))  # a single one, for a fork is searched so
    assert [asked.want for _, asked in peer.next_asks(0)] == [first, _want(50)]
    peer.enqueue(DOCUMENT, grown)
    assert peer.next_asks(0) == []
    assert peer.answered(1) is not None
    peer.enqueue(DOCUMENT, grown)
    assert [asked.want for _, asked in peer.next_asks(0)] == [grown]
    assert peer.next_asks(ASK_TIMEOUT_US) == []  # nobody answered
    peer.enqueue(DOCUMENT, grown)
    assert [asked.want for _, asked in peer.next_asks(ASK_TIMEOUT_US)] == [grown]
