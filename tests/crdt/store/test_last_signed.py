"""The record that keeps an author from signing two entries at one number."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crdt.canonical import digest, encode
from crdt.errors import Misuse, OperatingFailure
from crdt.limits import LAST_SIGNED_MAX
from crdt.store.last_signed import MAGIC, LastSigned, LastSignedDamaged, Signed
from crdt.types import EntryId, Epoch, Seq, ledger_document
from tests.crdt.store.logs import JAM, LEDGER

NEXT = ledger_document(Epoch(8))


def an_id(number: int) -> EntryId:
    return EntryId(bytes([number]) * 32)


def test_a_missing_file_is_an_author_who_never_signed(tmp_path: Path) -> None:
    assert LastSigned.load(tmp_path / "signed").latest is None


def test_what_was_recorded_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "signed"
    signed = LastSigned.load(path)
    for number in range(3):
        signed.record(LEDGER, Seq(number), an_id(number))
        assert LastSigned.load(path).latest == Signed(LEDGER, Seq(number), an_id(number)) == signed.latest
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["signed"]


def test_the_newest_epoch_is_the_latest_whatever_was_recorded_last(tmp_path: Path) -> None:
    signed = LastSigned.load(tmp_path / "signed")
    signed.record(ledger_document(Epoch(10)), Seq(0), an_id(1))
    signed.record(ledger_document(Epoch(9)), Seq(5), an_id(2))
    assert signed.latest == Signed(ledger_document(Epoch(10)), Seq(0), an_id(1))


def test_the_record_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "signed"
    signed = LastSigned.load(path)
    for epoch in range(3 * LAST_SIGNED_MAX):
        signed.record(ledger_document(Epoch(epoch)), Seq(epoch), an_id(epoch))
    size = path.stat().st_size
    assert size < LAST_SIGNED_MAX * 150
    with pytest.raises(Misuse):
        LastSigned.load(path).record(ledger_document(Epoch(0)), Seq(99), an_id(0))
    signed.record(ledger_document(Epoch(2 * LAST_SIGNED_MAX)), Seq(99), an_id(0))
    assert path.stat().st_size == size


def test_recording_the_same_again_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "signed"
    signed = LastSigned.load(path)
    signed.record(LEDGER, Seq(4), an_id(4))
    before = path.stat().st_ino
    signed.record(LEDGER, Seq(4), an_id(4))
    assert path.stat().st_ino == before


@pytest.mark.parametrize("seq", [0, 3, 4])
def test_another_entry_at_a_number_already_signed_is_misuse(tmp_path: Path, seq: int) -> None:
    signed = LastSigned.load(tmp_path / "signed")
    signed.record(LEDGER, Seq(4), an_id(4))
    with pytest.raises(Misuse):
        signed.record(LEDGER, Seq(seq), an_id(9))
    assert LastSigned.load(tmp_path / "signed").latest == Signed(LEDGER, Seq(4), an_id(4))


def test_jams_have_no_record(tmp_path: Path) -> None:
    with pytest.raises(Misuse):
        LastSigned.load(tmp_path / "signed").record(JAM, Seq(0), an_id(0))


def a_file(tmp_path: Path) -> Path:
    path = tmp_path / "signed"
    signed = LastSigned.load(path)
    signed.record(LEDGER, Seq(4), an_id(4))
    signed.record(NEXT, Seq(0), an_id(5))
    return path


def test_any_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    good = path.read_bytes()
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises(LastSignedDamaged):
            LastSigned.load(path)


def test_any_truncation_is_noticed_an_empty_file_too(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(LastSignedDamaged):
            LastSigned.load(path)


@pytest.mark.parametrize(
    "records",
    [
        [(LEDGER, 1)],
        [(LEDGER, -1, bytes(32))],
        [(LEDGER, 1, bytes(31))],
        [(JAM, 1, bytes(32))],
        [("ledger/01", 1, bytes(32))],
        [(NEXT, 1, bytes(32)), (LEDGER, 1, bytes(32))],
        [(LEDGER, 1, bytes(32)), (LEDGER, 2, bytes(32))],
        [(f"ledger/{epoch}", 1, bytes(32)) for epoch in range(LAST_SIGNED_MAX + 1)],
        {"ledger/7": 1},
        7,
    ],
)
def test_a_right_checksum_over_nonsense_is_not_enough(tmp_path: Path, records: object) -> None:
    path = tmp_path / "signed"
    body = encode(records)
    path.write_bytes(MAGIC + digest(b"symjam-signed", body) + body)
    with pytest.raises(LastSignedDamaged):
        LastSigned.load(path)


def test_what_is_no_small_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(100_000))
    (tmp_path / "link").symlink_to(tmp_path / "large")
    (tmp_path / "directory").mkdir()
    for name in ("large", "link", "directory"):
        with pytest.raises(OperatingFailure):
            LastSigned.load(tmp_path / name)


def test_a_disk_that_fails_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_file(tmp_path)
    signed = LastSigned.load(path)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OperatingFailure, match="No space left"):
        signed.record(NEXT, Seq(1), an_id(6))
    monkeypatch.undo()
    assert signed.latest == LastSigned.load(path).latest == Signed(NEXT, Seq(0), an_id(5))
    signed.record(NEXT, Seq(1), an_id(6))
    assert os.listdir(tmp_path) == ["signed"]
