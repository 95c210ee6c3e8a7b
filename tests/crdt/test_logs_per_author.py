"""One author has so many logs in a document and no more, the same ones wherever the same entries were seen."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crdt.replica
from crdt.entry import Entry
from crdt.errors import BLAMELESS, Reason, Violation
from crdt.limits import LOGS_PER_AUTHOR_MAX
from crdt.log import prove_equivocation
from crdt.replica import Replica
from crdt.types import NO_NONCE, Nonce
from crdt.view import View
from tests.crdt.authors import ALICE, BOB, CAROL, GIVER, JAM, NETWORK, chain, key_of, stray
from tests.crdt.worlds import expected, held_by, replica_of, rounds_to_converge

FEW = 3


def _nonce(number: int) -> Nonce:
    return Nonce(number.to_bytes(8, "big"))


def _logs(count: int, length: int = 2) -> list[list[Entry]]:
    return [chain(ALICE, length, nonce=_nonce(number)) for number in range(count)]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crdt.replica, "LOGS_PER_AUTHOR_MAX", FEW)


def test_a_further_log_is_refused_and_blames_nobody() -> None:
    replica = replica_of(JAM, [entry for log in _logs(LOGS_PER_AUTHOR_MAX) for entry in log])
    before = replica.digest()
    for entry in (*chain(ALICE, 1, nonce=_nonce(99)), stray(ALICE, 4, nonce=_nonce(99))):
        with pytest.raises(Violation) as caught:
            replica.admit(entry, GIVER)
        assert caught.value.reason is Reason.FULL
    assert Reason.FULL in BLAMELESS
    assert (replica.digest(), replica.held_count()) == (before, 0)
    assert replica.admit(chain(BOB, 1)[0], GIVER).added


def test_an_author_who_fills_its_share_takes_no_place_of_others() -> None:
    replica = Replica(NETWORK, JAM)
    for number in range(200, 0, -1):
        replica.admit(chain(ALICE, 1, nonce=_nonce(number))[0], GIVER)
    assert len(replica.logs) == replica.entry_count == LOGS_PER_AUTHOR_MAX
    assert [bytes(key.nonce) for key in sorted(replica.logs)] == [_nonce(n) for n in range(1, LOGS_PER_AUTHOR_MAX + 1)]


def test_what_makes_room_is_gone_with_all_that_belonged_to_it(few: None) -> None:
    logs = _logs(FEW + 1)
    last = logs[-1]
    replica = replica_of(JAM, [entry for log in logs[1:] for entry in log])
    replica.freeze(prove_equivocation(last[1], chain(ALICE, 1, nonce=_nonce(FEW), label=b"x", after=last[0])[0]))
    view = View(replica)
    assert len(view.array(last[0].log)) == 1
    replica.admit(logs[0][0], GIVER)
    assert last[0].log not in replica.logs
    assert not replica.equivocations
    assert replica.entry_count == 2 * FEW - 1
    assert view.array(last[0].log) == []
    assert view.array(logs[0][0].log) == [logs[0][0].raw]


def _lowest(entries: Sequence[Entry]) -> dict[tuple[bytes, bytes], tuple[int, bytes, bool]]:
    """By the definition: of all logs that are there at all, each author's lowest nonces."""
    there = expected(entries)
    return {key: value for key, value in there.items() if sum(k[0] == key[0] and k < key for k in there) < FEW}


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_the_same_entries_leave_the_same_logs_in_any_order(data: st.DataObject) -> None:
    entries: list[Entry] = []
    for author in (ALICE, BOB):
        for number in data.draw(st.lists(st.integers(0, 9), unique=True, max_size=7)):
            trunk = chain(author, data.draw(st.integers(1, 3)), nonce=_nonce(number))
            entries += trunk
            if data.draw(st.booleans()):
                at = data.draw(st.integers(0, len(trunk) - 1))
                after = trunk[at - 1] if at else None
                entries += chain(author, 1, nonce=_nonce(number), label=b"other", after=after)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crdt.replica, "LOGS_PER_AUTHOR_MAX", FEW)
        one = replica_of(JAM, data.draw(st.permutations(entries)))
        other = replica_of(JAM, data.draw(st.permutations(entries)))
        # What waited for its log when that had no room is refused, and comes again as in every reconciliation.
        for replica in (one, other):
            assert held_by(replica).keys() <= _lowest(entries).keys()
        whole = replica_of(JAM, sorted(entries, key=lambda e: (e.body.seq, e.log, e.id)))
        assert held_by(whole) == _lowest(entries)
        rounds_to_converge([one, other, whole], most=12)
        assert held_by(one) == held_by(whole)


def test_a_node_that_has_only_high_ones_ends_with_the_low_ones(few: None) -> None:
    logs = _logs(2 * FEW, length=5)
    low = replica_of(JAM, [entry for log in logs[:FEW] for entry in log])
    high = replica_of(JAM, [entry for log in logs[FEW:] for entry in log])
    assert rounds_to_converge([low, high], most=4) <= 4
    assert [key.nonce for key in sorted(high.logs)] == [_nonce(n) for n in range(FEW)]


def test_room_is_kept_for_the_logs_that_are_there(few: None) -> None:
    replica = replica_of(JAM, [log[0] for log in _logs(FEW)])
    assert replica.has_room(key_of(ALICE)) and _nonce(0) == NO_NONCE
    assert not replica.has_room(key_of(ALICE, _nonce(FEW)))
    assert replica.has_room(key_of(CAROL, _nonce(FEW)))
