"""The command line of the wallet. As in node/cli.py, only parsing lives here."""

from __future__ import annotations

from pathlib import Path

import click

from node import options
from node.failures import guarded
from node.signing_cli import COMMANDS


@click.group()
def wallet() -> None:
    """This player's key, what it earned, and where every coin came from."""


@wallet.command("init")
@options.data
@options.passphrase_fd
@options.words_fd
@click.option("--yes", is_flag=True, help="Do not ask the words back: they are kept.")
@options.as_json
@guarded
def wallet_init(data: Path | None, passphrase_fd: int | None, words_fd: int | None, yes: bool, as_json: bool) -> int:
    """Make a key, or take up the one that `symjam up` made: shows its 24 words, once, and asks for a passphrase."""
    from node.commands.keys import init

    return init(data=data, passphrase_fd=passphrase_fd, words_fd=words_fd, yes=yes, as_json=as_json)


@wallet.command("restore")
@options.data
@options.passphrase_fd
@options.words_fd
@click.option("--account", type=click.IntRange(0, 2**31 - 1), default=0, help="Which key of these words (default: 0).")
@click.option("--unused", is_flag=True, help="No node has ever run with this key: it may sign at once.")
@options.as_json
@guarded
def wallet_restore(
    data: Path | None, passphrase_fd: int | None, words_fd: int | None, account: int, unused: bool, as_json: bool
) -> int:
    """Have a key again from its 24 words."""
    from node.commands.keys import restore

    return restore(
        data=data, passphrase_fd=passphrase_fd, words_fd=words_fd, account=account, unused=unused, as_json=as_json
    )


@wallet.command("passwd")
@options.data
@options.passphrase_fd
@click.option(
    "--new-passphrase-fd",
    "new_fd",
    type=click.IntRange(0, 65_535),
    metavar="N",
    help="Read the new passphrase from this one (default: the next line of --passphrase-fd).",
)
@options.as_json
@guarded
def wallet_passwd(data: Path | None, passphrase_fd: int | None, new_fd: int | None, as_json: bool) -> int:
    """Put the key under a passphrase, or under another one."""
    from node.commands.keys import passwd

    return passwd(data=data, passphrase_fd=passphrase_fd, new_fd=new_fd, as_json=as_json)


@wallet.command("show")
@options.data
@options.as_json
@guarded
def wallet_show(data: Path | None, as_json: bool) -> int:
    """Who this player is, balance, and its lots by provenance; without a running node, the key alone."""
    from node.commands.wallet import show

    return show(data=data, as_json=as_json)


@wallet.command("address")
@options.data
@click.option("--qr", is_flag=True, help="Also as a QR code, drawn in the terminal.")
@options.as_json
@guarded
def wallet_address(data: Path | None, qr: bool, as_json: bool) -> int:
    """This player's public key, at which it is paid."""
    from node.commands.keys import address

    return address(data=data, qr=qr, as_json=as_json)


@wallet.command("export")
@options.data
@options.as_json
@guarded
def wallet_export(data: Path | None, as_json: bool) -> int:
    """This player's public key as a line for a file of founders. The secret one leaves by its words only."""
    from node.commands.keys import listing

    return listing(data=data, as_json=as_json, own_only=True)


@wallet.command("list")
@options.data
@options.as_json
@guarded
def wallet_list(data: Path | None, as_json: bool) -> int:
    """This player's public key, and those that are watched."""
    from node.commands.keys import listing

    return listing(data=data, as_json=as_json)


@wallet.command("watch")
@options.data
@click.argument("player", metavar="PLAYER")
@click.argument("name", default="")
@click.option("--forget", is_flag=True, help="Watch it no longer.")
@options.as_json
@guarded
def wallet_watch(data: Path | None, player: str, name: str, forget: bool, as_json: bool) -> int:
    """Keep a player's public key in the list, under a name that only this wallet knows."""
    from node.commands.keys import watch

    return watch(data=data, player=player, name=name, forget=forget, as_json=as_json)


@wallet.command("balance")
@options.data
@options.as_json
@guarded
def wallet_balance(data: Path | None, as_json: bool) -> int:
    """The balance in JAM, alone on one line."""
    from node.commands.wallet import balance

    return balance(data=data, as_json=as_json)


@wallet.command("history")
@options.data
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="All of it as a table for a spreadsheet, oldest first.")
@options.as_json
@guarded
def wallet_history(data: Path | None, limit: int, as_csv: bool, as_json: bool) -> int:
    """What came and went, what did not count, and why; newest first."""
    from node.commands.wallet import history

    return history(data=data, limit=limit, as_csv=as_csv, as_json=as_json)


@wallet.command("value")
@options.data
@click.option("--by", "how", type=click.Choice(["trust", "tags", "provenance"]), default="trust", show_default=True)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    metavar="NAME=WEIGHT",
    help="Of a tag, or of a role (played, attested, performed, received): 0 to 16, like 0.5 (repeatable).",
)
@options.as_json
@guarded
def wallet_value(data: Path | None, how: str, weights: tuple[str, ...], as_json: bool) -> int:
    """What your coins are worth to you, and why. Nobody else is told, and to the ledger all coins are alike."""
    from node.commands.value import run

    return run(data=data, how=how, weights=weights, as_json=as_json)


@wallet.command("explain")
@options.data
@click.argument("what", type=click.Choice(["verdict", "reward", "refusal", "balance", "operation"]))
@click.argument("about", metavar="[ID]", default="")
@options.as_json
@guarded
def wallet_explain(data: Path | None, what: str, about: str, as_json: bool) -> int:
    """As `symjam explain`."""
    from node.commands.explain import run

    return run(data=data, what=what, about=about, as_json=as_json)


for command in COMMANDS:
    wallet.add_command(command)
