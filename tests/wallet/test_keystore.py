"""The key file: made once, never shown, refused when anything about it is wrong."""

from __future__ import annotations

import os
import pickle
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crdt.canonical import digest, encode
from crdt.errors import Misuse, OperatingFailure
from wallet import keystore
from wallet.keyfile import (
    MAGIC,
    PLAIN,
    Cost,
    Form,
    Key,
    KeyLocked,
    KeyRefused,
    PassphraseRefused,
    WrongPassphrase,
    new_key,
)
from wallet.keystore import FILE_NAME, KeyMissing, change, create, exists, load, load_or_create, look, put

SEED = bytes(range(32))
CHEAP = Cost(1, 8)
OLD, NEW = "correct horse battery", "staple of another kind"


def write_key(directory: Path, body: object, magic: bytes = MAGIC) -> Path:
    directory.mkdir(mode=0o700, exist_ok=True)
    encoded = encode(body)
    path = directory / FILE_NAME
    path.write_bytes(magic + digest(b"symjam-key", encoded) + encoded)
    path.chmod(0o600)
    return path


def test_the_first_call_makes_what_later_ones_find(tmp_path: Path) -> None:
    keys = tmp_path / "a" / "keys"
    assert not exists(keys)
    made = load_or_create(keys)
    assert exists(keys)
    assert load_or_create(keys).player == load(keys).player == made.player
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert stat.S_IMODE((keys / FILE_NAME).stat().st_mode) == 0o600
    assert os.listdir(keys) == [FILE_NAME]


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create(tmp_path / "keys")
    finally:
        os.umask(before)
    load(tmp_path / "keys")


def test_every_identity_is_new(tmp_path: Path) -> None:
    assert create(tmp_path / "a").player != create(tmp_path / "b").player


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create(tmp_path / "keys")
    before = (tmp_path / "keys" / FILE_NAME).read_bytes()
    with pytest.raises(KeyRefused, match="exists"):
        create(tmp_path / "keys")
    assert (tmp_path / "keys" / FILE_NAME).read_bytes() == before
    assert os.listdir(tmp_path / "keys") == [FILE_NAME]


def test_processes_that_start_together_end_with_one_identity(tmp_path: Path) -> None:
    code = "import sys, pathlib, wallet.keystore as k; print(k.load_or_create(pathlib.Path(sys.argv[1])).player.hex())"
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "keys")], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    players = {child.communicate(timeout=60)[0].strip() for child in children}
    assert players == {load(tmp_path / "keys").player.hex()}
    assert os.listdir(tmp_path / "keys") == [FILE_NAME]


def test_no_key_is_said_to_be_missing(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "absent"):
        with pytest.raises(KeyMissing) as caught:
            load(directory)
        assert caught.value.remedy


def test_the_format_is_fixed(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    write_key(keys, (1, PLAIN, b"", SEED))
    assert load(keys).seed() == SEED


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    create(tmp_path / "keys")
    (tmp_path / "keys" / FILE_NAME).chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600") as caught:
        load_or_create(tmp_path / "keys")
    assert f"{mode:o}" in caught.value.why


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o711, 0o777])
def test_a_directory_that_others_can_reach_is_refused_for_making_and_for_reading(tmp_path: Path, mode: int) -> None:
    create(tmp_path / "keys")
    (tmp_path / "keys").chmod(mode)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty").chmod(mode)
    for name in ("keys", "empty"):
        with pytest.raises(KeyRefused, match="chmod 700"):
            load_or_create(tmp_path / name)
    assert os.listdir(tmp_path / "empty") == []


def test_a_link_or_a_directory_in_the_files_place_is_refused(tmp_path: Path) -> None:
    create(tmp_path / "real")
    (tmp_path / "linked").mkdir(mode=0o700)
    (tmp_path / "linked" / FILE_NAME).symlink_to(tmp_path / "real" / FILE_NAME)
    (tmp_path / "dangling").mkdir(mode=0o700)
    (tmp_path / "dangling" / FILE_NAME).symlink_to(tmp_path / "nowhere")
    (tmp_path / "directory" / FILE_NAME).mkdir(parents=True)
    (tmp_path / "directory").chmod(0o700)
    for name in ("linked", "dangling", "directory"):
        with pytest.raises(KeyRefused, match="regular file"):
            load_or_create(tmp_path / name)


def test_another_users_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create(tmp_path / "keys")
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(KeyRefused, match="another user"):
        load(tmp_path / "keys")


def test_any_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = write_key(tmp_path / "keys", (1, PLAIN, b"", SEED))
    good = path.read_bytes()
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x20]) + good[position + 1 :])
        with pytest.raises(KeyRefused):
            load(tmp_path / "keys")


def test_any_truncation_is_noticed_and_an_empty_file_is_not_filled(tmp_path: Path) -> None:
    path = write_key(tmp_path / "keys", (1, PLAIN, b"", SEED))
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(KeyRefused):
            load_or_create(tmp_path / "keys")
        assert path.read_bytes() == good[:length]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ((2, PLAIN, b"", SEED), "another format"),
        ((1, PLAIN, b""), "another format"),
        ((1, PLAIN, b"", SEED, 0), "another format"),
        ({"seed": SEED}, "another format"),
        ((1, PLAIN, b"", SEED[:31]), "32 bytes"),
        ((1, PLAIN, b"", SEED + b"x"), "32 bytes"),
        ((1, "argon2id", b"salt", SEED), "does not know"),
        ((1, PLAIN, b"", bytes(257)), "another format"),
    ],
)
def test_what_this_version_cannot_read_is_refused_without_showing_it(tmp_path: Path, body: object, why: str) -> None:
    write_key(tmp_path / "keys", body)
    with pytest.raises(KeyRefused, match=why) as caught:
        load(tmp_path / "keys")
    shown = str(caught.value) + repr(caught.value.__context__)
    assert SEED.hex()[:16] not in shown
    assert repr(SEED)[3:20] not in shown


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = write_key(tmp_path / "keys", (1, PLAIN, b"", SEED))
    os.truncate(path, 2**40)
    with pytest.raises(OperatingFailure, match="larger"):
        load(tmp_path / "keys")


def test_a_place_where_no_directory_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OperatingFailure):
        load_or_create(tmp_path / "file" / "keys")


def test_a_disk_that_fails_leaves_no_key_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OperatingFailure, match="No space left"):
        create(tmp_path / "keys")
    monkeypatch.undo()
    assert not exists(tmp_path / "keys")
    create(tmp_path / "keys")


def test_the_seed_is_in_no_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    identity = load_or_create(tmp_path / "keys")
    assert identity.seed().hex() not in repr(identity)
    assert capfd.readouterr() == ("", "")


# passphrases


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
