"""The form of a file of vectors: one JSON object, one case on each line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from consensus.params import MAIN, Params
from crdt.errors import Misuse, Violation

Case = dict[str, Any]


class File(NamedTuple):
    """One file: its name without suffix, what it is about, and its cases."""

    name: str
    about: str
    cases: list[Case]


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


def changes(params: Params, base: Params = MAIN) -> dict[str, Any]:
    """The parameters that differ from those of the main preset, by name."""
    names = type(params).__struct_fields__
    return {name: plain(getattr(params, name)) for name in names if getattr(params, name) != getattr(base, name)}


def text_of(file: File) -> str:
    """The file as it is written."""
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=True, separators=(", ", ": ")) for one in file.cases)
    about = json.dumps(file.about, ensure_ascii=True)
    return f'{{\n "about": {about},\n "cases": [\n{lines}\n ]\n}}\n'
