"""Digests of shares: what is remembered is what it would be from nothing, and only what differs is named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.entry import Entry
from crdt.keys import Identity
from crdt.limits import SHARE_DIGEST_BYTES, SHARES
from crdt.reconcile import compare
from crdt.replica import Replica
from crdt.summary import ALL_SHARES, bits_of, digest_of, share_of, shares_in
from crdt.types import DocumentName
from tests.crdt.authors import AUTHORS, JAM, NETWORK, chain
from tests.crdt.worlds import give, replica_of, worlds

CROWD = [Identity(number.to_bytes(32, "big")) for number in range(1, 101)]


def _everyone(length: int = 2) -> list[Entry]:
    return [entry for author in CROWD for entry in chain(author, length)]


def _from_nothing(replica: Replica) -> bytes:
    return digest_of(replica.document, [log.summary() for log in replica.logs.values()])


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_what_is_remembered_is_what_it_would_be_from_nothing(
    world: tuple[DocumentName, list[Entry]], data: st.DataObject
) -> None:
    document, entries = world
    replica = Replica(NETWORK, document)
    for entry in data.draw(st.permutations(entries)):
        give(replica, entry, AUTHORS[-1].player)
        if data.draw(st.booleans()):  # asked now and again, so that something is remembered
            assert replica.digest() == _from_nothing(replica)
    assert replica.digest() == _from_nothing(replica)
    assert replica.heads() == tuple(replica.logs[key].summary() for key in sorted(replica.logs))
    assert replica.summary.keys() == sorted(replica.logs)
    while replica.logs:
        replica.drop_last(next(iter(replica.logs)), 2)
        assert replica.digest() == _from_nothing(replica)


def test_only_the_shares_of_those_who_differ_differ() -> None:
    ours, theirs = replica_of(JAM, _everyone()), replica_of(JAM, _everyone())
    assert ours.summary.differing(theirs.summary.digests()) == ()
    assert len(ours.summary.digests()) == SHARES * SHARE_DIGEST_BYTES
    for author in CROWD[:3]:
        give(theirs, chain(author, 3)[2], author.player)
    shares = ours.summary.differing(theirs.summary.digests())
    assert set(shares) == {share_of(author.player) for author in CROWD[:3]}
    assert theirs.summary.differing(ours.summary.digests()) == shares
    named = theirs.summary.heads(shares)
    assert len(named) < 20
    found = compare(ours, named, None, shares)
    assert {want.log.author for want in found.wants} == {author.player for author in CROWD[:3]}
    assert (found.missing, found.lacking) == (3, 0)
    assert compare(theirs, ours.summary.heads(shares), None, shares).lacking == 3


def test_logs_of_shares_that_were_not_compared_are_not_lacking() -> None:
    ours = replica_of(JAM, _everyone())
    few = (share_of(CROWD[0].player),)
    assert compare(ours, (), None, few).lacking == 2 * len(ours.summary.keys(few)) < 2 * len(CROWD)
    assert compare(ours, (), None, ()).lacking == 0
    assert compare(ours, ()).lacking == 2 * len(CROWD)


@pytest.mark.parametrize("told", [b"", b"x", bytes(SHARES * SHARE_DIGEST_BYTES - 1)])
def test_digests_that_are_none_leave_everything_to_compare(told: bytes) -> None:
    assert replica_of(JAM, _everyone(1)).summary.differing(told) == tuple(ALL_SHARES)


@given(st.sets(st.integers(0, SHARES - 1)))
def test_shares_come_back_from_their_bits(shares: set[int]) -> None:
    assert set(shares_in(bits_of(shares))) == shares
    assert len(bits_of(shares)) == SHARES // 8
