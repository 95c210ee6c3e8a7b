"""`symjam wallet`: what was earned, and where each coin came from."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import click

from crdt.limits import API_LIST_MAX
from node.client import Client, Doc
from node.commands.common import as_json_line, client, jam, plain, say, short
from node.commands.keys import show_key
from node.runtime import NoNode
from node.shell.config import keys_in
from wallet import keystore
from wallet.amounts import format_jam

LOTS_SHOWN: Final = 20
ROLES: Final = {
    "played": "for playing",
    "attested": "for verifying others",
    "performed": "for concerts",
    "received": "from others",
}
COLUMNS: Final = (
    "number", "epoch", "window", "role", "counted", "amount_jam", "moved_jam", "balance_jam", "from", "to", "memo",
    "block", "entry", "why",
)  # fmt: skip
_NUMBER: Final = re.compile(r"-?[0-9.]+")


def show(data: Path | None, as_json: bool) -> int:
    """Player, balance, lots; the key alone where no node runs."""
    try:
        wallet = client(data).wallet()
    except NoNode:
        if not keystore.exists(keys_in(data)):
            raise
        code = show_key(data, as_json)
        click.echo("no node is running: `symjam up` starts one, and then there is a balance", err=True)
        return code
    if as_json:
        as_json_line(wallet)
        return 0
    click.echo(f"player   {wallet['player']}")
    click.echo(f"balance  {jam(wallet['balance_micro'])}")
    for name in ("staked", "leaving"):
        if wallet[f"{name}_micro"]:
            click.echo(f"{name:<7}  {jam(wallet[f'{name}_micro'])}")
    if wallet["pending_blocks"]:
        click.echo(f"pending  {wallet['pending_blocks']} blocks wait for a verdict")
    for line in _by_provenance(wallet):
        click.echo(line)
    for lot in wallet["lots"][:LOTS_SHOWN]:
        by = ", ".join(short(player) for player in lot["attested_by"])
        place = "" if lot["place"] == "free" else f", {lot['place']}"
        seen = f", attested by {by}" if by else ""
        say(f"  {jam(lot['amount_micro']):>16}  {_how(lot)}, window {lot['window']}{seen}{place}")
    if len(wallet["lots"]) > LOTS_SHOWN:
        click.echo(f"  and {len(wallet['lots']) - LOTS_SHOWN} older lots: --json has all", err=True)
    return 0


def _by_provenance(wallet: Doc) -> list[str]:
    """How much came in which way, and who paid what was received."""
    sums: Counter[str] = Counter()
    for lot in wallet["lots"]:
        sums[lot["role"]] += lot["amount_micro"]
    lines = [f"  {jam(sums[role]):>16}  {words}" for role, words in ROLES.items() if sums[role]]
    givers: Counter[str] = Counter()
    for op in wallet["operations"]:
        if op["to"] == wallet["player"] and op["state"] == "done":
            givers[op["from"]] += op["amount_micro"]
    return lines + [f"  {jam(amount):>16}    paid to you by {giver}" for giver, amount in sorted(givers.items())]


def _how(lot: dict[str, Any]) -> str:
    """How its owner came by a lot."""
    who = short(lot["proposer"])
    return {
        "played": "played",
        "attested": f"attested what {who} played",
        "performed": "witnessed in concerts",
        "received": f"received, from what {who} played",
    }[lot["role"]]


def balance(data: Path | None, as_json: bool) -> int:
    """The balance alone."""
    wallet = client(data).wallet()
    if as_json:
        shown = {key: wallet[key] for key in ("player", "balance_micro", "pending_blocks")}
        as_json_line({"schema": "symjam.balance/1", **shown, "balance": format_jam(wallet["balance_micro"])})
    else:
        click.echo(format_jam(wallet["balance_micro"]))
    return 0


def history(data: Path | None, limit: int, as_csv: bool, as_json: bool) -> int:
    """What came and went and what did not count, newest first; as a table for programs all of it, oldest first."""
    node = client(data)
    if as_csv:
        return _table(node)
    items = node.history(limit)
    if as_json:
        as_json_line(items)
        return 0
    for item in items["items"]:
        sign = "+" if item["amount_micro"] > 0 else ""
        amount = f"{sign}{jam(item['amount_micro'])}" if item["counted"] else "did not count"
        after = jam(item["balance_micro"])
        say(f"window {item['window']}  {amount:>18}  {item['role']:9}  = {after}")
        memo = f": {plain(item['memo'])}" if item["memo"] else ""
        say(f"    {plain(item['why'])}{memo}")
    if not items["items"]:
        click.echo("nothing yet", err=True)
    return 0


def everything(node: Client) -> list[Doc]:
    """All rows of the history, oldest first."""
    rows: list[Doc] = []
    before: int | None = None
    while True:
        page = node.history(API_LIST_MAX, before)["items"]
        rows += page
        if len(page) < API_LIST_MAX or page[-1]["number"] <= 1:
            return rows[::-1]
        before = page[-1]["number"]


def _table(node: Client) -> int:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    for row in everything(node):
        amounts = {f"{name}_jam": format_jam(row[f"{name}_micro"]) for name in ("amount", "moved", "balance")}
        out.writerow([_cell({**row, **amounts}[name]) for name in COLUMNS])
    return 0


def _cell(value: object) -> object:
    """Spreadsheets take text that begins like a formula for one, and memos are others' words."""
    if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return "" if value is None else value
