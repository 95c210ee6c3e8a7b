"""`symjam wallet`: what was earned, and where each coin came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from node.commands.common import as_json_line, client, jam, short
from node.commands.keys import show_key
from node.runtime import NoNode
from node.shell.config import keys_in
from wallet import keystore
from wallet.amounts import format_jam


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
    for lot in wallet["lots"]:
        by = ", ".join(short(player) for player in lot["attested_by"])
        place = "" if lot["place"] == "free" else f", {lot['place']}"
        seen = f", attested by {by}" if by else ""
        click.echo(f"  {jam(lot['amount_micro']):>16}  {_how(lot)}, window {lot['window']}{seen}{place}")
    return 0


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


def history(data: Path | None, limit: int, as_json: bool) -> int:
    """What came and went, newest first."""
    items = client(data).history(limit)
    if as_json:
        as_json_line(items)
        return 0
    for item in items["items"]:
        amount, after = jam(item["amount_micro"]), jam(item["balance_micro"])
        sign = "+" if item["amount_micro"] > 0 else ""
        click.echo(
            f"window {item['window']}  {sign}{amount}  {item['role']:9}  block {short(item['block'])}  = {after}"
        )
    if not items["items"]:
        click.echo("nothing yet", err=True)
    return 0
