from collections.abc import Callable

import pytest

import crdt.replica
from crdt.entry import Entry, first_body, sign
from crdt.errors import BLAMELESS, Misuse, Reason, Violation
from crdt.keys import Identity
from crdt.limits import ENTRIES_PER_LOG_MAX, HELD_PER_PEER_MAX, LOGS_PER_DOCUMENT_MAX
from crdt.log import Equivocation, prove_equivocation
from crdt.replica import NOTHING, Admission, Replica
from crdt.types import DocumentName, EntryId, Nonce
from crdt.view import View
from tests.crdt.authors import (
    ALICE,
    BOB,
    CAROL,
    GIVER,
    JAM,
    LEDGER,
    MALLORY,
    NETWORK,
    OTHER_JAM,
    OTHER_NETWORK,
    chain,
    forge,
    key_of,
    stray,
)

TRUNK = chain(ALICE, 8)
TWIG = chain(ALICE, 5, label=b"twig", after=TRUNK[3])  # parts at 4
LOW = chain(ALICE, 4, label=b"low", after=TRUNK[0])  # parts at 1
THIRD = chain(ALICE, 2, label=b"third", after=TRUNK[3])


def replica_of(*entries: Entry, document: DocumentName = JAM) -> Replica:
    replica = Replica(NETWORK, document)
    for entry in entries:
        replica.admit(entry, GIVER)
    return replica


def given(*entries: Entry) -> Replica:
    """A replica that was given these, whatever of them it refused."""
    replica = Replica(NETWORK, JAM)
    for entry in entries:
        try:
            replica.admit(entry, GIVER)
        except Violation as violation:
            assert violation.reason in BLAMELESS
    return replica


def unchanged(replica: Replica, reason: Reason, act: Callable[[], object]) -> None:
    view = View(replica)
    before = (replica.digest(), replica.heads(), replica.entry_count, replica.held_count(), view.update())
    with pytest.raises(Violation) as caught:
        act()
    assert caught.value.reason is reason
    assert (replica.digest(), replica.heads(), replica.entry_count, replica.held_count(), view.update()) == before
    assert View(replica).update() == before[-1]


def frozen_at(replica: Replica) -> int | None:
    log = replica.logs[key_of(ALICE)]
    assert log.frozen_at in (None, len(log))
    return log.frozen_at


def test_entries_in_order_are_added() -> None:
    replica = Replica(NETWORK, JAM)
    assert [replica.admit(entry, GIVER).added for entry in TRUNK] == [(entry,) for entry in TRUNK]
    assert replica.entry_count == 8
    assert [head[2:] for head in replica.heads()] == [(8, TRUNK[7].id, False)]


def test_what_is_there_is_ignored() -> None:
    replica = replica_of(*TRUNK)
    before = replica.digest()
    assert all(replica.admit(entry, GIVER) == NOTHING for entry in TRUNK)
    assert replica.digest() == before


def test_entries_backwards_are_held_and_then_released() -> None:
    replica = Replica(NETWORK, JAM)
    for entry in reversed(TRUNK[1:]):
        assert replica.admit(entry, GIVER) == Admission(held=True)
        assert replica.heads() == ()
    assert replica.held_count() == 7
    assert replica.admit(TRUNK[0], GIVER).added == tuple(TRUNK)
    assert replica.held_count() == 0
    assert replica.digest() == replica_of(*TRUNK).digest()


def test_a_log_per_nonce() -> None:
    again = chain(ALICE, 2, nonce=Nonce(b"restart!"))
    replica = replica_of(*TRUNK, *again)
    assert [head.length for head in replica.heads()] == [8, 2]


@pytest.mark.parametrize(
    ("reason", "entry"),
    [
        (Reason.WRONG_PREV, stray(ALICE, 5)),
        (Reason.WRONG_PREV, stray(ALICE, 3)),
        (Reason.WRONG_PREV, TWIG[1]),
        (Reason.WRONG_PREV, LOW[2]),
        (Reason.WRONG_PREV, sign(BOB, NETWORK, first_body(NETWORK, JAM, key_of(BOB), b"", EntryId(b"p" * 32)))),
        (Reason.WRONG_DOCUMENT, chain(ALICE, 1, OTHER_JAM)[0]),
        (Reason.WRONG_DOCUMENT, chain(ALICE, 1, LEDGER)[0]),
        (Reason.OVERSIZE, stray(ALICE, ENTRIES_PER_LOG_MAX)),
        (Reason.WRONG_NETWORK, sign(ALICE, OTHER_NETWORK, first_body(OTHER_NETWORK, JAM, key_of(ALICE), b""))),
    ],
    ids=repr,
)
def test_a_refused_entry_changes_nothing(reason: Reason, entry: Entry) -> None:
    replica = replica_of(*TRUNK[:5])
    unchanged(replica, reason, lambda: replica.admit(entry, GIVER))
    assert replica.admit(TRUNK[5], GIVER).added == (TRUNK[5],)


