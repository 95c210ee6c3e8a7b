"""The longest prefix that verifies, and not one entry more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.canonical import encode
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.keys import Identity
from crdt.store.keys import LogName, entry_item, entry_key, proof_key
from crdt.store.walk import Loss, verified_proof, walk
from crdt.types import DocumentName, EntryId, Nonce, Seq
from tests.crdt.store.logs import JAM, LEDGER, NETWORK, OTHER_NETWORK, make_log, player, proof_item

ONE, TWO = player(1), player(2)
LOG = make_log(ONE, 6)
OTHER = make_log(TWO, 4)
NAME = LogName(JAM, LOG[0].log)
OTHER_NAME = LogName(JAM, OTHER[0].log)


def items(*logs: list[Entry]) -> list[tuple[bytes, bytes]]:
    return sorted(entry_item(entry) for log in logs for entry in log)


@pytest.mark.parametrize("trusted", [(), (JAM,), (JAM, LEDGER)])
def test_whole_logs_come_back_whole(trusted: tuple[DocumentName, ...]) -> None:
    ledger = make_log(ONE, 3, LEDGER)
    again = make_log(ONE, 2, nonce=Nonce(b"\x00" * 7 + b"\x01"))
    found = walk(NETWORK, items(LOG, OTHER, ledger, again), trusted)
    assert found.whole
    assert found.entries == 15
    assert next(iter(found.logs.values())) == ledger
    assert found.logs[NAME] == LOG
    assert found.logs[OTHER_NAME] == OTHER


@given(st.sets(st.integers(0, 5)))
def test_missing_entries_cut_the_log_at_the_first(missing: set[int]) -> None:
    kept = [entry for entry in LOG if entry.body.seq not in missing]
    first = min(missing, default=6)
    found = walk(NETWORK, items(kept, OTHER))
    assert found.logs.get(NAME, []) == LOG[:first]
    assert found.logs[OTHER_NAME] == OTHER
    if len(kept) > first:
        assert (found.lost[NAME].kept, found.lost[NAME].dropped) == (first, len(kept) - first)
    else:
        assert found.whole  # a shorter log is a log


@settings(max_examples=60)
@given(st.integers(0, 5), st.data())
def test_any_flipped_bit_cuts_the_log_there(number: int, data: st.DataObject) -> None:
    raw = bytearray(LOG[number].raw)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    stored = dict(items(LOG, OTHER)) | {entry_item(LOG[number])[0]: bytes(raw)}
    found = walk(NETWORK, sorted(stored.items()))
    assert found.logs.get(NAME, []) == LOG[:number]
    assert found.logs[OTHER_NAME] == OTHER
    assert found.lost[NAME].dropped == 6 - number


def test_trust_leaves_out_signatures_and_nothing_else() -> None:
    def with_entry(number: int, raw: bytes) -> list[tuple[bytes, bytes]]:
        return sorted((dict(items(LOG)) | {entry_item(LOG[number])[0]: raw}).items())

    unsigned = bytes(64) + LOG[2].raw[64:]
    assert walk(NETWORK, with_entry(2, unsigned), trusted=(JAM,)).entries == 6
    for others in ((), (LEDGER,)):
        assert walk(NETWORK, with_entry(2, unsigned), trusted=others).entries == 2
    other_branch = make_log(ONE, 3, salt=b"another")[2]
    assert walk(NETWORK, with_entry(2, other_branch.raw), trusted=(JAM,)).entries == 2
    assert walk(NETWORK, with_entry(2, LOG[2].raw[:-1]), trusted=(JAM,)).entries == 2
    assert walk(NETWORK, with_entry(2, b""), trusted=(JAM,)).entries == 2


@pytest.mark.parametrize("trusted", [(), (JAM, LEDGER)])
def test_an_entry_under_anothers_key_is_not_kept(trusted: tuple[DocumentName, ...]) -> None:
    theirs = OTHER[0].raw
    found = walk(NETWORK, [(entry_key(JAM, LOG[0].log, Seq(0)), theirs), *items(OTHER)], trusted)
    assert NAME not in found.logs
    assert found.lost[NAME].dropped == 1
    in_ledger = walk(NETWORK, [(entry_key(LEDGER, LOG[0].log, Seq(0)), LOG[0].raw)], trusted)
    assert in_ledger.entries == 0


def test_a_well_signed_entry_with_a_wrong_link_is_not_kept() -> None:
    body = next_body(LOG[0], b"x")
    wrong = sign(
        ONE,
        NETWORK,
        type(body)(*(EntryId(b"w" * 32) if f == "prev" else getattr(body, f) for f in body.__struct_fields__)),
    )
    found = walk(NETWORK, items([LOG[0], wrong]))
    assert found.logs[NAME] == LOG[:1]
    assert found.lost[NAME] == Loss(1, 1, "wrong-prev: entry 1 follows another entry")


def test_a_first_ledger_entry_may_link_into_an_earlier_epoch_and_a_jam_entry_may_not() -> None:
    key = LogKey(ONE.player, LOG[0].log.nonce)
    for document, kept in ((LEDGER, 1), (JAM, 0)):
        entry = sign(ONE, NETWORK, first_body(NETWORK, document, key, b"x", prev=EntryId(b"e" * 32)))
        assert walk(NETWORK, items([entry])).entries == kept


def test_another_networks_entries_do_not_verify() -> None:
    assert walk(OTHER_NETWORK, items(LOG)).entries == 0


def test_keys_that_name_nothing_are_strays() -> None:
    found = walk(NETWORK, [(b"e", b""), (b"e\x09nonsense", b"x"), *items(LOG)])
    assert found.strays == [b"e", b"e\x09nonsense"]
    assert not found.whole
    assert found.logs[NAME] == LOG


@given(st.dictionaries(st.binary(max_size=60).map(lambda tail: b"e" + tail), st.binary(max_size=120), max_size=5))
def test_garbage_never_passes_and_never_raises(garbage: dict[bytes, bytes]) -> None:
    found = walk(NETWORK, sorted((dict(items(LOG)) | garbage).items()))
    assert found.logs[NAME] == LOG
    assert found.entries == 6
    assert len(found.strays) + sum(loss.dropped for loss in found.lost.values()) == len(garbage)


def test_a_proof_verifies_under_its_own_key_alone() -> None:
    key, value = proof_item(ONE)
    pair = verified_proof(NETWORK, key, value)
    assert pair is not None
    first, second = pair
    assert encode((first, second)) == value
    assert verified_proof(NETWORK, proof_key(JAM, LogKey(TWO.player, LOG[0].log.nonce)), value) is None
    assert verified_proof(OTHER_NETWORK, key, value) is None
    assert verified_proof(NETWORK, key, encode((first, first))) is None
    assert verified_proof(NETWORK, key, encode((second, first))) == pair  # the same proof, told the other way round
    assert verified_proof(NETWORK, key, value[:-1]) is None
    assert verified_proof(NETWORK, key, b"") is None


def test_the_same_number_in_two_logs_is_no_proof() -> None:
    mine, theirs = make_log(Identity(b"\x01" * 32), 1)[0], OTHER[0]
    assert verified_proof(NETWORK, proof_key(JAM, mine.log), encode((mine.raw, theirs.raw))) is None
