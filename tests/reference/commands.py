"""The commands' page: every command with what it takes, what it prints, and its JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import click
import msgspec

from node.cli import main
from node.shapes.commands import SAYS as OF_NODES
from sim.shapes import SAYS as OF_SIMULATOR

HEAD = """# Commands

Written from the code by `make reference`; a test fails when it is stale. Data goes to stdout, messages to stderr. With
`--json` every command prints the document named here ([API](api.md) has the types of all of them); a failure is a
`symjam.error/1`. `--data DIRECTORY`, or `SYMJAM_DATA_DIR`, says which node is meant.

Exit codes: 0 ok, 1 failure, 2 usage, 3 no node is running, 4 locked or wrong passphrase, 5 signed and does not count,
6 store damaged.
"""


SAYS = OF_NODES | OF_SIMULATOR


def commands() -> str:
    """The page."""
    return "\n".join([HEAD, *_group(main, "symjam")])


def schemas_of(name: str) -> list[str]:
    """The names of the documents that a command prints."""
    kinds = get_args(SAYS[name]) or (SAYS[name],)
    tags = [_schema_of(kind) for kind in kinds if issubclass(kind, msgspec.Struct)]
    return [tag for tag in tags if "/" in tag]


def _schema_of(kind: type[msgspec.Struct]) -> str:
    """By its tag, or, as in what is read back from files, by a field of its own."""
    own = [str(field.default) for field in msgspec.structs.fields(kind) if field.name == "schema"]
    return own[0] if own else str(kind.__struct_config__.tag)


def _group(group: click.Group, called: str) -> Iterator[str]:
    context = click.Context(group, info_name=called)
    for name in sorted(group.list_commands(context)):
        found = group.get_command(context, name)
        assert found is not None
        whole = f"{called} {name}"
        if isinstance(found, click.Group):
            yield f"## {whole}\n\n{_words(found)}\n"
            yield from _group(found, whole)
        else:
            yield _command(found, whole)


def _command(command: click.Command, called: str) -> str:
    context = click.Context(command, info_name=called, max_content_width=1_000)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"### {called}\n", f"`{called} {usage}`\n", f"{_words(command)}\n"]
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    rows = [record for one in options if (record := one.get_help_record(context))]
    if rows:
        lines.append("| option | |\n|---|---|")
        lines += [f"| `{_cell(name)}` | {_cell(words)} |" for name, words in sorted(rows)]
        lines.append("")
    name = called.removeprefix("symjam ")
    if name in SAYS:
        named = schemas_of(name)
        said = ", ".join(f"`{one}`" for one in named) or "each message of the live WebSocket, a line each"
        lines.append(f"JSON: {said}\n")
    return "\n".join(lines)


def _words(command: click.Command) -> str:
    return "\n".join(line.strip() for line in (command.help or "").strip().splitlines())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
