"""`symjam wallet`: what was earned, and where each coin came from."""

from __future__ import annotations

from pathlib import Path

import click

from node.commands.common import as_json_line, client, jam, short
from wallet.amounts import format_jam


def show(data: Path | None, as_json: bool) -> int:
    """Player, balance, lots."""
    wallet = client(data).wallet()
    if as_json:
        as_json_line(wallet)
        return 0
    click.echo(f"player   {wallet['player']}")
    click.echo(f"balance  {jam(wallet['balance_micro'])}")
    if wallet["pending_blocks"]:
        click.echo(f"pending  {wallet['pending_blocks']} blocks wait for a verdict")
    for lot in wallet["lots"]:
        by = ", ".join(short(player) for player in lot["attested_by"])
        how = "played" if lot["role"] == "played" else f"attested what {short(lot['proposer'])} played"
        click.echo(f"  {jam(lot['amount_micro']):>16}  {how}, window {lot['window']}, attested by {by}")
    return 0


def balance(data: Path | None, as_json: bool) -> int:
    """The balance alone."""
    wallet = client(data).wallet()
    if as_json:
        shown = {key: wallet[key] for key in ("player", "balance_micro", "pending_blocks")}
        as_json_line({"schema": "symjam.balance/1", **shown, "balance": format_jam(wallet["balance_micro"])})
    else:
        click.echo(format_jam(wallet["balance_micro"]))
    return 0


def history(data: Path | None, limit: int, as_json: bool) -> int:
    """Earnings, newest first."""
    items = client(data).history(limit)
    if as_json:
        as_json_line(items)
        return 0
    for item in items["items"]:
        amount, after = jam(item["amount_micro"]), jam(item["balance_micro"])
        click.echo(f"window {item['window']}  +{amount}  {item['role']:8}  block {short(item['block'])}  = {after}")
    if not items["items"]:
        click.echo("nothing yet", err=True)
    return 0