def test_an_entry_is_opened_for_its_own_document() -> None:
    replica = replica_of(*TRUNK)
    assert replica.open(TRUNK[0].raw) == TRUNK[0]
    unchanged(replica, Reason.WRONG_DOCUMENT, lambda: replica.open(chain(ALICE, 1, OTHER_JAM)[0].raw))
    unchanged(replica, Reason.BAD_SIGNATURE, lambda: replica.open(forge(MALLORY, TRUNK[0].body)))
    unchanged(replica, Reason.TRUNCATED, lambda: replica.open(TRUNK[0].raw[:60]))


def test_what_is_held_is_opened_as_itself_and_nothing_like_it_is() -> None:
    replica = replica_of(*TRUNK)
    assert replica.open(TRUNK[2].raw) is replica.logs[key_of(ALICE)].entries[2]
    for bit in range(0, len(TRUNK[2].raw) * 8, 7):
        raw = bytearray(TRUNK[2].raw)
        raw[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Violation):
            replica.open(bytes(raw))


@pytest.mark.parametrize("name", ["", "chat", "ledger/x"])
def test_no_replica_of_what_is_no_document(name: str) -> None:
    with pytest.raises(Misuse):
        Replica(NETWORK, DocumentName(name))


def test_a_fork_freezes_and_cuts() -> None:
    replica = replica_of(*TRUNK)
    admission = replica.admit(TWIG[0], GIVER)
    assert admission == Admission(equivocation=prove_equivocation(TRUNK[4], TWIG[0]), cut=tuple(TRUNK[4:]))
    assert (frozen_at(replica), replica.entry_count) == (4, 4)
    assert replica.heads()[0].frozen
    assert replica.equivocations == {key_of(ALICE): admission.equivocation}


def test_past_a_fork_only_the_proof_itself_is_no_offence() -> None:
    replica = replica_of(*TRUNK, TWIG[0])
    assert replica.admit(TRUNK[4], GIVER) == NOTHING
    assert replica.admit(TWIG[0], GIVER) == NOTHING
    for entry in (TRUNK[5], TWIG[1], THIRD[0], stray(ALICE, 900)):
        unchanged(replica, Reason.FROZEN, lambda entry=entry: replica.admit(entry, GIVER))  # type: ignore[misc]


def test_a_fork_found_higher_up_ends_at_the_lowest() -> None:
    replica = replica_of(*TRUNK, TWIG[0])
    admission = replica.admit(LOW[0], GIVER)
    assert admission.equivocation == prove_equivocation(TRUNK[1], LOW[0])
    assert admission.cut == tuple(TRUNK[1:4])
    assert frozen_at(replica) == 1
    assert replica.digest() == given(*LOW, *TRUNK).digest() == given(*TWIG, *TRUNK, *LOW).digest()


def test_a_fork_of_the_first_number_leaves_nothing() -> None:
    replica = replica_of(*TRUNK)
    replica.admit(chain(ALICE, 1, label=b"other")[0], GIVER)
    assert (frozen_at(replica), replica.entry_count) == (0, 0)
    assert [head[2:] for head in replica.heads()] == [(0, bytes(32), True)]
    assert View(replica).update() == View(Replica(NETWORK, JAM)).update()
    assert replica.digest() != Replica(NETWORK, JAM).digest()


def test_a_fork_among_held_entries_shows_when_the_log_gets_there() -> None:
    replica = replica_of(*TRUNK[5:], *TWIG, *TRUNK[1:5])
    admission = replica.admit(TRUNK[0], GIVER)
    assert admission.added == tuple(TRUNK[:4])
    assert admission.equivocation == prove_equivocation(TRUNK[4], TWIG[0])
    assert admission.cut == ()
    assert (frozen_at(replica), replica.held_count()) == (4, 0)


def test_what_waited_for_another_history_is_dropped() -> None:
    replica = replica_of(TWIG[1], *TRUNK[:6])
    assert (frozen_at(replica), replica.held_count()) == (None, 0)
    assert replica.entry_count == 6


def test_a_foreign_proof_freezes() -> None:
    proof = prove_equivocation(TRUNK[4], TWIG[0])
    for replica in (given(*TRUNK), given(*TRUNK[:4]), given(*TRUNK[:4], *TWIG), given(*TRUNK[:4], *THIRD)):
        replica.freeze(proof)
        assert replica.freeze(proof) == NOTHING
        assert replica.digest() == given(*TRUNK, *TWIG).digest()


def test_a_proof_waits_for_the_history_it_is_about() -> None:
    replica = replica_of(*TRUNK[:2])
    before = replica.digest()
    assert replica.freeze(prove_equivocation(TRUNK[4], TWIG[0])).held
    assert replica.digest() == before
    replica.admit(TRUNK[2], GIVER)
    assert replica.admit(TRUNK[3], GIVER).equivocation is not None
    assert frozen_at(replica) == 4


def test_a_proof_about_another_history_changes_nothing() -> None:
    replica = replica_of(TRUNK[0], *LOW)
    before = replica.digest()
    pair = [chain(ALICE, 1, label=label, after=TRUNK[2])[0] for label in (b"x", b"y")]
    assert replica.freeze(prove_equivocation(*pair)) == NOTHING
    assert replica.digest() == before


