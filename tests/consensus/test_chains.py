"""Forks and branches: where a chain is cut depends on the set of entries and proofs, never on their order."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.chains import Chains, Position
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Misuse
from crdt.types import NO_ENTRY, NO_NONCE, EntryId, Epoch, Seq, SessionId, jam_document, ledger_document
from tests.consensus.world import Person, World

WORLD = World(2)
ME, NETWORK = WORLD.people[0], WORLD.network


def first(epoch: int, prev: EntryId = NO_ENTRY, payload: bytes = b"a", person: Person = ME) -> Entry:
    log = LogKey(person.player, NO_NONCE)
    return sign(person.identity, NETWORK, first_body(NETWORK, ledger_document(Epoch(epoch)), log, payload, prev))


def after(entry: Entry, payload: bytes = b"a") -> Entry:
    return sign(ME.identity, NETWORK, next_body(entry, payload))


def place(epoch: int, seq: int) -> Position:
    return Position(Epoch(epoch), Seq(seq))


def cut_of(*entries: Entry, forks: tuple[Position, ...] = ()) -> Position | None:
    """Where these entries and proofs cut the chain: the same in every order."""
    found = set()
    for order in permutations(range(len(entries) + len(forks))):
        chains = Chains()
        for i in order:
            if i < len(entries):
                chains.add(entries[i])
            else:
                chains.fork(ME.player, forks[i - len(entries)])
        found.add(chains.cut_of(ME.player))
    assert len(found) == 1
    return found.pop()


A0 = first(1)
A1, A1x = after(A0), after(A0, b"other")
B0 = first(2, prev=A1.id)
B1 = after(B0)


def test_an_honest_chain_through_epochs_is_not_cut() -> None:
    assert cut_of(A0, A1, B0, B1) is None
    assert cut_of(A0, B1) is None  # what is missing is no fault
    assert cut_of(A0, first(3)) is None  # begun again after losing everything


def test_two_entries_at_one_place() -> None:
    assert cut_of(A0, A1, A1x) == place(1, 1)
    assert cut_of(first(1), first(1, payload=b"other"), B0) == place(1, 0)


def test_two_entries_with_one_predecessor() -> None:
    branched = first(2, prev=A0.id)
    assert cut_of(A0, A1, branched) == place(1, 1)
    assert cut_of(A1, branched) == place(1, 1)  # the predecessor itself need not be seen
    assert cut_of(first(2, prev=A1.id), first(3, prev=A1.id)) == place(2, 0)


def test_an_entry_before_its_predecessor() -> None:
    backdated = first(1, prev=B0.id)
    assert cut_of(B0, backdated) == place(1, 0)
    assert cut_of(first(2), first(2, prev=B0.id, payload=b"x")) == place(2, 0)


def test_the_earliest_fault_counts() -> None:
    assert cut_of(A0, A1, A1x, B0, first(2, prev=A1.id, payload=b"x")) == place(1, 1)
    assert cut_of(A0, A1, forks=(place(1, 1), place(4, 0))) == place(1, 1)


def test_what_stands_at_a_fork_or_beyond_shows_no_branch() -> None:
    """A second entry of epoch 2 is a fork there; that one of the two branches off epoch 1 is then no evidence,
    because other replicas may hold a third in its place and never hear of it."""
    branching, other = first(2, prev=A0.id), first(2, prev=A1.id, payload=b"other")
    assert cut_of(A0, A1, branching) == place(1, 1)
    assert cut_of(A0, A1, branching, other) == place(2, 0)
    assert cut_of(A0, A1, branching, forks=(place(2, 0),)) == place(2, 0) == cut_of(A0, A1, forks=(place(2, 0),))


def test_nobody_cuts_the_chain_of_another() -> None:
    chains = Chains()
    theirs = first(2, prev=A1.id, person=WORLD.people[1])
    for entry in (A0, A1, B0, theirs):
        chains.add(entry)
    assert chains.cuts() == {}


def test_last_is_the_furthest_not_the_latest() -> None:
    chains = Chains()
    assert chains.last(ME.player) is None
    for entry in (B1, A0, B0):
        chains.add(entry)
    assert chains.last(ME.player) == (place(2, 1), B1.id)


def chains_of(*entries: Entry, fork: Position | None = None) -> Chains:
    chains = Chains()
    for entry in entries:
        chains.add(entry)
    if fork is not None:
        chains.fork(ME.player, fork)
    return chains


def test_how_far_each_chain_goes_by_the_end_of_an_epoch() -> None:
    honest = chains_of(B0, A1, A0)
    assert honest.ends_at(Epoch(0)) == []
    assert honest.ends_at(Epoch(1)) == [(ME.player, place(1, 1), A1.id, False)]
    assert honest.ends_at(Epoch(2)) == honest.ends_at(Epoch(9)) == [(ME.player, place(2, 0), B0.id, False)]
    other = WORLD.people[1]
    theirs = first(1, person=other)
    both = chains_of(theirs, A0) if ME.player < other.player else chains_of(A0, theirs)
    assert [author for author, *_ in both.ends_at(Epoch(1))] == sorted([ME.player, other.player])


def test_of_a_chain_that_is_cut_only_what_is_before_counts_at_an_epochs_end() -> None:
    forked = chains_of(A0, A1, A1x, B0)
    assert forked.ends_at(Epoch(0)) == []
    assert forked.ends_at(Epoch(1)) == forked.ends_at(Epoch(2)) == [(ME.player, place(1, 0), A0.id, True)]
    from_the_start = chains_of(A0, A1, fork=place(1, 0))
    assert from_the_start.ends_at(Epoch(0)) == []
    assert from_the_start.ends_at(Epoch(1)) == [(ME.player, place(0, 0), NO_ENTRY, True)]
    next_epoch = chains_of(A0, A1, B0, fork=place(2, 0))
    assert next_epoch.ends_at(Epoch(1)) == [(ME.player, place(1, 1), A1.id, False)]
    assert next_epoch.ends_at(Epoch(2)) == [(ME.player, place(1, 1), A1.id, True)]


def test_of_a_chain_that_a_checkpoint_holds_as_cut_nothing_later_counts() -> None:
    chains = Chains()
    chains.plant(Epoch(1), ME.player, place(1, 0), A0.id, True)
    chains.plant(Epoch(1), WORLD.people[1].player, place(0, 0), NO_ENTRY, False)
    chains.add(first(2, prev=A0.id))
    assert chains.last(WORLD.people[1].player) is None
    assert chains.counts(ME.player, place(1, 5)) and not chains.counts(ME.player, place(2, 0))
    assert chains.cut_of(WORLD.people[1].player) is None


def test_a_chain_that_a_checkpoint_holds_goes_on_from_its_last_entry() -> None:
    chains = Chains()
    chains.plant(Epoch(1), ME.player, place(1, 1), A1.id, False)
    assert chains.last(ME.player) == (place(1, 1), A1.id) and not chains.add(A1)
    chains.add(B0)
    assert chains.cuts() == {} and chains.last(ME.player) == (place(2, 0), B0.id)
    assert chains_of(A0, fork=place(1, 1)).cuts() == {ME.player: place(1, 1)}


def test_only_ledger_documents() -> None:
    body = first_body(NETWORK, jam_document(SessionId(bytes(32))), LogKey(ME.player, NO_NONCE), b"")
    with pytest.raises(Misuse):
        Chains().add(sign(ME.identity, NETWORK, body))


POOL = [A0, A1, A1x, B0, B1, first(2, prev=A0.id), first(3, prev=B1.id), first(3, prev=B0.id), first(1, prev=B0.id)]


@given(st.permutations(range(len(POOL))), st.integers(1, len(POOL)), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_any_subset_in_any_order(order: list[int], count: int, random: object) -> None:
    chosen = [POOL[i] for i in order[:count]]
    one, other = Chains(), Chains()
    for entry in chosen:
        assert one.add(entry) and not one.add(entry)
    random.shuffle(chosen)  # type: ignore[attr-defined]
    for entry in chosen:
        other.add(entry)
    assert one.cuts() == other.cuts()
