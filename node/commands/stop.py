"""`symjam stop`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from crdt.errors import OperatingFailure
from node.client import Client
from node.commands.common import as_json_line, client
from node.runtime import NoNode
from node.shell.config import default_data_dir

_TIMEOUT_S = 10.0


def run(data: Path | None, as_json: bool) -> int:
    """Ask the node to end, and wait until it has."""
    client(data).stop()
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            Client.of(data or default_data_dir())
        except NoNode:
            break
        time.sleep(0.05)
    else:
        raise OperatingFailure("the node does not end", f"still running after {_TIMEOUT_S:g} s", "See its log.")
    if as_json:
        as_json_line({"schema": "symjam.stop/1", "stopped": True})
    else:
        click.echo("stopped", err=True)
    return 0
