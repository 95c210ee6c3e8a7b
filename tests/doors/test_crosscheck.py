"""Some hundreds of `make yjs-crosscheck`, and proof that it can fail."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from crdt.yupdate import encode_append
from tests.doors.crosscheck import _b64, check_one, crosscheck, damage
from tests.doors.npm import needs_npm


@pytest.mark.parametrize("mark", [0])
def test_damage_changes_what_it_is_given(mark: int) -> None:
    raw = encode_append("log:a", 3, mark, [bytes(range(60))])
    chance = random.Random(1)
    assert sum(damage(raw, chance) != raw for _ in range(200)) > 190


def said(update: bytes, **more: object) -> dict[str, object]:
    item = [[3, 0], None, None, "log:a", [_b64(b"one"), _b64(b"two")]]
    return {"update": _b64(update), "way": "whole", "items": [item], "deletes": 0, **more}


UPDATE = encode_append("log:a", 3, 0, [b"one", b"two"])


def test_the_same_is_the_same() -> None:
    assert check_one(said(UPDATE)) == ""
    assert check_one(said(b"\x01\x01\x03\x00\x04", items=None)) == "garbage"


@pytest.mark.parametrize(
    "wrong",
    [
        said(encode_append("log:a", 3, 0, [b"one", b"three"])),
        said(encode_append("log:b", 3, 0, [b"one", b"two"])),
        said(UPDATE, deletes=1),
        said(UPDATE, items=None),
        said(UPDATE[:-1]),
    ],
)
def test_a_difference_is_found(wrong: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        check_one(wrong)


@pytest.mark.npm
@needs_npm[1]
@needs_npm[2]
def test_the_decoder_reads_as_yjs_does(yjs: Path) -> None:
    tally = crosscheck(yjs, 400, 7)
    assert tally.same > 100 and tally.refused.total() > 100 and tally.damaged > 400
    assert {"garbage", "deletes", "wrong-parent", "gap"} <= set(tally.refused)
