"""The wallet's commands that sign something. As in node/cli.py, only parsing lives here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from node import options
from node.failures import guarded

Command = Callable[..., Any]
WAIT_S = 6
MEMO_MAX = 80  # as wallet/wishes.py has it


def _asked(command: Command) -> Command:
    """What every one of them takes."""
    for option in (
        options.as_json,
        options.passphrase_fd,
        click.option("--yes", is_flag=True, help="Do not ask; for scripts."),
        click.option(
            "--wait",
            "wait_s",
            type=click.IntRange(0, 3_600),
            default=WAIT_S,
            show_default=True,
            metavar="SECONDS",
            help="Wait so long for somebody else to have it.",
        ),
        click.option(
            "--request",
            metavar="NUMBER",
            help="Of the same command before, whose answer was lost: it is signed once.",
        ),
        options.data,
    ):
        command = option(command)
    return command


def _sign(data: Path | None, wish: dict[str, Any], **how: Any) -> int:
    from node.commands.signing import run

    return run(data=data, wish=wish, **how)


def _memo(_: click.Context, __: click.Parameter, words: str) -> str:
    if len(words) > MEMO_MAX:
        raise click.BadParameter(f"these are {len(words)} characters, and a memo has {MEMO_MAX} at most")
    return words


@click.command("send")
@click.argument("player", metavar="PLAYER")
@click.argument("amount", metavar="AMOUNT")
@click.option(
    "--memo", default="", callback=_memo, help="A few words, which everybody can read (80 characters at most)."
)
@click.option("--new-player", is_flag=True, help="Also to a key of which nobody here has heard.")
@_asked
@guarded
def send(data: Path | None, player: str, amount: str, memo: str, new_player: bool, **how: Any) -> int:
    """Pay a player. PLAYER: its 64 digits, or a name from `wallet watch`. AMOUNT: JAM, like 12 or 0.25."""
    return _sign(
        data, {"kind": "send", "player": player, "amount": amount, "memo": memo, "new_player": new_player}, **how
    )


@click.command("stake")
@click.argument("amount", metavar="AMOUNT")
@_asked
@guarded
def stake(data: Path | None, amount: str, **how: Any) -> int:
    """Answer for what you sign with some of your coins: attestations weigh more."""
    return _sign(data, {"kind": "stake", "amount": amount}, **how)


@click.command("unstake")
@click.argument("amount", metavar="AMOUNT")
@_asked
@guarded
def unstake(data: Path | None, amount: str, **how: Any) -> int:
    """Take some of the stake back; it is free after a while."""
    return _sign(data, {"kind": "unstake", "amount": amount}, **how)


@click.command("vouch")
@click.argument("player", metavar="PLAYER")
@_asked
@guarded
def vouch(data: Path | None, player: str, **how: Any) -> int:
    """Say that you know this player to be a person."""
    return _sign(data, {"kind": "vouch", "player": player}, **how)


@click.command("unvouch")
@click.argument("player", metavar="PLAYER")
@_asked
@guarded
def unvouch(data: Path | None, player: str, **how: Any) -> int:
    """Do not say so any more."""
    return _sign(data, {"kind": "unvouch", "player": player}, **how)


@click.command("report")
@click.argument("player", metavar="PLAYER")
@click.option("--why", required=True, metavar="REASON", help="Like too_regular or replay; a wrong one lists them all.")
@click.option("--block", metavar="ID", help="The block that made you say so, in full.")
@_asked
@guarded
def report(data: Path | None, player: str, why: str, block: str | None, **how: Any) -> int:
    """Ask that everybody looks closely at what this player proposes. It fines nobody."""
    return _sign(data, {"kind": "report", "player": player, "why": why.replace("-", "_"), "block": block}, **how)


@click.command("witness")
@click.argument("player", metavar="PLAYER")
@click.option("--session", metavar="ID", help="The session, in full (default: the one that is on, or the newest).")
@click.option("--rate", "rates", multiple=True, metavar="TAG=STARS", help="What you found, 0 to 5 stars (repeatable).")
@click.option("--remote", is_flag=True, help="You were not in the room.")
@_asked
@guarded
def witness(
    data: Path | None, player: str, session: str | None, rates: tuple[str, ...], remote: bool, **how: Any
) -> int:
    """Say that you saw and heard this player: that pays a performer, from its own part of what an epoch mints."""
    wish = {"kind": "witness", "player": player, "session": session, "rates": rates, "remote": remote}
    return _sign(data, wish, **how)


COMMANDS = (send, stake, unstake, vouch, unvouch, report, witness)
