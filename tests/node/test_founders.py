"""The founders' file: what is a list of keys, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from consensus.params import network_id
from crdt.errors import Misuse, OperatingFailure
from crdt.limits import FOUNDERS_FILE_MAX_BYTES, FOUNDERS_MAX
from node.cli import main
from node.founders import digest_of, founders_in, player_of
from node.shell.config import Config
from node.shell.node import Node
from tests.sim.room import identity

KEYS = sorted(identity(number).player for number in range(1, 5))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "founders"
    path.write_text(text)
    return path


def test_order_and_remarks_make_no_difference(tmp_path: Path) -> None:
    lines = [f"{key.hex()}  # somebody" for key in reversed(KEYS)]
    assert founders_in(written(tmp_path, "# our room\n\n" + "\n".join(lines))) == tuple(KEYS)
    assert founders_in(written(tmp_path, KEYS[0].hex().upper())) == (KEYS[0],)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nobody\n",
        "hello",
        KEYS[0].hex()[:-2],
        KEYS[0].hex() + "00",
        "00" * 32,
        "ff" * 32,
        f"{KEYS[0].hex()}\n{KEYS[0].hex()}",
        f"{KEYS[0].hex()} {KEYS[1].hex()}",
        " ".join(KEYS[0].hex()),
        "#" * (FOUNDERS_FILE_MAX_BYTES + 1),
        "\n".join(identity(n % 256).player.hex() for n in range(FOUNDERS_MAX + 1)),
        "\x00\xff\x00",
    ],
)
def test_what_is_no_list_of_founders(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misuse):
        founders_in(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OperatingFailure):
        founders_in(tmp_path / "nothing")
    with pytest.raises(OperatingFailure):
        founders_in(tmp_path)


def test_digests() -> None:
    assert digest_of("ab" * 32) == b"\xab" * 32
    for word in ("", "ab" * 31, "ab" * 33, "xy" * 32, "ab " * 32):
        with pytest.raises(Misuse):
            digest_of(word)


def test_players() -> None:
    assert player_of(KEYS[0].hex()) == KEYS[0]
    for word in ("", KEYS[0].hex()[:-2], "00" * 32, "zz" * 32):
        with pytest.raises(Misuse):
            player_of(word)


def test_who_is_refused_by_a_node_is_not_judged_by_its_engine(tmp_path: Path) -> None:
    node = Node(Config(tmp_path, refused=(KEYS[0],)), lambda _: None, lambda _: None)
    try:
        assert not node.engine.duties.conduct.verifies(KEYS[0])
        assert node.engine.duties.conduct.verifies(KEYS[1])
    finally:
        node.close()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--founders", "{here}/missing"], 1),
        (["--founders", "{here}/founders"], 2),
        (["--checkpoint", "latest"], 2),
        (["--checkpoint", "ab" * 31], 2),
        (["--refuse", "nobody"], 2),
        (["--refuse", "00" * 32], 2),
    ],
)
def test_a_node_does_not_start_with_what_it_cannot_read(tmp_path: Path, options: list[str], code: int) -> None:
    written(tmp_path, "nobody")
    arguments = [option.replace("{here}", str(tmp_path)) for option in options]
    result = CliRunner().invoke(main, ["up", "--data", str(tmp_path / "node"), *arguments])
    assert result.exit_code == code and not (tmp_path / "node").exists()


def test_other_founders_are_another_network(tmp_path: Path) -> None:
    alone, founded = Config(tmp_path), Config(tmp_path, founders=tuple(KEYS))
    assert network_id(alone.params) != network_id(founded.params) and founded.params.founders == tuple(KEYS)
    assert alone.store_path != founded.store_path
