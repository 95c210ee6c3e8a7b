"""The founders' file: what is a list of keys, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdt.errors import Misuse, OperatingFailure
from crdt.limits import FOUNDERS_FILE_MAX_BYTES, FOUNDERS_MAX
from node.founders import digest_of, founders_in
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
