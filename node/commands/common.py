"""What the commands share: finding the node, and saying things to people or to programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import fill
from typing import Any, Final

import click

from crdt.types import MicroJam
from node.client import Client
from node.shell.config import default_data_dir
from wallet.amounts import format_jam

Doc = dict[str, Any]
COLUMNS: Final = 80


def client(data: Path | None) -> Client:
    """The client of the node in a data directory. NoNode when none runs there."""
    return Client.of(data or default_data_dir())


def as_json_line(document: Doc) -> None:
    """One JSON document on standard output. Whole, also where Python does not buffer (PYTHONUNBUFFERED): there a write
    that a signal interrupts is a short one, and print takes it for all."""
    out = sys.stdout.buffer
    left = json.dumps(document).encode() + b"\n"
    while left:
        left = left[out.write(left) :]
    out.flush()


def say(line: str, err: bool = False) -> None:
    """A line for people, folded where it is too wide for a terminal; what cannot be parted, like an id, stands out."""
    if len(line) > COLUMNS:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        line = fill(line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    click.echo(line, err=err)


def jam(amount_micro: int) -> str:
    """An amount as people read it."""
    return f"{format_jam(MicroJam(amount_micro))} JAM"


def share(q16: int) -> str:
    """A share of 65536 with four decimals."""
    return f"{q16 / 65_536:.4f}"


def plain(text: str) -> str:
    """What somebody else wrote, without what would move a terminal's cursor or change its colours."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def short(hexadecimal: str) -> str:
    """The first eight digits of an id."""
    return hexadecimal[:8]


def step_of(peer: Doc) -> str:
    """How far in step this node is with a peer: "yes", "live" (all but what is under way while somebody plays), or by
    how many entries it is behind."""
    if peer["synced"]:
        return "yes"
    is_live = not peer["behind_entries"] and peer["synced_us"] is not None
    return "live" if is_live else f"{peer['behind_entries']} behind"
