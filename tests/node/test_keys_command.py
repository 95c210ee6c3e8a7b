"""`symjam wallet`, the part about keys: what is asked, what is said, and every way in which it can go wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consensus.params import SMALL
from crdt.canonical import digest, encode
from crdt.keys import Identity
from crdt.types import Epoch
from node.cli import main
from node.commands.up import unlocked
from node.runtime import Runtime
from node.shell.config import Config
from node.shell.restored import restored_until
from wallet import keystore
from wallet.keyfile import MAGIC, Cost, Form, KeyLocked, PassphraseRefused, WrongPassphrase, new_key
from wallet.words import seed_of, words_of

WORDS = " ".join(words_of(bytes(range(32))))
PLAYER = Identity(seed_of(bytes(range(32)))).player
OLD, NEW = "correct horse battery", "staple of another kind"
KEY_FIELDS = {"schema", "player", "file", "protected", "words_written_down", "may_have_signed_elsewhere"}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wallet.keystore.MODERATE", Cost(1, 8))


class Wallet:
    """The command in a data directory, each text in a descriptor of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.keys = data_dir / "keys"
        self.opened: list[int] = []

    def holding(self, text: str) -> str:
        reading, writing = os.pipe()
        os.write(writing, text.encode())
        os.close(writing)
        self.opened.append(reading)
        return str(reading)

    def run(self, *arguments: str, **held: str) -> Result:
        fds = [part for name, text in held.items() for part in (f"--{name.replace('_', '-')}-fd", self.holding(text))]
        return CliRunner().invoke(main, ["wallet", *arguments[:1], "--data", str(self.data_dir), *arguments[1:], *fds])

    def json(self, *arguments: str, **held: str) -> dict[str, Any]:
        done = self.run(*arguments, "--json", **held)
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    found = Wallet(tmp_path / "data")
    yield found
    for descriptor in found.opened:
        os.close(descriptor)


def refused(done: Result, code: int, *parts: str) -> None:
    assert done.exit_code == code, done.output
    assert done.stderr.startswith("symjam: ")
    assert "Traceback" not in done.output
    assert len(done.stderr.splitlines()) >= 2, "there is no remedy"
    for part in parts:
        assert part in done.stderr
    for secret in (WORDS, OLD, NEW, WORDS.split()[5]):
        assert secret not in done.output


def test_a_new_key_its_words_into_a_descriptor(wallet: Wallet) -> None:
    reading, writing = os.pipe()
    wallet.opened += [reading, writing]
    shown = wallet.json("init", "--yes", "--words-fd", str(writing), passphrase=OLD + "\n")
    assert set(shown) == KEY_FIELDS
    assert shown["schema"] == "symjam.key/1"
    assert shown["protected"] and shown["words_written_down"] and not shown["may_have_signed_elsewhere"]
    words = os.read(reading, 4_096).decode()
    other = Wallet(wallet.data_dir.parent / "other")
    again = other.json("restore", words=words, passphrase=NEW)
    assert again["player"] == shown["player"]
    assert again["may_have_signed_elsewhere"]
    refused(wallet.run("init", "--yes", "--words-fd", str(writing), passphrase=OLD), 4, "exists", "passwd")


def test_the_key_that_up_made_is_taken_up_with_its_words(wallet: Wallet) -> None:
    player = keystore.create(wallet.keys).player
    assert "wallet init" in wallet.run("show").stderr
    reading, writing = os.pipe()
    wallet.opened += [reading, writing]
    shown = wallet.json("init", "--yes", "--words-fd", str(writing), passphrase=OLD)
    assert shown["player"] == player.hex()
    assert keystore.look(wallet.keys).open(OLD).form is Form.SEED
    assert Wallet(wallet.data_dir.parent / "b").json("restore", words=os.read(reading, 4_096).decode(), passphrase=OLD)[
        "player"
    ] == (player.hex())


@pytest.mark.parametrize(
    ("arguments", "held", "parts"),
    [
        ((), {"passphrase": OLD}, ("no terminal to show", "--words-fd")),
        (("--json", "--yes"), {"passphrase": OLD}, ("JSON", "--words-fd")),
        (("--words-fd", "1"), {"passphrase": OLD}, ("no terminal to ask", "--yes")),
        (("--yes", "--words-fd", "1"), {}, ("no terminal to ask at", "--passphrase-fd")),
    ],
)
def test_no_key_is_made_where_nobody_sees_its_words(
    wallet: Wallet, arguments: tuple[str, ...], held: dict[str, str], parts: tuple[str, ...]
) -> None:
    refused(wallet.run("init", *arguments, **held), 4, *parts)
    assert not keystore.exists(wallet.keys)


