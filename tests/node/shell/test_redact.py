"""What goes out in a bug report: nothing by which somebody, something secret or a place could be told."""

from __future__ import annotations

import base64
import json
import logging
import os
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from node.cli import main
from node.mesh.peerid import peer_id_of
from node.shapes.commands import BugReport
from node.shell import logbook
from node.shell.redact import Redactor
from tests.crdt.authors import ALICE, BOB
from tests.fitting import misfit
from wallet import keystore
from wallet.words import every_word, words_of

TOKEN = "Zq8-" + "x7_" * 13
WORDS = words_of(bytes(range(32)))


def redactor(salt: bytes = b"s" * 32) -> Redactor:
    names = [("/srv/jam/ann", "DATA"), ("/srv/jam", "~"), ("annabel", "USER")]
    return Redactor(salt, [TOKEN], names, every_word())


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        "token=abcDEF123456",
        "Authorization: Bearer abcDEF123456",
        '"passphrase": "hunter22"',
        base64.b64encode(os.urandom(32)).decode(),
        " ".join(WORDS),
        "\n".join(f"{number} {word}" for number, word in enumerate(WORDS, 1)),
        ", ".join(WORDS[:7]),
        os.urandom(32).hex(),
        ALICE.player.hex(),
        peer_id_of(ALICE.player),
        "192.168.1.7",
        "2001:db8::17",
        "fe80::1ff:fe23:4567:890a",
        "annabel",
        "/srv/jam/ann",
    ],
)
def test_it_is_taken_out_wherever_it_stands(secret: str) -> None:
    for text in (secret, f"x {secret} y", f'{{"a": "{secret}"}}', f"({secret}),"):
        said = redactor().clean(text)
        assert secret not in said, said
        for part in secret.split():
            assert len(part) < 10 or part.rstrip(":") in ("Authorization", '"passphrase"') or part not in said, said


@pytest.mark.parametrize(
    "text",
    [
        "symjam 0.1.0, Python 3.11.7, libp2p 0.8.1",
        "at 2026-01-31T20:15:00.123Z, 12:34:56",
        "/ip4/127.0.0.1/tcp/4001, 0.0.0.0, ::1",
        "1234567 of 12345678 bytes",
        "the key is locked, and there is no terminal to ask at",
        "store-main/000005.ldb 0600 12",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert redactor().clean(text) == text


def test_pseudonyms_hold_within_one_report_only() -> None:
    one, other = redactor(), redactor(b"t" * 32)
    spellings = [ALICE.player.hex(), peer_id_of(ALICE.player), ALICE.player.hex()[:8]]
    for each in (one, other):
        each.meet(f"{spellings[0]} {BOB.player.hex()}")
    said = {one.clean(text) for text in spellings}
    assert len(said) == 1
    assert one.clean(BOB.player.hex()) not in said
    assert other.clean(spellings[0]) not in said
    assert one.clean("10.0.0.1") == one.clean("10.0.0.1") != one.clean("10.0.0.2")


@given(st.text(max_size=200), st.text(max_size=200), st.sampled_from([ALICE.player.hex(), TOKEN, "192.168.1.7"]))
def test_among_whatever_it_stands(before: str, after: str, secret: str) -> None:
    assert secret not in redactor().clean(f"{before} {secret} {after}")


def test_a_report_of_a_node_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, file = tmp_path / "ann", tmp_path / "report.tgz"
    player = keystore.create(data / "keys").player
    with logbook.kept(data):
        logging.getLogger("symjam.x").warning(
            "a link to %s at 192.168.77.7, key %s, token=%s", player.hex(), " ".join(WORDS), TOKEN
        )
    command = ["bugreport", str(file), "--data", str(data), "--no-mdns", "--yes", "--json", "--room", "the cellar"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0 and not misfit(done.stdout, BugReport), done.output
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        contents = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        texts = {name: raw.read().decode() for name, raw in contents.items() if raw}
    assert {name.split("/")[1] for name in texts} == {part["name"] for part in json.loads(done.stdout)["contents"]}
    assert all(name.split("/")[1] in done.stderr for name in texts)
    everything = "\n".join(texts.values())
    for secret in (player.hex(), "192.168.77.7", TOKEN, " ".join(WORDS[:3]), str(data), str(tmp_path), "the cellar"):
        assert secret not in everything, secret
    assert "a link to id-" in texts["symjam-report/log.jsonl"] and '"doctor/1' not in everything
    again = CliRunner().invoke(main, command)
    assert again.exit_code == 1 and "is there already" in again.stderr
