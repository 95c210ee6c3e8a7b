"""LevelDB's own files, damaged: noticed at once, never passed on as data."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crdt.errors import OperatingFailure
from crdt.store.base import StoreDamaged, StoreInUse
from crdt.store.level import LevelStore


def filled(path: Path, count: int = 400) -> dict[bytes, bytes]:
    """A store with that many values in its write-ahead log."""
    values = {b"e%06d" % number: random.Random(number).randbytes(200) for number in range(count)}
    store = LevelStore(path)
    for item in values.items():
        store.write([item], sync=False)
    store.close()
    return values


def in_table(path: Path) -> None:
    """Opening replays the log into a table."""
    LevelStore(path).close()


def the(path: Path, suffix: str) -> Path:
    return max(path.glob(f"*{suffix}"), key=lambda found: found.stat().st_size)


def flip(file: Path, position: int) -> None:
    data = bytearray(file.read_bytes())
    data[position] ^= 0x10
    file.write_bytes(data)


def read_all(path: Path, tolerant: bool = False) -> dict[bytes, bytes]:
    store = LevelStore(path, tolerant)
    try:
        return dict(store.scan(b""))
    finally:
        store.close()


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    values = filled(tmp_path / "db")
    assert read_all(tmp_path / "db") == values


def test_scanning_back_is_scanning_reversed(tmp_path: Path) -> None:
    values = filled(tmp_path / "db", 20)
    store = LevelStore(tmp_path / "db")
    assert list(store.scan_back(b"e")) == sorted(values.items(), reverse=True)
    assert list(store.scan_back(b"f")) == []
    store.close()


def test_a_second_opening_says_that_the_store_is_in_use(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "db")
    with pytest.raises(StoreInUse, match="symjam stop"):
        LevelStore(tmp_path / "db")
    store.close()
    LevelStore(tmp_path / "db").close()


def test_a_place_that_cannot_be_a_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OperatingFailure) as caught:
        LevelStore(tmp_path / "file")
    assert not isinstance(caught.value, StoreDamaged | StoreInUse)
    assert caught.value.remedy


@pytest.mark.parametrize("position", [0.1, 0.35, 0.6, 0.85])
def test_a_flipped_bit_in_the_log_is_refused(tmp_path: Path, position: float) -> None:
    filled(tmp_path / "db")
    log = the(tmp_path / "db", ".log")
    flip(log, int(log.stat().st_size * position))
    with pytest.raises(StoreDamaged):
        LevelStore(tmp_path / "db")


@pytest.mark.parametrize("position", [0.1, 0.35, 0.6, 0.85])
def test_a_flipped_bit_in_a_table_is_found_by_reading(tmp_path: Path, position: float) -> None:
    filled(tmp_path / "db")
    in_table(tmp_path / "db")
    table = the(tmp_path / "db", ".ldb")
    flip(table, int(table.stat().st_size * position))
    with pytest.raises(StoreDamaged):
        read_all(tmp_path / "db")
    store = LevelStore(tmp_path / "db")
    number = int(400 * position)
    near = [b"e%06d" % n for n in range(number - 60, number + 60) if 0 <= n < 400]
    with pytest.raises(StoreDamaged):
        [store.get(key) for key in near]
    store.close()
    assert len(read_all(tmp_path / "db", tolerant=True)) == 400  # uncompressed: all but one value is whole


def test_a_truncated_log_gives_a_prefix(tmp_path: Path) -> None:
    values = filled(tmp_path / "db")
    log = the(tmp_path / "db", ".log")
    os.truncate(log, log.stat().st_size * 2 // 3)
    found = read_all(tmp_path / "db")
    assert list(found.items()) == sorted(values.items())[: len(found)]
    assert 200 < len(found) < 400


def test_a_zeroed_tail_is_refused_and_read_tolerantly_gives_a_prefix(tmp_path: Path) -> None:
    values = filled(tmp_path / "db")
    log = the(tmp_path / "db", ".log")
    size = log.stat().st_size
    os.truncate(log, size * 2 // 3)
    os.truncate(log, size)
    with pytest.raises(StoreDamaged):
        LevelStore(tmp_path / "db")
    found = read_all(tmp_path / "db", tolerant=True)
    assert list(found.items()) == sorted(values.items())[: len(found)]
    assert len(found) > 200


def test_zeros_from_a_record_on_are_refused_too(tmp_path: Path) -> None:
    """LevelDB takes them for the end of its log: 2 of 200 zeroed tails were not noticed."""
    filled(tmp_path / "db", 1)
    log = the(tmp_path / "db", ".log")
    whole = log.read_bytes()
    shutil.copytree(tmp_path / "db", tmp_path / "other")
    log = the(tmp_path / "other", ".log")
    log.write_bytes(whole + bytes(len(whole)))
    with pytest.raises(StoreDamaged, match="ends in zeros"):
        LevelStore(tmp_path / "other")
    assert len(read_all(tmp_path / "other", tolerant=True)) == 1


@pytest.mark.parametrize("size", [1, 32_768 - 7 - 30, 70_000])
def test_what_leveldb_writes_has_no_such_zeros(tmp_path: Path, size: int) -> None:
    store = LevelStore(tmp_path / "db")
    for number in range(60):
        store.write([(b"e%06d" % number, bytes(size + number))], sync=False)
    store.close()
    assert len(read_all(tmp_path / "db")) == 60


def test_a_lost_current_file_does_not_make_an_empty_store_of_a_full_one(tmp_path: Path) -> None:
    filled(tmp_path / "db")
    in_table(tmp_path / "db")
    (tmp_path / "db" / "CURRENT").unlink()
    tables = sorted(tmp_path.glob("db/*.ldb"))
    with pytest.raises(StoreDamaged, match="CURRENT"):
        LevelStore(tmp_path / "db")
    assert sorted(tmp_path.glob("db/*.ldb")) == tables


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*"])
def test_a_damaged_directory_is_refused(tmp_path: Path, name: str) -> None:
    filled(tmp_path / "db")
    in_table(tmp_path / "db")
    flip(next(iter(tmp_path.glob(f"db/{name}"))), 9)
    with pytest.raises(StoreDamaged):
        LevelStore(tmp_path / "db")


_FULL_DISK = """
import sys
from pathlib import Path
from crdt.errors import OperatingFailure
from crdt.store.level import LevelStore

