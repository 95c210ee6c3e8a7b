"""`symjam wallet value`: what one's coins are worth to oneself, with the path that led to each weight. Local only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from crdt.errors import Misuse
from crdt.types import PlayerId
from node.client import Doc
from node.commands.common import as_json_line, client, jam, plain, say, share, short
from node.commands.signing import names
from wallet.value import BY_ROLE, ONE_Q16, Origin, Valued, by_provenance, by_tags, by_trust

SHOWN: Final = 20
_WEIGHT: Final = re.compile(r"([0-9]{1,2})(?:\.([0-9]{1,4}))?", re.ASCII)


def run(data: Path | None, how: str, weights: tuple[str, ...], as_json: bool) -> int:
    """`symjam.value/1`."""
    wanted = dict(map(_weight, weights))
    node = client(data)
    wallet = node.wallet()
    lots = [Origin(lot["amount_micro"], lot["proposer"], lot["role"], tuple(lot["tags"])) for lot in wallet["lots"]]
    if how == "trust":
        vouches = [(by, about) for by, about in node.vouches()["vouches"]]
        found = by_trust(lots, wallet["player"], vouches)
    elif how == "tags":
        found = by_tags(lots, wanted)
    else:
        found = by_provenance(lots, {**BY_ROLE, **wanted})
    rows = [_row(lot, valued) for lot, valued in zip(wallet["lots"], found, strict=True)]
    rows.sort(key=lambda row: (-row["value_micro"], row["block"], row["place"]))
    total = sum(row["value_micro"] for row in rows)
    if as_json:
        as_json_line({"schema": "symjam.value/1", "by": how, "value_micro": total, "lots": rows})
        return 0
    click.echo(f"{jam(total)} to you, by {how}")
    called = names(data)
    for row in rows[:SHOWN]:
        path = " > ".join(_said(step, called) for step in row["path"]) or "nothing leads there"
        say(f"  {jam(row['value_micro']):>16}  {jam(row['amount_micro'])} x {share(row['weight_q16'])}  {path}")
    if len(rows) > SHOWN:
        click.echo(f"  and {len(rows) - SHOWN} lots of less: --json has all", err=True)
    if how == "tags" and not wanted:
        click.echo("say which tags you like: --weight blues=1 --weight jazz=0.5", err=True)
    return 0


def _row(lot: Doc, valued: Valued) -> Doc:
    kept = {name: lot[name] for name in ("block", "place", "amount_micro", "proposer", "role", "tags")}
    return {**kept, "weight_q16": valued.weight_q16, "value_micro": valued.value_micro, "path": list(valued.path)}


def _said(step: str, called: dict[PlayerId, str]) -> str:
    if len(step) != 64:
        return plain(step)
    return called.get(PlayerId(bytes.fromhex(step))) or short(step)


def _weight(word: str) -> tuple[str, int]:
    """`blues=0.5` as a name and Q16; no float is involved."""
    name, _, weight = word.rpartition("=")
    match = _WEIGHT.fullmatch(weight)
    if not name or match is None:
        raise Misuse(f"{word[:40]!r} is no weight: write it like blues=0.5")
    found = int(match[1]) * ONE_Q16 + int((match[2] or "").ljust(4, "0")) * ONE_Q16 // 10_000
    if found > 16 * ONE_Q16:
        raise Misuse(f"{word[:40]!r} is too much: a weight is 0 to 16")
    return name, found