def test_a_higher_proof_never_lifts_the_cut() -> None:
    replica = replica_of(*TRUNK, LOW[0])
    assert replica.freeze(prove_equivocation(TRUNK[4], TWIG[0])) == NOTHING
    assert frozen_at(replica) == 1


def test_a_false_proof_is_refused() -> None:
    replica = replica_of(*TRUNK)
    for pair in ((TRUNK[3], TRUNK[3]), (TRUNK[3], TRUNK[4]), (TRUNK[5], TWIG[1]), (TRUNK[0], chain(BOB, 1)[0])):
        unchanged(replica, Reason.BAD_PROOF, lambda pair=pair: replica.freeze(Equivocation(*pair)))  # type: ignore[misc]
    elsewhere = prove_equivocation(chain(ALICE, 1, OTHER_JAM)[0], chain(ALICE, 1, OTHER_JAM, label=b"x")[0])
    unchanged(replica, Reason.WRONG_DOCUMENT, lambda: replica.freeze(elsewhere))


def test_gaps_are_held_for_each_giver_up_to_a_bound() -> None:
    replica = Replica(NETWORK, JAM)
    entries = chain(CAROL, HELD_PER_PEER_MAX + 3)
    for entry in entries[1 : HELD_PER_PEER_MAX + 1]:
        replica.admit(entry, BOB.player)
    unchanged(replica, Reason.GAP, lambda: replica.admit(entries[-1], BOB.player))
    assert replica.admit(entries[1], BOB.player).held  # held already, so it needs no room
    assert replica.admit(entries[-1], MALLORY.player).held
    assert len(replica.admit(entries[0], BOB.player).added) == HELD_PER_PEER_MAX + 1
    assert replica.held_count() == 1


def test_what_a_peer_that_left_had_brought_is_forgotten() -> None:
    replica = Replica(NETWORK, JAM)
    replica.admit(TRUNK[2], BOB.player)
    replica.admit(TRUNK[3], CAROL.player)
    replica.forget_giver(BOB.player)
    replica.forget_giver(MALLORY.player)
    assert replica.held_count() == 1
    for entry in TRUNK[:2]:
        replica.admit(entry, BOB.player)
    assert replica.entry_count == 2
    assert replica.admit(TRUNK[2], BOB.player).added == (TRUNK[2], TRUNK[3])


def test_a_full_document_takes_no_further_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crdt.replica, "LOGS_PER_DOCUMENT_MAX", 2)
    replica = replica_of(*TRUNK, *chain(BOB, 1))
    unchanged(replica, Reason.FULL, lambda: replica.admit(chain(CAROL, 1)[0], GIVER))
    pair = [chain(CAROL, 1, label=label)[0] for label in (b"x", b"y")]
    unchanged(replica, Reason.FULL, lambda: replica.freeze(prove_equivocation(*pair)))
    assert replica.admit(chain(BOB, 2)[1], GIVER).added


def test_refused_and_held_authors_take_no_log() -> None:
    replica = Replica(NETWORK, JAM)
    for number in range(40):
        stranger = Identity(number.to_bytes(32, "big"))
        replica.admit(stray(stranger, 5), GIVER)
        bad = sign(stranger, NETWORK, first_body(NETWORK, JAM, key_of(stranger), b"", EntryId(b"p" * 32)))
        with pytest.raises(Violation):
            replica.admit(bad, GIVER)
    assert not replica.logs
    assert LOGS_PER_DOCUMENT_MAX > 40


def test_restored_is_as_admitted() -> None:
    replica = Replica(NETWORK, JAM)
    replica.restore(iter([*TRUNK, *chain(BOB, 3)]))
    assert replica.digest() == replica_of(*TRUNK, *chain(BOB, 3)).digest()
    assert replica.entry_count == 11


@pytest.mark.parametrize("entries", [TRUNK[1:], [TRUNK[0], TRUNK[2]], [TRUNK[0], LOW[1]], chain(ALICE, 1, LEDGER)])
def test_what_the_store_may_not_give_back(entries: list[Entry]) -> None:
    replica = Replica(NETWORK, JAM)
    with pytest.raises(Violation):
        replica.restore(iter(entries))
    assert all(log.entries for log in replica.logs.values())


def test_the_digest_tells_documents_and_contents_apart() -> None:
    digests = {
        Replica(NETWORK, JAM).digest(),
        Replica(NETWORK, OTHER_JAM).digest(),
        replica_of(*TRUNK[:4]).digest(),
        replica_of(*TRUNK[:5]).digest(),
        replica_of(*TRUNK[:4], TWIG[0]).digest(),
        replica_of(*TRUNK[:4], *TWIG[:1], TRUNK[4]).digest(),
        replica_of(*TRUNK[:5], TWIG[0]).digest(),
        replica_of(*chain(ALICE, 4, nonce=Nonce(b"restart!"))).digest(),
    }
    assert len(digests) == 7  # both ways to the frozen log are one state
