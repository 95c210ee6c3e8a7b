"""`symjam explain`: why a block stands as it does, and what it is paid, term by term."""

from __future__ import annotations

from pathlib import Path

import click

from node.commands.common import as_json_line, client, short


def run(data: Path | None, what: str, block: str, as_json: bool) -> int:
    """Print a verdict or a reward in words; `block` is an id, or how one begins."""
    found = client(data).block(block)["block"]
    words = found["words"]
    if what == "reward":
        reward = found["reward"]
        words = reward["words"] if reward else [f"no reward: the block is {found['state']}"]
    if as_json:
        as_json_line({"schema": "symjam.explain/1", "block": found["id"], "what": what, "words": words})
        return 0
    click.echo(f"block {short(found['id'])}  window {found['window']}  by {short(found['proposer'])}  {found['state']}")
    for line in words:
        click.echo(f"  {line}")
    return 0
