"""The key file: made once, never shown, refused when anything about it is wrong."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from crdt.canonical import digest, encode
from crdt.errors import OperatingFailure
from wallet.keyfile import MAGIC, PLAIN, KeyRefused
from wallet.keystore import FILE_NAME, KeyMissing, create, exists, load, load_or_create

SEED = bytes(range(32))


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
    (tmp_path / "to real").symlink_to(tmp_path / "real")
    with pytest.raises(KeyRefused, match="not a directory"):
        load_or_create(tmp_path / "to real")
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
    assert os.listdir(tmp_path / "keys") == []
    create(tmp_path / "keys")


def test_the_seed_is_in_no_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    identity = load_or_create(tmp_path / "keys")
    assert identity.seed().hex() not in repr(identity)
    assert capfd.readouterr() == ("", "")
