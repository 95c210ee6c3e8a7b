"""A store of an older format is brought up step by step, or is what it was; one of a newer format is left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crdt.errors import OperatingFailure
from crdt.store.base import Store
from crdt.store.keys import META, entry_item
from crdt.store.level import LevelStore
from crdt.store.recover import Opened, close_clean, open_verified
from crdt.store.upgrade import FORMAT_KEY, Step, StoreTooNew, format_item, format_of
from crdt.types import NO_NONCE
from tests.crdt.store.logs import BOOT, FRESH, NETWORK, batch_of, make_log, player
from tests.crdt.store.test_level import flip, in_table, the

LOG = make_log(player(1), 80)
OLD = b"x"  # the first letter of an entry's key in an older format, which no released version has written


def renamed(store: Store) -> None:
    """From a format in which entries lay under another letter to today's."""
    for key, value in list(store.scan(OLD)):
        store.write([(key, None), (b"e" + key[1:], value)], sync=False)


def noted(store: Store) -> None:
    """From today's to one that has a note more."""
    store.write([(META + b"note", b"%d" % sum(1 for _ in store.scan(b"e")))], sync=False)


def opened(path: Path, *steps: Step) -> Opened:
    return open_verified(path, NETWORK, BOOT, FRESH, steps)


def older(path: Path) -> None:
    """A store as an older version left it: without a record of its format."""
    close_clean(open_verified(path, NETWORK, BOOT, NO_NONCE).store)
    store = LevelStore(path)
    store.write([(OLD + key[1:], value) for key, value in batch_of(LOG) if value is not None], sync=True)
    store.write([(FORMAT_KEY, None), (META + b"mark", None)], sync=True)
    store.close()


def contents(path: Path) -> dict[bytes, bytes]:
    store = LevelStore(path)
    try:
        return dict(store.scan(b""))
    finally:
        store.close()


def upgraded(path: Path) -> None:
    """It is whole, of the newest format, and the original is where it is said to be."""
    node = opened(path, renamed, noted)
    assert [entry for log in node.logs.values() for entry in log] == LOG
    assert format_of(node.store) == 3 and node.store.get(META + b"note") == b"80"
    assert not list(node.store.scan(OLD))
    node.store.close()
    assert sum(key[:1] == OLD for key in contents(path.with_name("db.older-1"))) == 80
    assert sorted(found.name for found in path.parent.iterdir()) == ["db", "db.older-1"]


def test_step_by_step_and_what_it_was_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "db"
    older(path)
    node = opened(path, renamed, noted)
    node.store.close()
    (words,) = node.recovery.words()
    assert "from format 1 to 3" in words and str(tmp_path / "db.older-1") in words
    upgraded(path)


CHILD = """
import os, signal, sys
from pathlib import Path
from crdt.store.keys import META
from tests.crdt.store import test_upgrade as t

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def half(store):
    for number, (key, value) in enumerate(list(store.scan(t.OLD))):
        if number == 40:
            die()
        store.write([(key, None), (b"e" + key[1:], value)], sync=True)

renames = 0
rename = Path.rename
def renaming(path, target):
    global renames
    if renames == int(sys.argv[2][-1]):
        die()
    renames += 1
    return rename(path, target)

if sys.argv[2] == "step":
    t.opened(Path(sys.argv[1]), half, t.noted)
Path.rename = renaming
t.opened(Path(sys.argv[1]), t.renamed, t.noted)
"""


@pytest.mark.parametrize("where", ["step", "rename 0", "rename 1"])
def test_killed_half_way_it_goes_on(tmp_path: Path, where: str) -> None:
    path = tmp_path / "db"
    older(path)
    done = subprocess.run([sys.executable, "-c", CHILD, str(path), where], timeout=120, check=False)
    assert done.returncode == -9
    upgraded(path)


def test_a_step_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    def full(store: Store) -> None:
        renamed(store)
        raise OperatingFailure("the store cannot save", "No space left on device")

    older(tmp_path / "db")
    before = contents(tmp_path / "db")
    with pytest.raises(OperatingFailure, match="No space left"):
        opened(tmp_path / "db", full)
    assert contents(tmp_path / "db") == before


@pytest.mark.parametrize("damaged", [False, True])
def test_a_newer_one_is_left_alone(tmp_path: Path, damaged: bool) -> None:
    path = tmp_path / "db"
    close_clean(opened(path, renamed, noted).store)
    store = LevelStore(path)
    store.write([*batch_of(LOG), (b"z of a later kind", b"1"), format_item(4)], sync=True)
    store.close()
    if damaged:
        in_table(path)
        flip(the(path, ".ldb"), 2_000)
    with pytest.raises(StoreTooNew) as caught:
        opened(path, renamed, noted)
    assert "format 4" in caught.value.why and "symjam restore" in caught.value.remedy
    assert not [*tmp_path.glob("db.damaged-*"), *tmp_path.glob("db.older-*")]
    if not damaged:
        assert contents(path)[b"z of a later kind"] == b"1"


def test_an_older_one_that_is_damaged_is_left_to_the_version_that_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "db"
    older(path)
    in_table(path)
    flip(the(path, ".ldb"), 2_000)
    with pytest.raises(OperatingFailure) as caught:
        opened(path, renamed)
    assert "format 1, and damaged" in caught.value.why
    assert not [*tmp_path.glob("db.damaged-*"), *tmp_path.glob("db.older-*")]


def test_a_new_store_is_of_the_newest_format_at_once(tmp_path: Path) -> None:
    node = opened(tmp_path / "db", renamed, noted)
    assert format_of(node.store) == 3 and not node.recovery.words()
    node.store.close()


def test_one_without_a_record_is_of_the_first_format(tmp_path: Path) -> None:
    path = tmp_path / "db"
    store = LevelStore(path)
    assert format_of(store) is None
    store.write([entry_item(LOG[0])], sync=True)
    assert format_of(store) == 1
    store.close()
    node = opened(path)
    assert dict([format_item(1)]).items() <= dict(node.store.scan(META)).items()
    node.store.close()