def test_restore_is_of_one_player_and_one_account(wallet: Wallet) -> None:
    shown = wallet.json("restore", words=WORDS + "\n", passphrase=OLD)
    assert shown["player"] == PLAYER.hex()
    assert keystore.load(wallet.keys, OLD).player == PLAYER
    second = Wallet(wallet.data_dir.parent / "second")
    assert second.json("restore", "--account", "1", "--unused", words=WORDS, passphrase=OLD) != shown
    assert keystore.load(second.keys, OLD).seed() == seed_of(bytes(range(32)), 1)
    assert keystore.restored_mark(second.keys) is None


def test_restore_where_the_key_is_marks_it_and_where_another_is_does_nothing(wallet: Wallet) -> None:
    wallet.json("restore", "--unused", words=WORDS, passphrase=OLD)
    assert keystore.restored_mark(wallet.keys) is None
    assert wallet.json("restore", words=WORDS)["may_have_signed_elsewhere"]
    assert keystore.load(wallet.keys, OLD).player == PLAYER
    with Runtime(wallet.data_dir) as runtime:
        runtime.publish(4321, "t" * 43)
        refused(wallet.run("restore", words=WORDS), 1, "a node is running", "symjam stop")
    other = Wallet(wallet.data_dir.parent / "other")
    keystore.create(other.keys)
    before = (other.keys / keystore.FILE_NAME).read_bytes()
    refused(other.run("restore", words=WORDS, passphrase=OLD), 4, "another player", "--data")
    assert (other.keys / keystore.FILE_NAME).read_bytes() == before
    assert keystore.restored_mark(other.keys) is None


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (" ".join(WORDS.split()[:23]), 1, ("there are 23", "24")),
        (WORDS.replace("adjust", "adjusted"), 1, ("word 6 is not",)),
        (" ".join(reversed(WORDS.split())), 1, ("checksum",)),
        ("", 1, ("no line",)),
        ("x" * 5_000, 1, ("too long",)),
    ],
)
def test_words_that_are_none(wallet: Wallet, words: str, code: int, parts: tuple[str, ...]) -> None:
    refused(wallet.run("restore", words=words, passphrase=OLD), code, *parts)
    assert not wallet.keys.exists()


def test_a_passphrase_is_changed_by_one_descriptor_or_two(wallet: Wallet) -> None:
    keystore.create(wallet.keys)
    assert wallet.json("passwd", passphrase=OLD)["protected"]
    wallet.json("passwd", passphrase=f"{OLD}\n{NEW}\n")
    wallet.json("passwd", passphrase=NEW, new_passphrase=OLD)
    assert keystore.load(wallet.keys, OLD)
    refused(wallet.run("passwd", passphrase=f"{NEW}\n{OLD}\n"), 4, "not its passphrase", "wallet restore")
    refused(wallet.run("passwd", passphrase=f"{OLD}\nshort\n"), 1, "fewer than 8")
    refused(wallet.run("passwd", passphrase=OLD), 1, "no line")
    refused(wallet.run("passwd"), 4, "under a passphrase", "--passphrase-fd")
    refused(wallet.run("passwd", "--passphrase-fd", "12345"), 1, "descriptor 12345", "3<FILE")
    assert keystore.load(wallet.keys, OLD)


def test_a_key_of_an_earlier_version_goes_under_a_passphrase_and_has_no_words(wallet: Wallet) -> None:
    body = encode((1, "plain", b"", bytes(range(32))))
    wallet.keys.mkdir(parents=True, mode=0o700)
    wallet.keys.chmod(0o700)
    path = wallet.keys / keystore.FILE_NAME
    path.write_bytes(MAGIC + digest(b"symjam-key", body) + body)
    path.chmod(0o600)
    player = wallet.json("show")["player"]
    refused(wallet.run("init", "--yes", "--words-fd", "1", passphrase=OLD), 4, "never were any", "passwd")
    assert wallet.json("passwd", passphrase=OLD)["player"] == player
    assert keystore.load(wallet.keys, OLD).seed() == bytes(range(32))


