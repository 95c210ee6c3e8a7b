"""`symjam doctor`: what is wrong, why it matters, and what to do next."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path
from typing import Final

import click

from node.commands.common import as_json_line, plain
from node.doctor.check import Check, Level
from node.doctor.examine import Examined, Settings, examine
from node.shell.config import default_data_dir

_COLUMNS_MIN, _COLUMNS_MAX = 60, 100
_MARKS: Final = {Level.OK: "ok", Level.WARNING: "warning", Level.FAIL: "FAIL"}
_COLOURS: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.FAIL: "red"}
_INDENT: Final = 24


def run(data: Path | None, settings: Settings, as_json: bool) -> int:
    """Examine, and print what was found. 1 when something does not work, 0 also for warnings."""
    found = examine(data or default_data_dir(), settings, _progress)
    if as_json:
        as_json_line(document(found))
    else:
        for line in lines(found.checks, shutil.get_terminal_size().columns):
            click.echo(line)
    if not found.failed:
        return 0
    names = ", ".join(check.name for check in found.failed)
    click.echo(f"symjam: {len(found.failed)} of {len(found.checks)} checks failed: {names}", err=True)
    return 1


def document(found: Examined) -> dict[str, object]:
    """`symjam.doctor/1`."""
    worst = max(found.checks, key=lambda check: list(Level).index(check.level)).level
    checks = [check.document() for check in found.checks]
    return {"schema": "symjam.doctor/1", "running": found.status is not None, "level": worst, "checks": checks}


def lines(checks: list[Check], columns: int) -> list[str]:
    """As people read it: one line where all is well, else what was seen, why it matters, what to do."""
    width = min(max(columns, _COLUMNS_MIN), _COLUMNS_MAX)
    said: list[str] = []
    for check in checks:
        mark = click.style(f"{_MARKS[check.level]:<8}", fg=_COLOURS[check.level])
        body = _wrapped(check.seen, width)
        said.append(f"{mark}{check.name:<{_INDENT - 8}}{body[0]}")
        said += [" " * _INDENT + line for line in body[1:]]
        for word, text in (("why", check.why), ("do", check.remedy)):
            for number, line in enumerate(_wrapped(text, width - 5) if text else ()):
                said.append(" " * _INDENT + f"{word if not number else '':<5}{line}")
    return said


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(plain(text), width - _INDENT, break_long_words=False, break_on_hyphens=False) or [""]


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        click.echo(words, err=True)
