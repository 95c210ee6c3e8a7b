"""From a data directory to a backup and back, without a node: what goes in, what comes out, and what never may."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from consensus.params import SMALL
from crdt.errors import OperatingFailure
from crdt.store.keys import STUBS, entry_item, meta_key
from crdt.store.level import LevelStore
from crdt.store.mark import read_mark
from crdt.store.records import items_in, pieces
from crdt.store.recover import close_clean, open_verified
from crdt.types import NO_NONCE
from node.engine.record import rules_item
from node.guests.keys import GuestKeys
from node.keep.archive import Archive, BackupDamaged, Writer, data_name, piece_name
from node.keep.backup import Made, make_backup
from node.keep.manifest import FileKept, Manifest
from node.keep.restore import restore_backup
from node.keep.verify import verify_data
from node.runtime import AlreadyRunning, Runtime
from node.shell.config import Config, boot_id
from tests.consensus.world import FIRST, World
from tests.crdt.store.test_level import flip, in_table, the
from wallet import keystore
from wallet.keyfile import Cost, Form, Key
from wallet.watched import Watched

NOW_US = 1_790_000_000_000_000
ROOM = "kept"
WORLD = World(3, msgspec.structs.replace(SMALL, room=ROOM))
WORLD.open_session(WORLD.people[0])
WORLD.round(FIRST)
Items = list[tuple[bytes, bytes]]
PASSPHRASE, CHEAP = "four words for it", Cost(1, 8)


def quiet(what: str, done: int, of: int) -> None:
    """Nobody is told."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as a node leaves it, and things in it that are nobody's."""
    data = tmp_path_factory.mktemp("kept") / "data"
    data.mkdir(mode=0o700)
    keystore.put(data / "keys", Key(Form.SEED, WORLD.people[0].identity.seed()), PASSPHRASE, CHEAP)
    config = Config(data, preset="small", room=ROOM)
    opened = open_verified(config.store_path, WORLD.network, boot_id(), NO_NONCE)
    opened.store.write([*map(entry_item, WORLD.entries), rules_item(WORLD.params)], sync=True)
    close_clean(opened.store)
    Watched(data).add(WORLD.people[1].player, "Ben")
    GuestKeys(data / "guests").make(bytes(range(32)), "secret of a guest")
    (data / "guests" / "1" / f"last-signed-{config.network_name}").write_bytes(b"?")
    (data / "settings.toml").write_text("room = 'kept'\n")
    (data / f"last-signed-{config.network_name}").write_bytes(b"?")
    for name in ("node.log", "store-x.tmp", ".hidden", "run/seat.json", f"{config.store_path.name}.damaged-1/LOG"):
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_bytes(b"?")
    os.symlink("/etc/passwd", data / "link")
    return data


@pytest.fixture
def data(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "data", symlinks=True))


def backed_up(data: Path, to: Path, with_key: bool = True) -> Made:
    return make_backup(data, to, NOW_US, "0", False, with_key, quiet)


def nonce_of(data: Path) -> bytes:
    store = LevelStore(next(data.glob("store-small-????????")))
    mark = read_mark(store)
    store.close()
    assert mark is not None and mark.clean
    return mark.nonce


def test_there_and_back(data: Path, tmp_path: Path) -> None:
    made, place = backed_up(data, tmp_path / "b.tar"), tmp_path / "deep" / "other"
    names = {file.path for file in made.manifest.files}
    guest = {"guests/1/guest.key", f"guests/1/{next(data.glob('last-signed-*')).name}"}
    assert names == {"keys/identity.key", "watched", "settings.toml", *guest}
    done = restore_backup(tmp_path / "b.tar", place, NOW_US, quiet)
    assert done.manifest == made.manifest and done.digest == made.digest
    report = verify_data(place, quiet)
    (store,) = report.stores
    assert (store.found.faults, store.unfolded) == ([], "")
    assert store.found.walk.entries == len(WORLD.entries)
    assert store.ledger is not None and store.ledger.root == store.ledger.again == WORLD.ledger.root().hex()
    assert keystore.load(place / "keys", PASSPHRASE).player == WORLD.people[0].player
    assert Watched(place).names == {WORLD.people[1].player: "Ben"}
    assert GuestKeys(place / "guests").of("secret of a guest") is not None
    for path in place.rglob("*"):
        if not path.parent.name.startswith("store-"):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_restored_copy_does_not_sign_where_the_original_may_have(data: Path, tmp_path: Path) -> None:
    backed_up(data, tmp_path / "b.tar")
    for name in ("one", "two"):
        restore_backup(tmp_path / "b.tar", tmp_path / name, NOW_US, quiet)
    marks = {keystore.restored_mark(tmp_path / name / "keys") for name in ("one", "two")}
    assert None not in marks and len(marks) == 2
    assert keystore.restored_mark(data / "keys") is None
    assert not list((tmp_path / "one").glob("last-signed-*"))
    assert len({nonce_of(data), nonce_of(tmp_path / "one"), nonce_of(tmp_path / "two")}) == 3


