"""The settings of a node and where each comes from: the defaults, `config.toml` in the data directory, the environment
(SYMJAM_ and the setting's name), the command line; each goes before those named earlier.

click does the choosing: the file is its "default map". A key that no setting has is refused, for whoever misspelled
`room` would sit in the wrong one. Nothing secret is a setting. A node that starts leaves its own beside its address, in
`run/settings.json`, so that those of its command line can be shown as well.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from crdt.errors import OperatingFailure, Unusable
from crdt.store.atomic import read_small, replace_file

FILE_NAME: Final = "config.toml"
_RUNNING: Final = "settings.json"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its key in the file, the parameter of `symjam up` that it is, and of what type it is written."""

    key: str
    parameter: str
    kind: type
    is_opposite: bool = False  # mdns = true is --no-mdns not given


SETTINGS: Final = (
    Setting("preset", "preset", str),
    Setting("room", "room", str),
    Setting("interfaces", "interfaces", list),
    Setting("port", "port", int),
    Setting("page_port", "page_port", int),
    Setting("peers", "peers", list),
    Setting("websocket_port", "websocket_port", int),
    Setting("mdns", "no_mdns", bool, is_opposite=True),
    Setting("founders", "founders", str),
    Setting("checkpoint", "checkpoint", str),
    Setting("refuse", "refused", list),
    Setting("guests", "guests", bool),
)
_BY_KEY: Final = {one.key: one for one in SETTINGS}
_WORDS: Final = {str: "text in quotes", int: "a number", bool: "true or false", list: "a list of texts"}
_ORIGINS: Final = {
    ParameterSource.COMMANDLINE: "command line",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "file",
}


def from_file(data_dir: Path) -> dict[str, Any]:
    """What the file of a data directory says, by parameter of `symjam up`. Unusable when it makes no sense."""
    path = data_dir / FILE_NAME
    raw = read_small(path)
    if raw is None:
        return {}
    try:
        said = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unusable(path, str(error), "It is TOML: key = value, texts in quotes.") from error
    return {_BY_KEY[key].parameter: value for key, value in ((key, _checked(path, key, said[key])) for key in said)}


def read(context: click.Context, data_dir: Path) -> None:
    """Let a command's options default to the file."""
    context.default_map = {**(context.default_map or {}), **from_file(data_dir)}


def origins(context: click.Context) -> list[dict[str, Any]]:
    """Each setting as a command was given it: `key, value, origin, variable`."""
    found = []
    for setting in SETTINGS:
        value = context.params[setting.parameter]
        source = context.get_parameter_source(setting.parameter)
        shown = (not value) if setting.is_opposite else _plain(value)
        found.append(
            {
                "key": setting.key,
                "value": shown,
                "origin": _ORIGINS.get(source, "default") if source else "default",
                "variable": variable(setting.parameter),
            }
        )
    return found


def variable(parameter: str) -> str:
    """The environment's name for a parameter of `symjam up`."""
    return f"SYMJAM_{parameter.upper()}"


def leave(run: Path, shown: list[dict[str, Any]]) -> None:
    """Say with which settings a node runs, in its runtime directory."""
    replace_file(run / _RUNNING, json.dumps(shown).encode())


def left(run: Path) -> list[dict[str, Any]] | None:
    """With which settings the node that runs was started; None when it did not say."""
    try:
        raw = read_small(run / _RUNNING)
        found = json.loads(raw) if raw is not None else None
    except (OperatingFailure, ValueError):
        return None
    return found if isinstance(found, list) else None


def _checked(path: Path, key: str, value: Any) -> Any:
    setting = _BY_KEY.get(key)
    if setting is None:
        near = get_close_matches(key, _BY_KEY, 1)
        hint = f"Did you mean `{near[0]}`?" if near else f"There are {', '.join(_BY_KEY)}."
        raise _unusable(path, f"there is no setting {key[:40]!r}", hint)
    is_right = type(value) is setting.kind
    if isinstance(value, list):
        is_right = is_right and all(isinstance(one, str) for one in value)
    if not is_right:
        raise _unusable(path, f"{key} is {_WORDS[setting.kind]}, not {value!r}"[:200], "Correct it, or take it out.")
    return not value if setting.is_opposite else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def _unusable(path: Path, why: str, remedy: str) -> Unusable:
    return Unusable("the settings cannot be used", f"{path}: {why}", remedy)
