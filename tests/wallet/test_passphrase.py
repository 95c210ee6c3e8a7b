"""A key under a passphrase: nothing else opens it, and it is there whatever happens while that is changed."""

from __future__ import annotations

import os
import pickle
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from crdt.errors import Misuse, OperatingFailure
from tests.wallet.test_keystore import SEED, write_key
from wallet import keystore
from wallet.keyfile import PLAIN, Cost, Form, Key, KeyLocked, PassphraseRefused, WrongPassphrase, new_key
from wallet.keystore import FILE_NAME, change, exists, load, load_or_create, look, put

CHEAP = Cost(1, 8)
OLD, NEW = "correct horse battery", "staple of another kind"


def test_a_key_of_an_earlier_version_opens_and_goes_under_a_passphrase(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    write_key(keys, (1, PLAIN, b"", SEED))
    assert not look(keys).is_locked
    change(keys, None, NEW, CHEAP)
    assert look(keys).is_locked
    assert load(keys, NEW).seed() == SEED
    assert SEED not in (keys / FILE_NAME).read_bytes()


def test_a_locked_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    key = new_key()
    put(keys, key, OLD, CHEAP)
    assert load(keys, OLD).player == look(keys).player == key.identity().player
    with pytest.raises(KeyLocked):
        load_or_create(keys)
    for wrong in ("", NEW, OLD + " ", OLD.upper(), "x" * 5_000):
        with pytest.raises(WrongPassphrase) as caught:
            load(keys, wrong)
        assert caught.value.__context__ is None or not wrong.strip() or wrong not in str(caught.value.__context__)
        assert caught.value.remedy


def test_one_passphrase_typed_on_two_keyboards_is_one(tmp_path: Path) -> None:
    put(tmp_path / "keys", new_key(), "caf\u00e9 am Ufer", CHEAP)
    load(tmp_path / "keys", "cafe\u0301 am Ufer")


@pytest.mark.parametrize("passphrase", ["", "seven 7", "x" * 1_025])
def test_no_key_is_put_under_what_is_no_passphrase(tmp_path: Path, passphrase: str) -> None:
    with pytest.raises(PassphraseRefused):
        put(tmp_path / "keys", new_key(), passphrase, CHEAP)
    assert not exists(tmp_path / "keys")


def test_a_changed_passphrase_replaces_the_old_one(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    put(keys, new_key(), OLD, CHEAP)
    player = look(keys).player
    with pytest.raises(WrongPassphrase):
        change(keys, NEW, NEW, CHEAP)
    with pytest.raises(KeyLocked):
        change(keys, None, NEW, CHEAP)
    assert load(keys, OLD).player == player
    (keys / f".{FILE_NAME}.1.tmp").write_bytes(b"what a killed process left")
    assert change(keys, OLD, NEW, CHEAP).player == player
    assert load(keys, NEW).player == player
    with pytest.raises(WrongPassphrase):
        load(keys, OLD)
    assert os.listdir(keys) == [FILE_NAME]


def test_a_key_whose_words_were_written_down_holds_them_no_longer(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    key = new_key()
    put(keys, key, None)
    assert look(keys).form is Form.WORDS
    change(keys, None, NEW, CHEAP, keep_words=False)
    opened = look(keys).open(NEW)
    assert opened.form is Form.SEED
    assert opened.identity().player == key.identity().player
    assert opened.secret != key.secret


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace", "directory"])
def test_a_disk_that_fails_at_any_step_loses_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    keys = tmp_path / "keys"
    put(keys, new_key(), OLD, CHEAP)
    player = look(keys).player
    synced: list[int] = []
    genuine = os.fsync, os.open

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    def sync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode) == (step == "directory"):
            fail()
        synced.append(descriptor)
        genuine[0](descriptor)

    def opening(path: str, flags: int, *mode: int) -> int:
        if flags & os.O_CREAT:
            fail()
        return genuine[1](path, flags, *mode)

    class Full:
        """A file on a disk that is full."""

        def __init__(self, descriptor: int, _: str) -> None:
            self.descriptor = descriptor

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.descriptor)

        write = staticmethod(fail)

    broken = {
        "open": ("open", opening),
        "write": ("fdopen", Full),
        "fsync": ("fsync", sync),
        "replace": ("replace", fail),
        "directory": ("fsync", sync),
    }
    with monkeypatch.context() as patched:
        patched.setattr(os, *broken[step])
        with pytest.raises(OperatingFailure, match="No space left"):
            change(keys, OLD, NEW, CHEAP)
    assert os.listdir(keys) == [FILE_NAME]
    now, before = (NEW, OLD) if step == "directory" else (OLD, NEW)
    assert load(keys, now).player == player
    with pytest.raises(WrongPassphrase):
        load(keys, before)


def change_and_die(keys: Path, calls: int) -> int:
    """In a child that kills itself before its so many-th call of the system; how it ended."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left = [calls]

    def dying(call: Any) -> Any:
        def do(*args: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        return do

    for name in ("open", "fdopen", "fsync", "replace", "close"):
        setattr(os, name, dying(getattr(os, name)))
    change(keys, OLD, NEW, CHEAP)
    os._exit(0)


def test_a_process_killed_at_any_moment_of_a_change_leaves_a_key_that_opens(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    put(keys, new_key(), OLD, CHEAP)
    player, before = look(keys).player, (keys / FILE_NAME).read_bytes()
    opened_by = []
    for calls in range(40):
        ended = change_and_die(keys, calls)
        opened_by.append(NEW if (keys / FILE_NAME).read_bytes() != before else OLD)
        assert load(keys, opened_by[-1]).player == player
        if ended == 0:
            break
        (keys / FILE_NAME).write_bytes(before)
    assert ended == 0
    assert opened_by == sorted(opened_by)  # the old one's name comes first: once it is the new one it stays so
    assert opened_by.count(OLD) >= 5
    assert opened_by.count(NEW) >= 2
    assert os.listdir(keys) == [FILE_NAME]


def test_marks_of_a_restored_key_differ(tmp_path: Path) -> None:
    assert keystore.restored_mark(tmp_path / "keys") is None
    keystore.mark_restored(tmp_path / "keys")
    first = keystore.restored_mark(tmp_path / "keys")
    keystore.mark_restored(tmp_path / "keys")
    assert first is not None
    assert len(first) == keystore.MARK_BYTES
    assert keystore.restored_mark(tmp_path / "keys") != first


def test_a_key_is_neither_printed_nor_pickled(tmp_path: Path) -> None:
    key = Key(Form.SEED, SEED)
    put(tmp_path / "keys", key, OLD, CHEAP)
    found = look(tmp_path / "keys")
    for shown in (repr(key), repr(found), repr(found.open(OLD)), repr(found.open(OLD).identity())):
        assert SEED.hex()[:8] not in shown
        assert repr(SEED)[3:15] not in shown
    with pytest.raises(Misuse, match="never pickled"):
        pickle.dumps(key)
