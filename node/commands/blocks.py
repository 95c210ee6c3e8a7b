"""`symjam blocks`: what was played, what became of it, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from node.commands.common import as_json_line, client, jam, say, share, short


def run(data: Path | None, limit: int, as_json: bool) -> int:
    """Print blocks, and this player's own windows that became none."""
    node = client(data)
    blocks = node.blocks(limit)["blocks"]
    windows = node.windows(limit)["windows"]
    if as_json:
        as_json_line({"schema": "symjam.blocks/1", "blocks": blocks, "windows": windows})
        return 0
    for block in blocks:
        for line in block_lines(block):
            say(line)
    for window in windows:
        if window["outcome"] == "refused":
            say(refusal_line(window))
    if not blocks and not windows:
        click.echo("no blocks yet: play for a window, with somebody else present", err=True)
    return 0


def block_lines(block: dict[str, Any]) -> list[str]:
    """A block: quality, votes with m and w, reward."""
    quality = block["quality"]
    parts = ", ".join(f"{name} {share(quality[name])}" for name in quality if name != "total")
    lines = [
        f"block {short(block['id'])}  window {block['window']}  "
        f"by {short(block['proposer'])}  {block['state'].upper()}",
        f"  quality {share(quality['total'])}  ({parts})",
    ]
    votes = block["votes"]
    if votes:
        lines.append(f"  chosen {len(votes)} of {block['eligible']}, quorum {block['quorum']}")
    for vote in votes:
        why = "" if vote["vote"] == "yes" else f"  {vote['words']}"
        weight = f"m {vote['m']:2}  w {share(vote['w_q16'])} ({vote['w_q16']} of 65536)"
        lines.append(f"    {short(vote['verifier'])}  {vote['vote']:8} {weight}{why}")
    reward = block["reward"]
    if reward:
        names = {"quality": "quality", "mean w": "mean_w", "cluster": "cluster", "riff": "riff", "person": "person"}
        terms = " x ".join(f"{name} {share(reward[f'{key}_q16'])}" for name, key in names.items())
        pro_rata = "" if reward["paid_micro"] == reward["points_micro"] else ", pro rata"
        lines.append(f"  reward {jam(reward['paid_micro'])} = {jam(reward['base_micro'])} x {terms}{pro_rata}")
        unminted = sum(reward["unminted"].values())
        capped = f", but {jam(unminted)} not minted: paid for enough blocks of this window" if unminted else ""
        lines.append(f"    {jam(reward['proposer_micro'])} to the player, the rest to the verifiers{capped}")
    return lines


def refusal_line(window: dict[str, Any]) -> str:
    """A window of one's own that became no block, with the reason."""
    return f"window {window['window']}  no block: {window['words']} ({window['events']} events)"
