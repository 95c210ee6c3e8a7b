"""`symjam config show`: with which settings a node runs here, or would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from node import settings
from node.client import Client
from node.commands.common import as_json_line
from node.runtime import NoNode
from node.shell.config import default_data_dir


def show(data: Path | None, would_be: list[dict[str, Any]], origin: bool, as_json: bool) -> int:
    """Print each setting, those of the running node where one runs. `would_be`: of one that were started now."""
    data_dir = data or default_data_dir()
    running = _running(data_dir)
    shown = running or would_be
    file = data_dir / settings.FILE_NAME
    if as_json:
        document = {"schema": "symjam.config/1", "file": str(file), "running": running is not None, "settings": shown}
        as_json_line(document)
        return 0
    width = max(len(one["key"]) for one in shown)
    for one in shown:
        value = _toml(one["value"])
        line = f"{one['key']:<{width}} = {value}"
        click.echo(f"{line:<44}  # {_from(one, file)}" if origin else line)  # not folded: it can go into the file
    if running is not None and running != would_be:
        click.echo("these are the running node's; file or environment have changed since it started", err=True)
    return 0


def _running(data_dir: Path) -> list[dict[str, Any]] | None:
    try:
        Client.of(data_dir)
    except NoNode:
        return None
    return settings.left(data_dir / "run")


def _from(one: dict[str, Any], file: Path) -> str:
    if one["origin"] == "file":
        return f"file: {file}"
    return f"environment: {one['variable']}" if one["origin"] == "environment" else str(one["origin"])


def _toml(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return str(value) if isinstance(value, int) else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