store = LevelStore(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
for number in range(10_000):
    try:
        store.write([(b"e%06d" % number, bytes(1_000))], sync=True)
    except OperatingFailure as error:
        failure = error
        print(failure.what, "|", failure.why, "|", failure.remedy, flush=True)
        break
    print(number, flush=True)
try:
    store.write([(b"later", b"")], sync=False)
except OperatingFailure as again:
    print("again" if again is failure else "another failure", flush=True)
"""


def test_a_disk_that_fills_up_is_final_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """A real write error from the kernel: the file may not grow beyond a limit (EFBIG)."""
    child = subprocess.Popen(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path / "db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
    out, _ = child.communicate("go\n", timeout=60)
    lines = out.splitlines()
    assert child.returncode == 0
    assert lines[-1] == "again"
    assert lines[-2].startswith("the store cannot save | ")
    assert "start again" in lines[-2]
    acknowledged = [int(line) for line in lines[:-2]]
    assert acknowledged == list(range(len(acknowledged)))
    assert len(acknowledged) > 50
    found = read_all(tmp_path / "db", tolerant=True)
    assert [b"e%06d" % number for number in acknowledged] == list(found)[: len(acknowledged)]
    assert b"later" not in found


def test_a_failing_sync_is_final(tmp_path: Path) -> None:
    """EIO from fdatasync, injected by strace."""
    strace = "/usr/bin/strace"
    if not os.access(strace, os.X_OK):
        pytest.skip("needs strace")
    inject = ["-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=5"]
    done = subprocess.run(
        [strace, *inject, sys.executable, "-c", _FULL_DISK, str(tmp_path / "db")],
        input="go\n", capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode == -signal.SIGSYS or "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    lines = done.stdout.splitlines()
    assert "Input/output error" in lines[-2]
    assert lines[-1] == "again"
    assert len(lines) < 10
