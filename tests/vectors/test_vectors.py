"""The committed vectors are what the rules give today, and there are more of the invalid than of the valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.vectors.all import MAKERS, written

FOLDER = Path(__file__).parent
FILES = sorted(path.name for path in FOLDER.glob("*.json"))
MAX_BYTES = 300_000


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return written()


def test_every_file_is_committed_and_no_other(texts: dict[str, str]) -> None:
    assert sorted(texts) == FILES


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_the_rules_give(name: str, texts: dict[str, str]) -> None:
    """After a change of the rules that is meant: `make vectors`, and say why in the commit."""
    text = (FOLDER / name).read_text()
    old, new = json.loads(text)["cases"], json.loads(texts[name])["cases"]
    for before, now in zip(old, new, strict=True):
        assert now == before, f"{name}: {now['name']}"
    assert text == texts[name]
    assert len(text) < MAX_BYTES


def test_of_what_can_be_refused_more_is_refused_than_not() -> None:
    """Files of form, proof and place; what only computes has no invalid input."""
    for name in ("encoding", "ids", "entries", "operations", "events", "vrf"):
        cases = json.loads((FOLDER / f"{name}.json").read_text())["cases"]
        refused = sum(1 for case in cases if "refused" in case)
        assert 2 * refused > len(cases), name


def test_the_readme_names_every_file() -> None:
    text = (FOLDER / "README.md").read_text()
    assert [name for name in FILES if f"`{name.removesuffix('.json')}`" not in text] == []
    assert len({maker.__name__ for maker in MAKERS}) == len(MAKERS)
