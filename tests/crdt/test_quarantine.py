"""The quarantine holds what a person needs to see, and never more than its bounds."""

from __future__ import annotations

import pytest

from crdt.errors import Reason, Violation
from crdt.limits import (
    QUARANTINE_BYTES_MAX,
    QUARANTINE_BYTES_PER_GIVER_MAX,
    QUARANTINE_GIVERS_MAX,
    QUARANTINE_MAX,
    QUARANTINE_PER_GIVER_MAX,
)
from crdt.quarantine import Quarantine
from crdt.types import PlayerId
from tests.crdt.authors import BOB, CAROL

FORGED = Violation(Reason.BAD_SIGNATURE, "why " * 100)


def _giver(number: int) -> PlayerId:
    return PlayerId(number.to_bytes(32, "big"))


def test_it_says_who_gave_what_when_and_why() -> None:
    kept = Quarantine()
    kept.put(FORGED, BOB.player, b"forged", 5)
    kept.put(Violation(Reason.GARBAGE), None, b"noise", 7)
    newest, oldest = kept.newest(9)
    assert (newest.reason, newest.giver, newest.at_us, newest.raw) == (Reason.GARBAGE, None, 7, b"noise")
    assert (oldest.reason, oldest.giver, oldest.at_us, oldest.raw) == (Reason.BAD_SIGNATURE, BOB.player, 5, b"forged")
    assert oldest.detail == ("why " * 20)
    assert kept.newest(1) == [newest]
    assert kept.counts[BOB.player] == {Reason.BAD_SIGNATURE: 1}


def test_the_same_bytes_are_kept_once_for_each_giver_and_counted() -> None:
    kept = Quarantine()
    for at_us in range(3):
        kept.put(FORGED, BOB.player, b"forged", at_us)
    kept.put(FORGED, CAROL.player, b"forged", 9)
    assert [(s.giver, s.times, s.at_us) for s in kept.newest(9)] == [(CAROL.player, 1, 9), (BOB.player, 3, 0)]
    assert kept.size_bytes == 12
    assert kept.counts[BOB.player][Reason.BAD_SIGNATURE] == 3


@pytest.mark.parametrize("reason", [Reason.FROZEN, Reason.WRONG_PREV, Reason.GAP, Reason.FLOOD])
def test_what_failed_no_verification_is_not_kept(reason: Reason) -> None:
    kept = Quarantine()
    kept.put(Violation(reason), BOB.player, b"signed by its author", 1)
    assert not kept and not kept.counts


def test_what_has_no_bytes_or_too_many_is_only_counted() -> None:
    kept = Quarantine()
    kept.put(FORGED, BOB.player, b"", 1)
    kept.put(FORGED, BOB.player, bytes(QUARANTINE_BYTES_PER_GIVER_MAX + 1), 1)
    assert not kept
    assert kept.counts[BOB.player] == {Reason.BAD_SIGNATURE: 2}


def test_one_givers_flood_pushes_out_only_its_own() -> None:
    kept = Quarantine()
    kept.put(FORGED, CAROL.player, b"evidence", 0)
    for number in range(10 * QUARANTINE_PER_GIVER_MAX):
        kept.put(FORGED, BOB.player, b"%d" % number, number + 1)
    assert len(kept) == QUARANTINE_PER_GIVER_MAX + 1
    assert kept.newest(1)[0].raw == b"%d" % (10 * QUARANTINE_PER_GIVER_MAX - 1)
    assert kept.newest(999)[-1].raw == b"evidence"


def test_a_flood_from_many_givers_is_bounded_in_number_bytes_and_givers() -> None:
    kept = Quarantine()
    for number in range(QUARANTINE_GIVERS_MAX + 100):
        for part in range(3):
            kept.put(FORGED, _giver(number), (b"%d/%d" % (number, part)).ljust(20_000), number)
            assert len(kept) <= QUARANTINE_MAX
            assert kept.size_bytes <= QUARANTINE_BYTES_MAX
    assert len(kept.counts) == QUARANTINE_GIVERS_MAX
    assert kept.size_bytes == sum(len(suspect.raw) for suspect in kept.newest(10_000))
    assert kept.size_bytes > QUARANTINE_BYTES_MAX // 2
    for number in range(2 * QUARANTINE_MAX):
        kept.put(FORGED, _giver(number), b"small %d" % number, number)
        assert len(kept) <= QUARANTINE_MAX
    assert kept.size_bytes == sum(len(suspect.raw) for suspect in kept.newest(10_000))
