from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crdt.replica
from crdt.entry import Entry
from crdt.limits import ENTRIES_FRAME_BYTES, ENTRIES_PER_LOG_MAX, FRAME_MAX_BYTES
from crdt.log import Head
from crdt.reconcile import Want, compare, newest_first, serve
from crdt.replica import Replica
from crdt.types import DocumentName, EntryId, Nonce, Seq
from crdt.view import View
from tests.crdt.authors import ALICE, AUTHORS, BOB, CAROL, JAM, LEDGER, MALLORY, NETWORK, chain, key_of, stray
from tests.crdt.worlds import expected, give, held_by, replica_of, rounds_to_converge, take_turns, worlds

World = tuple[DocumentName, list[Entry]]
KEY = key_of(ALICE)
TRUNK = chain(ALICE, 10)
TWIG = chain(ALICE, 6, label=b"twig", after=TRUNK[4])  # parts at 5
EMPTY = Replica(NETWORK, JAM)


def whole(start: int, stop: int) -> Want:
    return Want(KEY, Seq(start), Seq(stop))


# Comparing


def test_equal_heads_leave_nothing_to_say() -> None:
    replica = replica_of(JAM, TRUNK)
    assert compare(replica, replica.heads()) == ((), 0, 0, ())
    assert compare(EMPTY, ()) == ((), 0, 0, ())


def test_who_has_less_asks_for_the_rest() -> None:
    short, long = replica_of(JAM, TRUNK[:4]), replica_of(JAM, TRUNK)
    assert compare(short, long.heads()) == ((whole(4, 10),), 6, 0, ())
    assert compare(long, short.heads()) == ((), 0, 6, ())
    assert compare(EMPTY, long.heads()) == ((whole(0, 10),), 10, 0, ())
    assert compare(long, ()) == ((), 0, 10, ())


def test_who_knows_of_a_fork_says_so_once() -> None:
    forked = replica_of(JAM, [*TRUNK, *TWIG])
    for behind in (replica_of(JAM, TRUNK), replica_of(JAM, TRUNK[:5])):
        assert compare(forked, behind.heads()).proofs_due == (KEY,)
        behind.freeze(forked.equivocations[KEY])
        assert compare(forked, behind.heads()) == ((), 0, 0, ())
        assert compare(behind, forked.heads()) == ((), 0, 0, ())


def test_who_has_not_reached_the_fork_gets_entries_first() -> None:
    forked, behind = replica_of(JAM, [*TRUNK, *TWIG]), replica_of(JAM, TRUNK[:2])
    assert compare(forked, behind.heads()) == ((), 0, 3, ())
    assert compare(behind, forked.heads()) == ((whole(2, 5),), 3, 0, ())


def test_who_is_frozen_lower_is_not_asked_to_take_more() -> None:
    lower = replica_of(JAM, [*TRUNK, chain(ALICE, 1, label=b"low", after=TRUNK[0])[0]])
    higher = replica_of(JAM, [*TRUNK, *TWIG])
    assert compare(higher, lower.heads()) == ((), 0, 0, ())
    assert compare(lower, higher.heads()) == ((), 0, 0, (KEY,))


def test_who_never_heard_of_an_author_is_told_of_a_fork_that_left_nothing() -> None:
    forked = replica_of(JAM, [TRUNK[0], *chain(ALICE, 1, label=b"other")])
    assert compare(forked, ()) == ((), 0, 0, (KEY,))
    assert compare(EMPTY, forked.heads()) == ((), 0, 0, ())


def test_two_histories_are_searched_from_the_end_of_the_shorter() -> None:
    ours, theirs = replica_of(JAM, TRUNK), replica_of(JAM, [*TRUNK[:5], *TWIG[:3]])
    found = compare(ours, theirs.heads())
    assert [want.start for want in found.wants] == [7, 6, 5, 3, 0]
    assert all(want.stop == want.start + 1 for want in found.wants)
    assert found.missing == 0
    assert found.lacking


def test_after_another_history_s_entry_one_at_a_time_is_asked_for() -> None:
    ours, theirs = replica_of(JAM, TRUNK[:7]), replica_of(JAM, [*TRUNK[:5], *TWIG])
    give(ours, TWIG[2], BOB.player)
    assert compare(ours, theirs.heads(), BOB.player).wants == (whole(7, 8),)
    assert compare(ours, theirs.heads(), CAROL.player).wants == (whole(7, 11),)
    give(ours, TRUNK[7], BOB.player)
    assert compare(ours, theirs.heads(), BOB.player).wants == (whole(8, 11),)