def test_without_the_key_no_secret_is_in_it(data: Path, tmp_path: Path) -> None:
    made = backed_up(data, tmp_path / "b.tar", with_key=False)
    assert {file.path for file in made.manifest.files} == {"watched", "settings.toml"}
    assert (made.manifest.key, made.manifest.player) == ("left-out", WORLD.people[0].player.hex())
    restore_backup(tmp_path / "b.tar", tmp_path / "other", NOW_US, quiet)
    assert not (tmp_path / "other" / "keys").exists()
    assert verify_data(tmp_path / "other", quiet).is_fine


def _resigned(items: Items) -> None:
    items[3] = items[3][0], items[3][1][:9] + bytes([items[3][1][9] ^ 1]) + items[3][1][10:]


def _pruned(items: Items) -> None:
    items.append((STUBS + items[0][0][1:], bytes(33)))


def _foreign(items: Items) -> None:
    items.append((meta_key("wish"), b""))


def _rules(items: Items) -> None:
    items[:] = [(key, value) for key, value in items if key != meta_key("rules")] + [rules_item(SMALL)]


@pytest.mark.parametrize(
    ("change", "words"),
    [(_resigned, "bad-signature"), (_pruned, "run of ids"), (_foreign, "no known kind"), (_rules, "network's rules")],
)
def test_what_does_not_verify_is_not_restored_though_its_digest_be_right(
    data: Path, tmp_path: Path, change: Callable[[Items], None], words: str
) -> None:
    backed_up(data, tmp_path / "b.tar")
    rebuilt(tmp_path / "b.tar", tmp_path / "c.tar", change)
    with pytest.raises(BackupDamaged) as caught:
        restore_backup(tmp_path / "c.tar", tmp_path / "other", NOW_US, quiet)
    assert words in caught.value.why
    assert not [found for found in tmp_path.iterdir() if "other" in found.name]


def rebuilt(path: Path, to: Path, change: Callable[[Items], None]) -> None:
    """A backup with other records, whole in itself."""
    with Archive(path) as archive, Writer(to, 1) as writer:
        (store,) = archive.manifest.stores
        items = [item for piece in archive.pieces(store) for item in items_in(piece)]
        change(items)
        made = list(pieces(items))
        for number, piece in enumerate(made):
            writer.add(piece_name(store.name, number), piece)
        for file in archive.manifest.files:
            writer.add(data_name(file.path), b"".join(archive.chunks(file.path)))
        store = msgspec.structs.replace(store, pieces=len(made))
        writer.finish(msgspec.structs.replace(archive.manifest, stores=(store,)), False)


@pytest.mark.parametrize(
    "place", ["../x", "/x", "run/api.json", "store-small-00000000/CURRENT", "a/b/c/d/e", "keys/..", ".x"]
)
def test_no_file_is_put_where_none_belongs(tmp_path: Path, place: str) -> None:
    said = Manifest(
        version="0", created_us=0, player=None, key="none", stores=(), files=(FileKept(path=place, bytes=1),)
    )
    with Writer(tmp_path / "b.tar", 1) as writer:
        writer.add(data_name(place), b"!")
        writer.finish(said, False)
    with pytest.raises(BackupDamaged):
        restore_backup(tmp_path / "b.tar", tmp_path / "other", NOW_US, quiet)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["b.tar"]


def test_nothing_is_mixed_overwritten_or_restored_into_the_past(data: Path, tmp_path: Path) -> None:
    backed_up(data, tmp_path / "b.tar")
    for place, now_us, words in (
        (data, NOW_US, "is not empty"),
        (tmp_path / "b.tar", NOW_US, "is no directory"),
        (tmp_path / "other", NOW_US - 3_600_000_000, "60 minutes from now"),
        (tmp_path / "b.tar" / "x", NOW_US, "File exists"),
    ):
        with pytest.raises(OperatingFailure) as caught:
            restore_backup(tmp_path / "b.tar", place, now_us, quiet)
        assert words in caught.value.why and caught.value.remedy
    for to, words in (
        (tmp_path / "b.tar", "exists"),
        (tmp_path, "exists"),
        (data / "b.tar", "in the data directory"),
        (tmp_path / "none" / "b.tar", "No such file"),
    ):
        with pytest.raises(OperatingFailure) as caught:
            backed_up(data, to)
        assert words in caught.value.why and caught.value.remedy
    with Runtime(data), pytest.raises(AlreadyRunning):  # just starting: it says no address yet
        backed_up(data, tmp_path / "c.tar")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["b.tar", "data"]


def test_verify_names_what_is_damaged(data: Path) -> None:
    store = next(data.glob("store-small-????????"))
    for path in (*data.glob("last-signed-*"), *data.glob("guests/1/last-signed-*")):
        assert "checksum" in dict(verify_data(data, quiet).files)[str(path.relative_to(data))]
        path.unlink()
    assert verify_data(data, quiet).is_fine
    in_table(store)
    flip(the(store, ".ldb"), 900)
    flip(data / "keys" / "identity.key", 60)
    report = verify_data(data, quiet)
    (found,) = report.stores
    assert not report.is_fine and not found.is_fine and found.ledger is None and found.unfolded
    assert any("checksum mismatch" in fault.what for fault in found.found.faults)
    assert "checksum" in dict(report.files)["keys/identity.key"]
