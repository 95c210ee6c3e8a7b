"""The committed vectors are what the rules give today, and there are more of the invalid than of the valid."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from consensus.content import Content, faults, unpack
from crdt.canonical import Canonical
from crdt.entry import open_entry
from crdt.limits import CONTENT_MAX_BYTES
from tests.consensus.histories.check import compare
from tests.consensus.reference.fold import fold
from tests.vectors.all import MAKERS
from tests.vectors.answers.all import RULES, answer, rule_of
from tests.vectors.answers.sets import ledger_of
from tests.vectors.answers.wire import raw_of
from tests.vectors.form import text_of

FOLDER = Path(__file__).parent
FILES = sorted(path.name for path in FOLDER.glob("*.json"))
MAX_BYTES = 320_000


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


@pytest.mark.parametrize("name", FILES)
def test_read_back_from_the_file_every_case_is_what_the_rules_answer(name: str) -> None:
    """Whoever writes another implementation has no more than the file. Nothing here is made by a maker."""
    told = stored(name)
    for case in told["cases"]:
        found = json.loads(json.dumps(answer(name.removesuffix(".json"), told, case)))
        assert found == {key: case[key] for key in ("expect", "refused") if key in case}, f"{name}: {case['name']}"


@pytest.mark.parametrize("name", FILES)
def test_of_what_can_be_refused_more_is_refused_than_not(name: str) -> None:
    counts = counted(name)
    assert not counts[True] + counts[False] or counts[True] > counts[False], name


def test_of_all_that_can_be_refused_more_is_refused_than_not() -> None:
    counts = sum((counted(name) for name in FILES), Counter())
    assert counts[True] > counts[False] > 0


def counted(name: str) -> Counter[bool]:
    """How many cases are refused and how many are not, of the rules that can refuse anything."""
    told, file = stored(name), name.removesuffix(".json")
    pure = told.get("pure", [])
    return Counter("refused" in case for case in told["cases"] if (rule_of(file, case) or file) not in pure)


@pytest.mark.parametrize("name", FILES)
def test_no_two_cases_are_one(name: str) -> None:
    cases = [(rule_of(name.removesuffix(".json"), c), c.get("params"), c["given"]) for c in stored(name)["cases"]]
    assert len({json.dumps(case) for case in cases}) == len(cases)


def test_every_rule_has_cases_and_every_pure_one_is_one() -> None:
    found, pure = set[tuple[str, str]](), set[tuple[str, str]]()
    for name in FILES:
        told, file = stored(name), name.removesuffix(".json")
        found |= {(file, rule_of(file, case)) for case in told["cases"]}
        pure |= {(file, "" if rule == file else rule) for rule in told.get("pure", [])}
    assert found == set(RULES) and pure < found


def stored(name: str) -> dict[str, Any]:
    """A file as it is committed."""
    told: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return told


def test_the_readme_names_every_file() -> None:
    text = (FOLDER / "README.md").read_text()
    assert [name for name in FILES if f"`{name.removesuffix('.json')}`" not in text] == []
    assert len({maker.__name__ for maker in MAKERS}) == len(MAKERS)


def test_the_readme_names_every_rule_beside_its_file() -> None:
    rows: dict[str, str] = {}
    files: list[str] = []
    for row in (FOLDER / "README.md").read_text().split("## The rules")[1].splitlines():
        cells = row.split("|")
        files = re.findall("`(.+?)`", cells[1]) or files if len(cells) > 2 else files
        rows |= {file: rows.get(file, "") + row for file in files}
    assert [
        (file, rule) for file, rule in sorted(RULES) if file not in rows or (rule and f"`{rule}`" not in rows[file])
    ] == []


def test_the_simple_fold_finds_the_same_effects() -> None:
    """The second implementation (tests/consensus/reference), on every set of entries in `effects`."""
    told = stored("effects.json")
    first = told["cases"][0]["given"]
    for case in told["cases"]:
        given = {**first, **case["given"]}
        given["entries"] = [*first["entries"], *given["more"], given["last"]]
        ledger = ledger_of(given)
        entries = [open_entry(ledger.network, bytes.fromhex(raw)) for raw in given["entries"]]
        compare(ledger, fold(ledger.params, ledger.network, entries), entries)


def test_every_contradiction_in_a_content_is_the_only_one_of_some_vector() -> None:
    """So none of the checks can be left out by another implementation, or be lost here."""
    told, alone = stored("contents.json"), set[str]()
    first = told["cases"][0]["given"]
    named = {name for name, _ in faults(unpack(raw_of(first)))}
    for case in told["cases"]:
        if case.get("refused") == "bad-payload":
            content = Canonical(Content, CONTENT_MAX_BYTES).decode(raw_of({**first, **case["given"]}))
            found = [name for name, is_so in faults(content) if is_so]
            alone.update(found if len(found) == 1 else ())
    assert alone == named
