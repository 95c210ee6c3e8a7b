"""The form of a file of vectors: one JSON object, one case on each line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from consensus.params import MAIN, Params
from crdt.errors import Misuse, Violation

Case = dict[str, Any]


class File(NamedTuple):
    """One file: its name without suffix, what it is about, its cases, those of its rules that can refuse nothing (all
    of them, if a file of one rule names itself), and what is given only in the first case, for all."""

    name: str
    about: str
    cases: list[Case]
    pure: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


def plain(value: Any) -> Any:
    """A value as JSON: bytes in hex, structs as objects, numbers of an enum as they are encoded."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, msgspec.Struct):
        tag = type(value).__struct_config__.tag
        fields = {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        return fields if tag is None else {"op": type(value).__name__, **fields}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else plain(key): plain(item) for key, item in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def case(name: str, given: Mapping[str, Any], rule: Callable[[], Any]) -> Case:
    """One case: what is given, and what the rule makes of it, be it a value or a typed refusal."""
    try:
        return {"name": name, "given": plain(given), "expect": plain(rule())}
    except Violation as violation:
        return {"name": name, "given": plain(given), "refused": str(violation.reason)}
    except Misuse:
        return {"name": name, "given": plain(given), "refused": "misuse"}


def verdict(name: str, given: Mapping[str, Any], expect: Any, refused: str = "") -> Case:
    """A case whose outcome is known: a value, or, when that is None, a refusal."""
    if expect is None:
        return {"name": name, "given": plain(given), "refused": refused}
    return {"name": name, "given": plain(given), "expect": plain(expect)}


def under(rule: str, cases: Iterable[Case]) -> list[Case]:
    """Cases of a rule that is not told by their names."""
    return [{"name": one["name"], "rule": rule, **{key: one[key] for key in one if key != "name"}} for one in cases]


def though(one: Case, why: str) -> Case:
    """A case that leaves a value, of which something does not count."""
    return {**one, "refused": why} if why else one


def changes(params: Params, base: Params = MAIN) -> dict[str, Any]:
    """The parameters that differ from those of the main preset, by name."""
    names = type(params).__struct_fields__
    return {name: plain(getattr(params, name)) for name in names if getattr(params, name) != getattr(base, name)}


def text_of(file: File) -> str:
    """The file as it is written."""
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=True, separators=(", ", ": ")) for one in file.cases)
    head = {"about": file.about} | {key: list(some) for key in ("pure", "shared") if (some := getattr(file, key))}
    told = "".join(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=True)},\n" for key, value in head.items())
    return f'{{\n{told} "cases": [\n{lines}\n ]\n}}\n'