@pytest.mark.parametrize("length", [ENTRIES_PER_LOG_MAX + 1, 2**53 - 1])
def test_nobody_is_asked_for_more_than_a_log_may_hold(length: int) -> None:
    boast = Head(ALICE.player, KEY.nonce, length, EntryId(b"h" * 32), False)
    assert compare(EMPTY, [boast]).wants == (whole(0, ENTRIES_PER_LOG_MAX),)


def test_a_lie_costs_a_few_single_entries() -> None:
    ours = replica_of(JAM, TRUNK)
    for length in range(1, 11):
        lie = Head(ALICE.player, KEY.nonce, length, EntryId(b"h" * 32), False)
        wants = compare(ours, [lie]).wants
        assert 1 <= len(wants) <= 2 * length.bit_length() + 2
        assert all(0 <= want.start < length and want.stop == want.start + 1 for want in wants)


def test_a_full_document_asks_for_no_further_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crdt.replica, "LOGS_PER_DOCUMENT_MAX", 1)
    full = replica_of(JAM, TRUNK)
    assert compare(full, replica_of(JAM, chain(BOB, 3)).heads()).wants == ()


# Serving


def test_entries_are_served_a_frame_at_a_time() -> None:
    entries = chain(ALICE, 12, size=9_000)
    replica = replica_of(JAM, entries)
    raws = serve(replica, KEY, Seq(3), Seq(12))
    assert raws == tuple(entry.raw for entry in entries[3:7])
    assert sum(len(raw) + 5 for raw in raws) <= ENTRIES_FRAME_BYTES < FRAME_MAX_BYTES


def test_the_largest_entry_is_served_by_itself() -> None:
    entries = chain(ALICE, 4, size=16_384)
    assert len(serve(replica_of(JAM, entries), KEY, Seq(0), Seq(4))) == 2
    assert max(len(entry.raw) for entry in entries) < ENTRIES_FRAME_BYTES


@pytest.mark.parametrize(("start", "stop"), [(10, 11), (2**53 - 1, 2**53 - 1), (5, 5), (5, 4), (0, 0)])
def test_what_is_not_held_is_not_served(start: int, stop: int) -> None:
    assert serve(replica_of(JAM, TRUNK), KEY, Seq(start), Seq(stop)) == ()


def test_neither_held_nor_cut_nor_foreign_entries_are_served() -> None:
    replica = replica_of(JAM, [*TRUNK, *TWIG, stray(BOB, 4)])
    assert len(serve(replica, KEY, Seq(0), Seq(100))) == 5
    assert serve(replica, key_of(BOB), Seq(0), Seq(100)) == ()
    assert serve(replica, key_of(ALICE, Nonce(b"restart!")), Seq(0), Seq(100)) == ()


def test_newest_ledger_first_then_jams() -> None:
    names = [JAM, "ledger/9", "ledger/10", LEDGER, "ledger/x"]
    assert newest_first(names) == ["ledger/10", "ledger/9", LEDGER, JAM, "ledger/x"]


# Converging


@settings(max_examples=200, deadline=None)
@given(worlds(), st.integers(2, 3), st.booleans(), st.booleans(), st.data())
def test_from_any_split_all_end_with_what_the_union_says(
    world: World, count: int, named: bool, more: bool, data: st.DataObject
) -> None:
    document, entries = world
    replicas = [Replica(NETWORK, document) for _ in range(count)]
    for entry in data.draw(st.permutations(entries)):
        for number in data.draw(st.sets(st.integers(0, count - 1), min_size=1)):
            give(replicas[number], entry, AUTHORS[number].player)
    rounds_to_converge(replicas, 12, named, more)
    assert held_by(replicas[0]) == expected(entries)
    assert len({View(replica).update() for replica in replicas}) == 1
    assert take_turns(replicas, [author.player for author in AUTHORS]) == 0


def branch(at: int, length: int, label: bytes) -> list[Entry]:
    return LONG[:at] + chain(ALICE, length - at, label=label, after=LONG[at - 1] if at else None)