def test_what_is_public_needs_no_passphrase(wallet: Wallet) -> None:
    keystore.put(wallet.keys, key := new_key(), OLD)
    player = key.identity().player.hex()
    assert wallet.json("show")["player"] == player
    assert wallet.json("address") == {"schema": "symjam.address/1", "player": player}
    assert wallet.run("export").stdout == f"{player}\n"
    drawn = wallet.run("address", "--qr").stdout.splitlines()
    assert drawn[0] == player
    assert len(drawn) > 10 and "█" in "".join(drawn)
    assert "under a passphrase" in wallet.run("show").stdout


def test_others_are_watched_by_name(wallet: Wallet) -> None:
    assert "nobody is watched" in wallet.run("list").stderr
    friend = PLAYER.hex()
    assert wallet.run("watch", friend, "Clara").stdout == f"{friend}  # Clara\n"
    keystore.create(wallet.keys)
    kinds = [(key["kind"], key["name"]) for key in wallet.json("list")["keys"]]
    assert kinds == [("own", ""), ("watched", "Clara")]
    assert wallet.run("watch", friend, "Robert").stdout.endswith("# Robert\n")
    assert [key["kind"] for key in wallet.json("watch", friend, "--forget")["keys"]] == ["own"]
    refused(wallet.run("watch", friend, "--forget"), 1, "is not watched", "wallet list")
    for player, name in (("nonsense", ""), ("00" * 32, ""), (friend, "x" * 65), (friend, "two\nlines"), (friend, " ")):
        assert wallet.run("watch", player, name).exit_code == 2
    (wallet.data_dir / "watched").write_text(f"{friend}  Clara\nnonsense\n")
    refused(wallet.run("list"), 1, "line 2")


@pytest.mark.parametrize("command", ["passwd", "address", "export"])
def test_where_there_is_no_key_that_is_said(wallet: Wallet, command: str) -> None:
    refused(
        wallet.run(command, **({"passphrase": OLD} if command == "passwd" else {})), 4, "there is no key", "symjam up"
    )


def test_a_key_that_others_can_read_is_refused_with_the_command_that_mends_it(wallet: Wallet) -> None:
    keystore.create(wallet.keys)
    path = wallet.keys / keystore.FILE_NAME
    path.chmod(0o640)
    for command in ("show", "address", "passwd"):
        refused(wallet.run(command), 4, f"chmod 600 {path}")
    path.chmod(0o600)
    wallet.keys.chmod(0o750)
    refused(wallet.run("show"), 4, f"chmod 700 {wallet.keys}")


def test_up_makes_a_key_under_no_passphrase_unless_it_is_given_one(wallet: Wallet) -> None:
    """`None`: the node finds or makes the key itself, so that nothing stands between a musician and the first note."""
    plain = wallet.data_dir / "plain"
    assert unlocked(plain, None) is None
    keystore.create(plain)
    assert unlocked(plain, None) is None
    assert unlocked(plain, int(wallet.holding(OLD))) is None
    made = unlocked(wallet.keys, int(wallet.holding(OLD)))
    assert made is not None
    found = keystore.look(wallet.keys)
    assert (found.is_locked, found.form, found.player) == (True, Form.WORDS, made.player)
    again = unlocked(wallet.keys, int(wallet.holding(OLD)))
    assert again is not None and again.player == made.player
    with pytest.raises(WrongPassphrase):
        unlocked(wallet.keys, int(wallet.holding(NEW)))
    with pytest.raises(KeyLocked):
        unlocked(wallet.keys, None)
    with pytest.raises(PassphraseRefused):
        unlocked(wallet.data_dir / "short", int(wallet.holding("short")))
    assert not keystore.exists(wallet.data_dir / "short")


def test_since_when_a_restored_key_is_here_is_kept_and_anew_with_each_restoration(wallet: Wallet) -> None:
    config = Config(wallet.data_dir, preset="small")
    keystore.create(wallet.keys)
    assert restored_until(config, Epoch(7)) is None
    keystore.mark_restored(wallet.keys)
    assert [restored_until(config, Epoch(epoch)) for epoch in (7, 8, 9)] == [7, 7, 7]
    assert restored_until(Config(wallet.data_dir), Epoch(3)) == 3  # of another network
    for damage in (b"", b"\x92", config.restored_path.read_bytes() + b"x"):
        config.restored_path.write_bytes(damage)
        assert restored_until(config, Epoch(10)) == restored_until(config, Epoch(11)) == 10
    keystore.mark_restored(wallet.keys)
    assert restored_until(config, Epoch(12)) == 12
    assert SMALL.epoch_windows == config.params.epoch_windows
