"""`symjam peers`: with whom this node is linked, and how good the links are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from node.commands.common import COLUMNS, as_json_line, client, say, short, step_of

_HEAD = ("player", "transport", "latency", "loss", "clock", "synced", "address")


def run(data: Path | None, as_json: bool) -> int:
    """Print the running node's peers."""
    status = client(data).status()
    peers: list[dict[str, Any]] = status["peers"]
    if as_json:
        as_json_line({"schema": "symjam.peers/1", "player": status["player"], "peers": peers})
        return 0
    if not peers:
        say("nobody is linked; peers on this network are found by themselves, others with `symjam up --peer`")
        return 0
    rows = [_HEAD, *(_row(peer) for peer in peers)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    is_wide = sum(widths) + 2 * len(widths) - 2 > COLUMNS
    for row in rows:
        *cells, address = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(("  ".join(cells) + ("\n    " if is_wide else "  ") + address).rstrip())
    return 0


def _row(peer: dict[str, Any]) -> tuple[str, ...]:
    others = len(peer["transports"]) - 1
    clock = peer["clock"]
    offset = f"{clock['offset_us'] / 1_000:+.2f} ± {clock['uncertainty_us'] / 1_000:.2f} ms" if clock else "?"
    return (
        short(peer["player"]),
        peer["transport"] + (f" (+{others})" if others > 0 else ""),
        f"{peer['rtt_us'] / 1_000:.1f} ms" if peer["rtt_us"] is not None else "?",
        f"{peer['loss_permille'] / 10:.1f}%",
        offset,
        step_of(peer),
        peer["address"],
    )