LONG = chain(ALICE, 700)
BRANCHES = {
    "equal lengths": [LONG, branch(40, 700, b"b")],
    "the fork is at the first number": [LONG, branch(0, 700, b"b")],
    "the fork is at the last number": [LONG, branch(699, 700, b"b")],
    "one much shorter": [LONG, branch(40, 300, b"b")],
    "one only just parted": [LONG, branch(333, 334, b"b")],
    "one is only behind": [LONG, LONG[:123]],
    "three branches": [LONG, branch(40, 650, b"b"), branch(300, 500, b"c")],
    "three that part at one number": [LONG, branch(77, 700, b"b"), branch(77, 78, b"c")],
    "a branch of a branch": [LONG, branch(500, 600, b"b"), branch(20, 700, b"c")],
    "one holds only what both share": [LONG, branch(200, 700, b"b"), LONG[:150]],
    "one has nothing": [LONG, branch(200, 700, b"b"), []],
}


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("branches", BRANCHES.values(), ids=BRANCHES)
def test_long_branches_end_at_their_lowest_fork(branches: list[list[Entry]], named: bool) -> None:
    for replicas in (
        [replica_of(JAM, entries) for entries in branches],
        [replica_of(JAM, entries) for entries in reversed(branches)],
    ):
        rounds = rounds_to_converge(replicas, math.ceil(math.log2(700)) + 4, named, whole=True)
        assert rounds >= 1
        assert held_by(replicas[0]) == expected(entry for entries in branches for entry in entries)


def test_a_search_asks_for_few_entries() -> None:
    names = [BOB.player, CAROL.player]
    replicas = [replica_of(JAM, LONG), replica_of(JAM, branch(40, 700, b"b"))]
    served = 0
    while replicas[0].digest() != replicas[1].digest():
        served += take_turns(replicas, names)
    assert served <= 2 * 2 * 10 * 10
    assert replicas[0].logs[KEY].frozen_at == 40


def test_forks_that_two_nodes_found_higher_up_end_at_the_lowest() -> None:
    low, mid, high = branch(10, 400, b"low"), branch(200, 420, b"mid"), branch(410, 500, b"high")
    replicas = [replica_of(JAM, [*LONG, *high]), replica_of(JAM, [*LONG[:300], *mid]), replica_of(JAM, low)]
    assert [replica.logs[KEY].frozen_at for replica in replicas] == [410, 200, None]
    rounds_to_converge(replicas, 14, whole=True)
    assert {replica.logs[KEY].frozen_at for replica in replicas} == {10}


def test_hints_that_lead_astray_do_not_stop_the_search() -> None:
    """An author may go on signing entries that fit nowhere, and have them brought by anyone, while we search."""
    replicas = [replica_of(JAM, LONG), replica_of(JAM, branch(400, 700, b"b"))]
    names = [BOB.player, CAROL.player]
    for number in range(30):
        if replicas[0].digest() == replicas[1].digest():
            break
        for replica in replicas:
            give(replica, stray(ALICE, 2 + number, label=b"%d" % number), MALLORY.player)
            give(replica, stray(ALICE, 600 - number, label=b"%d" % number), MALLORY.player)
        take_turns(replicas, names, named=number % 2 == 0)
    assert {replica.logs[KEY].frozen_at for replica in replicas} == {400}


def test_a_search_begun_with_a_lie_ends_with_the_truth() -> None:
    """A peer that first brought a stray entry far below, then its real log: the hint moves up, then down."""
    replicas = [replica_of(JAM, LONG), replica_of(JAM, branch(400, 700, b"b"))]
    give(replicas[0], stray(ALICE, 3), AUTHORS[-2].player)
    give(replicas[1], stray(ALICE, 3), AUTHORS[-1].player)
    assert rounds_to_converge(replicas, 14) > 1
    assert replicas[0].logs[KEY].frozen_at == 400


def test_many_forked_authors_at_once() -> None:
    sides: list[list[Entry]] = [[], []]
    for number, author in enumerate(AUTHORS[:6]):
        common = chain(author, 3 * number)
        for side in (0, 1):
            twig = chain(author, 40 + side * number, label=b"%d" % side, after=common[-1] if common else None)
            sides[side] += [*common, *twig]
    replicas = [replica_of(JAM, side) for side in sides]
    rounds_to_converge(replicas, 12)
    assert held_by(replicas[0]) == expected(sides[0] + sides[1])


def test_large_entries_take_more_rounds_and_lose_nothing() -> None:
    entries = chain(ALICE, 30, size=16_000)
    replicas = [replica_of(JAM, entries), Replica(NETWORK, JAM)]
    assert rounds_to_converge(replicas, 15) == 15  # two to a frame
    assert replicas[1].entry_count == 30


def test_search_finds_forks_of_large_entries() -> None:
    trunk = chain(ALICE, 60, size=16_000)
    other = trunk[:5] + chain(ALICE, 55, label=b"b", after=trunk[4], size=16_000)
    replicas = [replica_of(JAM, trunk), replica_of(JAM, other)]
    rounds_to_converge(replicas, 9)
    assert replicas[1].logs[KEY].frozen_at == 5
