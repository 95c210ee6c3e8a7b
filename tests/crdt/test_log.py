import pytest
from msgspec.structs import replace

from crdt.entry import first_body, sign
from crdt.errors import Misuse, Reason, Violation
from crdt.log import Log, prove_equivocation
from crdt.types import NO_ENTRY, EntryId, Nonce, Seq
from tests.crdt.authors import ALICE, BOB, JAM, LEDGER, NETWORK, OTHER_JAM, chain, key_of, stray

TRUNK = chain(ALICE, 5)
TWIG = chain(ALICE, 3, label=b"twig", after=TRUNK[1])


def log_of(length: int) -> Log:
    log = Log(key_of(ALICE))
    for entry in TRUNK[:length]:
        log.append(entry)
    return log


def test_a_log_grows_by_what_follows() -> None:
    log = log_of(5)
    assert (len(log), log.head, log.entries) == (5, TRUNK[4].id, TRUNK)
    assert Log(key_of(ALICE)).head == NO_ENTRY


@pytest.mark.parametrize(
    ("reason", "entry"),
    [
        (Reason.GAP, TRUNK[4]),
        (Reason.GAP, TRUNK[2]),
        (Reason.GAP, TRUNK[0]),
        (Reason.WRONG_PREV, stray(ALICE, 3)),
        (Reason.WRONG_PREV, TWIG[1]),
    ],
)
def test_what_does_not_follow_changes_nothing(reason: Reason, entry: object) -> None:
    log = log_of(3)
    with pytest.raises(Violation) as caught:
        log.append(entry)  # type: ignore[arg-type]
    assert caught.value.reason is reason
    assert log.entries == TRUNK[:3]


def test_another_s_entry_is_misuse() -> None:
    log = log_of(1)
    for entry in (chain(BOB, 2)[1], chain(ALICE, 2, nonce=Nonce(b"restart!"))[1]):
        with pytest.raises(Misuse):
            log.append(entry)


def test_a_jam_log_begins_from_nothing_and_a_ledger_log_from_an_earlier_epoch() -> None:
    prev = EntryId(b"e" * 32)
    with pytest.raises(Violation) as caught:
        Log(key_of(ALICE)).append(sign(ALICE, NETWORK, first_body(NETWORK, JAM, key_of(ALICE), b"", prev)))
    assert caught.value.reason is Reason.WRONG_PREV
    log = Log(key_of(ALICE))
    log.append(sign(ALICE, NETWORK, first_body(NETWORK, LEDGER, key_of(ALICE), b"", prev)))
    assert len(log) == 1


def test_a_fork_cuts_and_a_later_one_only_lowers_the_cut() -> None:
    log = log_of(5)
    assert log.freeze(Seq(3)) == TRUNK[3:]
    assert log.freeze(Seq(1)) == TRUNK[1:3]
    assert (log.entries, log.frozen_at) == (TRUNK[:1], 1)
    with pytest.raises(Misuse):
        log.freeze(Seq(2))
    with pytest.raises(Violation) as caught:
        log.append(TRUNK[1])
    assert caught.value.reason is Reason.FROZEN
    assert len(log) == 1


def test_a_pair_is_one_proof_whichever_way_round() -> None:
    proof = prove_equivocation(TRUNK[2], TWIG[0])
    assert proof == prove_equivocation(TWIG[0], TRUNK[2])
    assert proof.first.id < proof.second.id
    assert proof.seq == 2


def test_ledger_logs_fork_at_their_first_number_by_different_links() -> None:
    pair = [
        sign(ALICE, NETWORK, first_body(NETWORK, LEDGER, key_of(ALICE), b"", EntryId(p * 32))) for p in (b"a", b"b")
    ]
    assert prove_equivocation(*pair).seq == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TRUNK[2], TRUNK[2]),
        (TRUNK[2], TRUNK[3]),
        (TRUNK[3], TWIG[1]),  # the fork is further down
        (TRUNK[0], chain(BOB, 1)[0]),
        (TRUNK[0], chain(ALICE, 1, OTHER_JAM)[0]),
        (TRUNK[0], chain(ALICE, 1, LEDGER)[0]),
        (TRUNK[0], chain(ALICE, 1, nonce=Nonce(b"restart!"))[0]),
        (TRUNK[3], stray(ALICE, 3)),
    ],
    ids=repr,
)
def test_other_pairs_prove_nothing(one: object, other: object) -> None:
    with pytest.raises(Violation) as caught:
        prove_equivocation(one, other)  # type: ignore[arg-type]
    assert caught.value.reason is Reason.BAD_PROOF


def test_a_log_in_a_later_part_may_begin_with_a_link_back() -> None:
    body = first_body(NETWORK, OTHER_JAM, key_of(ALICE), b"on", TRUNK[-1].id)
    log = Log(key_of(ALICE))
    log.append(sign(ALICE, NETWORK, body))
    assert len(log) == 1
    with pytest.raises(Violation):
        Log(key_of(ALICE)).append(sign(ALICE, NETWORK, replace(body, document=JAM)))
