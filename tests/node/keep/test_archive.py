"""The archive is read as it was written, or refused: no byte of it can change unnoticed."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import pytest

from crdt.errors import OperatingFailure
from node.keep.archive import DIGEST, MANIFEST, Archive, BackupDamaged, Writer
from node.keep.manifest import FileKept, Manifest, StoreKept

NETWORK = "ab" * 32
STORE = "store-small-abababab"
PIECES = (b"first piece", bytes(700))


def manifest(**changes: object) -> Manifest:
    store = StoreKept(name=STORE, network=NETWORK, pieces=2, records=2, entries=1, root=None)
    files = (FileKept(path="keys/identity.key", bytes=5),)
    whole = Manifest(version="0", created_us=1, player=None, key="open", stores=(store,), files=files)
    return msgspec.structs.replace(whole, **changes)


def written(path: Path, said: Manifest | None = None, name: str = "data/keys/identity.key") -> Path:
    with Writer(path, 1) as writer:
        for number, piece in enumerate(PIECES):
            writer.add(f"stores/{STORE}/{number:08}", piece)
        writer.add(name, b"a key")
        writer.finish(said or manifest(), replace=False)
    return path


def refused(path: Path) -> str:
    with pytest.raises(BackupDamaged) as caught:
        Archive(path)
    return caught.value.why


def test_what_was_written_is_read_and_any_tar_reads_it(tmp_path: Path) -> None:
    path = written(tmp_path / "b.tar")
    with Archive(path) as archive:
        (store,) = archive.manifest.stores
        assert tuple(archive.pieces(store)) == PIECES
        assert b"".join(archive.chunks("keys/identity.key")) == b"a key"
        assert archive.manifest == manifest()
    assert path.stat().st_mode & 0o777 == 0o600
    listed = subprocess.run(["tar", "tf", str(path)], capture_output=True, check=True).stdout.decode().split()
    assert listed[-3:] == ["data/keys/identity.key", MANIFEST, DIGEST]


def test_no_byte_can_change_and_nothing_can_be_cut_off(tmp_path: Path) -> None:
    whole = written(tmp_path / "b.tar").read_bytes()
    random, path = Random(1), tmp_path / "c.tar"
    end = whole.rindex(DIGEST.encode())
    places = {
        *random.sample(range(len(whole)), 150),
        *range(end, end + 512, 7),
        *range(148, 156),
        *range(end + 140, end + 180),
    }
    for place in sorted(places):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << random.randrange(8)]) + whole[place + 1 :])
        refused(path)
    for size in (0, 1, 511, 512, 1_536, end, end + 560):
        path.write_bytes(whole[:size])
        refused(path)
    path.write_bytes(whole + b"more")
    refused(path)


def test_a_file_that_is_there_is_replaced_only_if_it_may_be(tmp_path: Path) -> None:
    path = written(tmp_path / "b.tar")
    before = path.read_bytes()
    with pytest.raises(OperatingFailure):
        written(path)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["b.tar"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("data/../../x", manifest(files=())),
        ("data/keys/other", manifest()),
        ("data/keys/identity.key", manifest(files=())),
        ("data/keys/identity.key", manifest(files=(FileKept(path="keys/identity.key", bytes=6),))),
        ("data/keys/identity.key", manifest(stores=())),
        (
            "data/keys/identity.key",
            manifest(stores=(StoreKept(name=STORE, network=NETWORK, pieces=2**50, records=0, entries=0, root=None),)),
        ),
    ],
)
def test_what_is_in_it_is_what_the_manifest_says(tmp_path: Path, name: str, said: Manifest) -> None:
    assert "manifest" in refused(written(tmp_path / "b.tar", said, name))


def test_a_newer_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "b.tar"
    with Writer(path, 1) as writer:
        writer.add(MANIFEST, b'{"schema": "symjam.manifest/2"}')
        digest = writer._counted.hash.hexdigest()
        writer.add(DIGEST, digest.encode() + b"\n")
        writer._tar.close()
        writer._file.flush()
        path.write_bytes(writer._beside.read_bytes())
    with pytest.raises(OperatingFailure, match=r"manifest/2"):
        Archive(path)


def hostile(path: Path, change: Callable[[tarfile.TarInfo], None], form: int) -> Path:
    """An archive with a right digest and one member that `Writer` would not write."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as tar:
        bad = tarfile.TarInfo("data/x")
        change(bad)
        tar.addfile(bad, io.BytesIO(bytes(bad.size)))
        said = msgspec.json.encode(manifest(stores=(), files=(FileKept(path="x", bytes=0),)))
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(said)
        tar.addfile(info, io.BytesIO(said))
        digest = hashlib.blake2b(raw.getvalue(), digest_size=32).hexdigest().encode() + b"\n"
        info = tarfile.TarInfo(DIGEST)
        info.size = len(digest)
        tar.addfile(info, io.BytesIO(digest))
    path.write_bytes(raw.getvalue())
    return path


def _kind(kind: bytes) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname = kind, "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""

    return change


KINDS = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CONTTYPE)


@pytest.mark.parametrize("kind", KINDS)
def test_links_devices_and_directories_are_no_members(tmp_path: Path, kind: bytes) -> None:
    assert "no member that SymJam writes" in refused(hostile(tmp_path / "b.tar", _kind(kind), tarfile.USTAR_FORMAT))


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_extended_headers_are_none(tmp_path: Path, form: int) -> None:
    def change(info: tarfile.TarInfo) -> None:
        info.name = "data/" + "long/" * 60 + "x"

    assert "no member that SymJam writes" in refused(hostile(tmp_path / "b.tar", change, form))


def test_the_makings_of_a_hostile_archive_make_a_good_one_too(tmp_path: Path) -> None:
    with Archive(hostile(tmp_path / "b.tar", lambda _: None, tarfile.USTAR_FORMAT)) as archive:
        assert list(archive.chunks("x")) == []
