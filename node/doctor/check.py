"""The result of one check: a name, a level, what was seen, why it matters and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How bad it is. `fail`: the node cannot do its work; `warning`: it can, but not for ever or not with everybody."""

    OK = "ok"
    WARNING = "warning"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found. `why` and `remedy` are empty where nothing is wrong."""

    name: str
    level: Level
    seen: str
    why: str = ""
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """`{name, level, seen, why, remedy}`."""
        return asdict(self)


def ok(name: str, seen: str) -> Check:
    """Nothing is wrong."""
    return Check(name, Level.OK, seen)


def warning(name: str, seen: str, why: str, remedy: str) -> Check:
    """It works, but."""
    return Check(name, Level.WARNING, seen, why, remedy)


def fail(name: str, seen: str, why: str, remedy: str) -> Check:
    """It does not work."""
    return Check(name, Level.FAIL, seen, why, remedy)


def troubles(checks: Iterable[Check]) -> list[Check]:
    """Those that found something, the worst first."""
    found = [check for check in checks if check.level is not Level.OK]
    return sorted(found, key=lambda check: check.level is not Level.FAIL)
