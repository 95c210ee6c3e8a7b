"""Every rule by file and name, and what a stored case is asked of it."""

from __future__ import annotations

from typing import Any

from tests.vectors.answers import draws, effects, money, people, sets, sound, wire
from tests.vectors.form import Case
from tests.vectors.reading import Rule, outcome

RULES: dict[tuple[str, str], Rule] = {
    **wire.RULES,
    **draws.RULES,
    **sound.RULES,
    **money.RULES,
    **people.RULES,
    **sets.RULES,
    **effects.RULES,
}


def rule_of(file: str, case: Case) -> str:
    """The rule that a case is about: named in it, or by its own name; else its file has but one."""
    named: str = case.get("rule", case["name"])
    return named if (file, named) in RULES else ""


def answer(file: str, told: dict[str, Any], case: Case) -> Case:
    """What the rules make of a stored case of a file, going by the file alone."""
    shared = {name: told["cases"][0]["given"][name] for name in told.get("shared", ())}
    return outcome(RULES[file, rule_of(file, case)], {**case, "given": {**shared, **case["given"]}})
