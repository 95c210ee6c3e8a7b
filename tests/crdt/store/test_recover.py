"""Opening after everything that can happen to a directory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from crdt.entry import Entry
from crdt.errors import OperatingFailure
from crdt.limits import REPLACED_COPIES_MAX
from crdt.store.base import StoreDamaged, StoreInUse
from crdt.store.faulty import FaultyStore
from crdt.store.keys import LogName, entry_item
from crdt.store.level import LevelStore
from crdt.store.memory import MemoryStore
from crdt.store.recover import Opened, close_clean, open_store, open_verified
from crdt.store.walk import verified_proof
from crdt.types import NO_NONCE
from tests.crdt.store.logs import (
    BOOT,
    FRESH,
    JAM,
    LEDGER,
    NETWORK,
    OTHER_BOOT,
    OTHER_NETWORK,
    batch_of,
    make_log,
    player,
    proof_item,
    save,
)
from tests.crdt.store.test_level import flip, in_table, the

LOGS = [make_log(player(n), 120) for n in (1, 2, 3)] + [make_log(player(1), 40, LEDGER)]


def name_of(log: Sequence[Entry]) -> LogName:
    return LogName(log[0].body.document, log[0].log)


def opened(path: Path, boot: str = BOOT) -> Opened:
    return open_verified(path, NETWORK, boot, FRESH)


def left_behind(path: Path, clean: bool, table: bool = False) -> None:
    """A store with LOGS and a proof, left by a process that ended so."""
    node = open_verified(path, NETWORK, BOOT, NO_NONCE)
    for batch in zip(*LOGS[:3], strict=True):  # as they come: one of each
        save(node.store, batch, sync=False)
    save(node.store, LOGS[3])
    node.store.write([proof_item(player(9))], sync=True)
    if clean:
        close_clean(node.store)
    else:
        node.store.close()
    if table:
        in_table(path)


def test_a_new_store_is_empty_and_takes_the_nonce_it_is_given(tmp_path: Path) -> None:
    node = opened(tmp_path / "deep" / "db")
    assert (node.logs, node.proofs, node.nonce) == ({}, (), FRESH)
    assert node.recovery.words() == []
    assert (tmp_path / "deep" / "db").stat().st_mode & 0o777 == 0o700
    node.store.close()


@pytest.mark.parametrize("clean", [True, False])
def test_everything_comes_back(tmp_path: Path, clean: bool) -> None:
    left_behind(tmp_path / "db", clean)
    node = opened(tmp_path / "db")
    assert node.logs == {name_of(log): log for log in LOGS}
    assert len(node.proofs) == 1
    assert [entry.body.document for entry in node.entries()] == [LEDGER] * 40 + [JAM] * 360
    assert node.nonce == NO_NONCE
    assert node.recovery.signatures_checked is not clean
    assert node.recovery.words() == []
    node.store.close()


@pytest.mark.parametrize(
    ("clean", "boot", "doubtful"),
    [(False, OTHER_BOOT, True), (False, BOOT, False), (True, OTHER_BOOT, False)],
)
def test_the_nonce_changes_when_the_machine_went_down(tmp_path: Path, clean: bool, boot: str, doubtful: bool) -> None:
    left_behind(tmp_path / "db", clean)
    node = opened(tmp_path / "db", boot)
    assert node.recovery.machine_went_down is doubtful
    assert node.nonce == (FRESH if doubtful else NO_NONCE)
    node.store.close()
    again = open_verified(tmp_path / "db", NETWORK, boot, NO_NONCE)  # and it stays as it was chosen
    assert again.nonce == (FRESH if doubtful else NO_NONCE)
    again.store.close()


def test_a_store_touched_after_the_clean_mark_is_checked_in_full_and_not_trusted(tmp_path: Path) -> None:
    left_behind(tmp_path / "db", clean=True)
    store = LevelStore(tmp_path / "db")
    store.write([(entry_item(LOGS[0][-1])[0], None)], sync=True)
    store.close()
    node = opened(tmp_path / "db")
    assert node.recovery.signatures_checked
    assert node.recovery.unaccounted == 1
    assert node.nonce == FRESH
    assert "1 entries that were there at the last clean stop are missing" in node.recovery.words()
    node.store.close()


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("position", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("table", [True, False])
def test_after_a_flipped_bit_prefixes_are_kept_and_the_rest_is_reported(
    tmp_path: Path, clean: bool, position: float, table: bool
) -> None:
    path = tmp_path / "db"
    left_behind(path, clean, table)
    file = the(path, ".ldb" if table else ".log")
    flip(file, int(file.stat().st_size * position))
    original = file.read_bytes()
    node = opened(path)
    report = node.recovery
    assert report.damaged
    assert report.set_aside == tmp_path / "db.damaged-1"
    assert node.nonce == FRESH
    kept = {name_of(log): node.logs.get(name_of(log), []) for log in LOGS}
    assert all(kept[name_of(log)] == log[: len(kept[name_of(log)])] for log in LOGS)
    assert report.entries == sum(map(len, kept.values())) <= 400
    assert sum(len(kept[name_of(log)]) < len(log) for log in LOGS) <= 1  # one bit is in one entry, or in none
    for log in LOGS:
        loss = report.lost.get(name_of(log))
        if loss is not None:
            assert loss.kept == len(kept[name_of(log)])
            assert loss.kept + loss.dropped <= len(log)
    if table and clean:
        dropped = sum(loss.dropped for loss in report.lost.values())
        assert report.entries + dropped + report.unaccounted >= 399  # a damaged key is a stray, told by nobody
    assert (report.set_aside / file.name).read_bytes() == original
    assert sorted(os.listdir(tmp_path)) == ["db", "db.damaged-1"]
    save(node.store, LOGS[0])  # as peers give it back
    node.store.close()
    again = opened(path)
    assert again.recovery.words() == []
    assert again.logs[name_of(LOGS[0])] == LOGS[0]
    again.store.close()


def test_a_zeroed_tail_costs_the_tail_only(tmp_path: Path) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=False)
    log = the(path, ".log")
    size = log.stat().st_size
    os.truncate(log, size // 2)
    os.truncate(log, size)
    node = opened(path, OTHER_BOOT)
    assert node.recovery.damaged
    assert node.recovery.machine_went_down
    assert node.recovery.entries > 100
    assert not node.recovery.lost  # a shorter prefix of each, nothing read that was not kept
    node.store.close()


def test_a_truncated_tail_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=False)
    log = the(path, ".log")
    os.truncate(log, log.stat().st_size // 2)
    node = opened(path, OTHER_BOOT)
    assert not node.recovery.damaged
    assert node.nonce == FRESH
    assert 100 < node.recovery.entries < 360
    assert all(log == whole[: len(log)] for whole in LOGS for log in [node.logs.get(name_of(whole), [])])
    node.store.close()


def test_a_log_cut_anywhere_gives_prefixes(tmp_path: Path) -> None:
    """As a crash leaves it: every entry before the cut, no damage, and never a hole."""
    path = tmp_path / "db"
    left_behind(path, clean=False)
    whole = the(path, ".log").read_bytes()
    positions = {entry.raw: whole.find(entry.raw[:20]) for log in LOGS for entry in log}
    for number in range(40):
        cut, copy = Random(number).randrange(len(whole) + 1), tmp_path / f"copy-{number}"
        shutil.copytree(path, copy)
        os.truncate(the(copy, ".log"), cut)
        node = opened(copy)
        assert not node.recovery.damaged
        for log in LOGS:
            kept = node.logs.get(name_of(log), [])
            assert kept == log[: len(kept)]
            batch_bytes = 12_000 if log is LOGS[3] else 1_200  # one that is cut is gone as a whole
            assert len(kept) >= sum(0 < positions[entry.raw] <= cut - batch_bytes for entry in log)
        node.store.close()


def test_an_entry_that_does_not_verify_is_damage_even_when_leveldb_is_content(tmp_path: Path) -> None:
    path = tmp_path / "db"
    raw = bytearray(LOGS[1][50].raw)
    raw[3] ^= 1
    store = open_verified(path, NETWORK, BOOT, NO_NONCE).store
    for log in LOGS:
        save(store, (entry for entry in log if entry != LOGS[1][50]))
    store.write([(entry_item(LOGS[1][50])[0], bytes(raw)), (b"e stray", b"x"), proof_item(player(9))], sync=True)
    store.close()
    node = opened(path)
    assert node.logs == {name_of(log): log for log in (LOGS[0], LOGS[1][:50], LOGS[2], LOGS[3])}
    loss = node.recovery.lost[name_of(LOGS[1])]
    assert (loss.kept, loss.dropped, loss.why) == (50, 70, "bad-signature")
    assert len(node.proofs) == 1
    author = player(2).player.hex()[:8]
    assert f"{JAM} of {author}: 50 entries kept, 70 dropped (bad-signature)" in node.recovery.words()
    node.store.close()


@pytest.mark.parametrize("victim", ["CURRENT", "MANIFEST-*"])
def test_what_leveldb_cannot_open_is_read_out_of_its_files(tmp_path: Path, victim: str) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=True, table=True)
    for found in path.glob(victim):
        found.unlink()
    node = opened(path)
    assert node.logs == {name_of(log): log for log in LOGS}
    assert node.proofs == (verified_proof(NETWORK, *proof_item(player(9))),)
    assert node.recovery.unreadable is not None
    assert node.nonce == FRESH
    assert any("400 entries were found in its files" in line for line in node.recovery.words())
    assert node.recovery.set_aside is not None
    assert list(node.recovery.set_aside.glob("*.ldb"))
    node.store.close()


def test_when_nothing_can_be_read_the_node_starts_empty_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=True, table=True)
    for found in path.glob("*.ldb"):
        found.write_bytes(bytes(found.stat().st_size))
    node = opened(path)
    assert (node.recovery.entries, node.nonce) == (0, FRESH)
    assert any("0 entries were found" in line or "copy is in" in line for line in node.recovery.words())
    assert node.recovery.set_aside is not None
    assert list(node.recovery.set_aside.glob("*.ldb"))
    node.store.close()


def test_a_bounded_number_of_copies_is_kept_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "db"
    for _ in range(REPLACED_COPIES_MAX + 2):
        left_behind(path, clean=False)
        (path / "CURRENT").write_bytes(b"")
        opened(path).store.close()
    kept = [f"db.damaged-{number}" for number in range(3, REPLACED_COPIES_MAX + 3)]
    assert sorted(os.listdir(tmp_path)) == ["db", *kept]


def test_another_networks_store_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=False)
    for _ in range(2):
        with pytest.raises(OperatingFailure, match="another network"):
            open_verified(path, OTHER_NETWORK, BOOT, FRESH)
    assert os.listdir(tmp_path) == ["db"]
    node = opened(path)
    assert node.recovery.entries == 400
    node.store.close()


def test_another_networks_damaged_store_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=False)
    log = the(path, ".log")
    flip(log, log.stat().st_size // 2)
    with pytest.raises(OperatingFailure, match="another network"):
        open_verified(path, OTHER_NETWORK, BOOT, FRESH)
    assert not list(tmp_path.glob("db.damaged-*"))
    node = opened(path)
    assert node.recovery.entries > 100
    node.store.close()


def test_a_store_in_use_is_not_damage(tmp_path: Path) -> None:
    node = opened(tmp_path / "db")
    with pytest.raises(StoreInUse):
        opened(tmp_path / "db")
    assert os.listdir(tmp_path) == ["db"]
    node.store.close()


def test_a_place_where_no_directory_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OperatingFailure):
        opened(tmp_path / "file" / "db")


def test_no_room_for_a_copy_leaves_the_damaged_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=False)
    (path / "CURRENT").write_bytes(b"")

    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(OperatingFailure, match="No space left"):
        opened(path)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["db"]
    opened(path).store.close()


@pytest.mark.parametrize("moment", [1, 2])
def test_a_crash_between_the_renames_is_finished_and_one_before_them_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    path = tmp_path / "db"
    left_behind(path, clean=False)
    log = the(path, ".log")
    flip(log, log.stat().st_size // 2)
    calls, rename = [0], Path.rename

    def cut(self: Path, target: Path) -> Path:
        calls[0] += 1
        if calls[0] == moment:
            raise OSError(5, "power cut")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", cut)
    with pytest.raises(OperatingFailure, match="power cut"):
        opened(path)
    monkeypatch.undo()
    node = opened(path)
    assert node.recovery.entries > 100
    assert node.recovery.damaged is (moment == 1)
    assert node.nonce == (FRESH if moment == 1 else node.nonce)
    assert sorted(os.listdir(tmp_path)) == ["db", "db.damaged-1"]
    node.store.close()


def test_any_backend_is_opened_the_same_way() -> None:
    store = MemoryStore()
    save(store, LOGS[0])
    assert open_store(store, NETWORK, BOOT, FRESH).logs == {name_of(LOGS[0]): LOGS[0]}


def test_a_backend_that_cannot_be_salvaged_is_refused_and_closed() -> None:
    store = MemoryStore()
    save(store, LOGS[0][1:])
    with pytest.raises(StoreDamaged):
        open_store(store, NETWORK, BOOT, FRESH)
    assert store.closed


@pytest.mark.parametrize("kept", [0, 1, 7, 20])
def test_a_power_cut_costs_unsynced_tails_and_the_nonce(kept: int) -> None:
    store = FaultyStore()
    open_store(store, NETWORK, BOOT, NO_NONCE)
    for entry in LOGS[0][:50]:
        save(store, [entry], sync=entry.body.seq == 29)
    node = open_store(store.crash(kept), NETWORK, OTHER_BOOT, FRESH)
    assert node.logs[name_of(LOGS[0])] == LOGS[0][: 30 + kept]
    assert node.nonce == FRESH


def test_a_disk_that_fails_while_opening_closes_the_store() -> None:
    store = FaultyStore([batch_of(LOGS[0])])
    store.fail_write(2)
    with pytest.raises(OperatingFailure, match="Input/output"):
        open_store(store, NETWORK, BOOT, FRESH)
