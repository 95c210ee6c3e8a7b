"""`symjam completion`: click's own script for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from crdt.errors import OperatingFailure
from node.commands.common import as_json_line


def run(program: click.Command, shell: str, as_json: bool) -> int:
    """Print the script; where to put it is in docs/operator.md."""
    kind = get_completion_class(shell)
    if kind is None:
        raise OperatingFailure("no completion", f"click knows no shell {shell!r}", "It knows bash, zsh and fish.")
    script = kind(program, {}, "symjam", "_SYMJAM_COMPLETE").source()
    if as_json:
        as_json_line({"schema": "symjam.completion/1", "shell": shell, "script": script})
    else:
        click.echo(script)
    return 0
