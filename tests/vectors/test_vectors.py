"""The committed vectors are what the rules give today, and there are more of the invalid than of the valid."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from tests.vectors.all import MAKERS
from tests.vectors.form import text_of

FOLDER = Path(__file__).parent
FILES = sorted(path.name for path in FOLDER.glob("*.json"))
MAX_BYTES = 300_000


def test_every_file_has_a_maker_and_no_other_is_there() -> None:
    named = [f"{name}.json" for maker in MAKERS for name in maker.NAMES]
    assert sorted(named) == FILES


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__.rsplit(".", 1)[-1])
def test_the_files_are_what_the_rules_give(maker: ModuleType) -> None:
    """After a change of the rules that is meant: `make vectors`, and say why in the commit."""
    made = {file.name: text_of(file) for file in maker.files()}
    assert tuple(made) == maker.NAMES
    for name, text in made.items():
        committed = (FOLDER / f"{name}.json").read_text()
        for before, now in zip(json.loads(committed)["cases"], json.loads(text)["cases"], strict=True):
            assert now == before, f"{name}: {now['name']}"
        assert committed == text
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
