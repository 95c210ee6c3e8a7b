"""`symjam wallet send`, `stake`, `unstake`, `vouch`, `unvouch`, `report`, `witness`: plan, ask, sign, see what comes.

The node makes the plan and signs. This shows what would be signed and what can still go wrong, asks whether to, and
for the passphrase; then it follows the entry for a while, and says no more than is known. Every request has a random
number by which the node knows it again: one whose answer was lost is asked once more, and signed once.
"""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Any, Final

import click

from crdt.errors import Misuse, OperatingFailure, Refused
from crdt.types import PlayerId
from node.client import Client, Doc, NoAnswer
from node.commands.asking import TRIES, has_terminal, no_core_dumps, passphrase
from node.commands.common import as_json_line, jam, say
from node.founders import player_of
from node.runtime import NoNode
from node.shell.config import default_data_dir
from wallet.amounts import NotAnAmount, parse_jam
from wallet.watched import Watched

POLL_S: Final = 0.3
SIGN_TIMEOUT_S: Final = 60.0  # a passphrase takes half a second, on a busy machine several
AGAIN_S: Final = 10.0  # so long a node that broke off may take to come back
LOST: Final = ("unfunded", "cut")


def run(
    data: Path | None,
    wish: dict[str, Any],
    wait_s: int,
    yes: bool,
    passphrase_fd: int | None,
    as_json: bool,
    request: str | None,
) -> int:
    """`symjam.operation/1`, or the same in words. Exit code 5 when it was signed and does not count.

    `request`: the number of a command that is given again, whose answer was lost.
    """
    no_core_dumps()
    node = Client.of(data or default_data_dir(), SIGN_TIMEOUT_S)
    named = names(data)
    asked = _typed(named, wish)
    if request is None or (signed := _done(node, asked, _number(request))) is None:
        plan = node.plan(asked)
        if not yes:
            _confirm(plan, named)
        number = request or secrets.token_hex(16)
        signed = _signed(_Asking(data, asked, number), plan["locked"], passphrase_fd)
    found = _followed(node, signed, wait_s, as_json)
    if as_json:
        as_json_line(found)
    else:
        click.echo(f"{found['state']}  entry {found['entry']}")
        for line in found["words"]:
            say(f"  {line}", err=True)
    return 5 if found["state"] in LOST else 0


def names(data: Path | None) -> dict[PlayerId, str]:
    """What this wallet calls whom."""
    return Watched(data or default_data_dir()).names


def whom(named: dict[PlayerId, str], word: str) -> PlayerId:
    """A player by its key, or by the one name that this wallet gave it. Never by how a key begins: such are made."""
    called = [player for player, name in named.items() if name and name == word]
    if len(called) == 1:
        return called[0]
    if called:
        raise Refused(
            "unknown-player", "no one player", f"{len(called)} are called {word!r}", "Give the key's 64 digits"
        )
    try:
        return player_of(word)
    except Misuse:
        why = f"{word[:80]!r} is neither the 64 digits of a key nor a name that this wallet knows"
        remedy = "`symjam wallet list` shows the names, `symjam wallet watch` gives one"
        raise Refused("unknown-player", "no such player", why, remedy) from None


def _typed(named: dict[PlayerId, str], wish: dict[str, Any]) -> dict[str, Any]:
    """What was typed, as the API wants it."""
    asked = {key: value for key, value in wish.items() if value is not None}
    if "player" in asked:
        asked["player"] = whom(named, asked["player"]).hex()
    if "amount" in asked:
        asked["amount_micro"] = parse_jam(asked.pop("amount"))
        if not asked["amount_micro"]:
            raise NotAnAmount("nothing to sign", "the amount is zero", "Write more than 0.000000")
    if "rates" in asked:
        asked["ratings"] = dict(map(_rating, asked.pop("rates")))
    return asked


def _rating(word: str) -> tuple[str, int]:
    tag, _, stars = word.partition("=")
    if not (tag and len(tag) <= 24 and stars.isascii() and stars.isdigit() and int(stars[:3]) <= 5):
        raise Misuse(f"{word[:40]!r} is no rating: write it like groove=4, 0 to 5")
    return tag, int(stars)


def _confirm(plan: Doc, named: dict[PlayerId, str]) -> None:
    for line in plan_lines(plan, named):
        say(line, err=True)
    if not has_terminal():
        raise Refused(
            "not-confirmed", "it was not signed", "there is no terminal to ask at", "--yes signs without asking"
        )
    if not click.confirm("Sign this?", default=False, err=True):
        raise Refused("not-confirmed", "it was not signed", "you did not say yes", "Nothing has changed")


def plan_lines(plan: Doc, named: dict[PlayerId, str]) -> list[str]:
    """What would be signed, for a person to look at."""
    lines = [f"{plan['kind']:<8} {jam(plan['amount_micro']) if plan['amount_micro'] else ''}".rstrip()]
    if plan["player"]:
        name = named.get(PlayerId(bytes.fromhex(plan["player"])), "")
        lines += [f"{'to' if plan['kind'] == 'send' else 'of':<8} {plan['player']}"]
        lines += [f"         that is {name}"] if name else []
        lines += [] if plan["known"] else ["         nobody here has heard of this player: check every digit"]
    if plan["session"]:
        lines.append(f"session  {plan['session']}")
    if plan["memo"]:
        lines.append(f"memo     {plan['memo']}")
    if plan["amount_micro"]:
        coming = f", {jam(plan['coming_micro'])} more in the next epoch" if plan["coming_micro"] else ""
        lines.append(f"left     {jam(plan['left_micro'])} free{coming}; no fee")
    return [*lines, "what can still go wrong:", *(f"  {risk}" for risk in plan["risks"])]


def _signed(asking: _Asking, is_locked: bool, descriptor: int | None) -> Doc:
    for left in range(TRIES - 1, -1, -1):
        typed = passphrase(descriptor, "the key is under a passphrase") if is_locked else None
        try:
            return asking.ask(typed)
        except Refused as refused:
            if refused.reason != "wrong-passphrase" or descriptor is not None or not left:
                raise
            click.echo(f"{refused.why}; try again", err=True)
    raise AssertionError("unreachable")


class _Asking:
    """One request: asked, and where the answer is lost, asked once more under the same number."""

    def __init__(self, data: Path | None, wish: dict[str, Any], number: str) -> None:
        self._data, self._wish, self._number = data or default_data_dir(), wish, number

    def ask(self, typed: str | None) -> Doc:
        """`symjam.operation/1`. Refused: nothing was signed. Refused `not-known`: whether it was, nobody can say."""
        try:
            return self._client().sign(self._wish, typed, self._number)
        except NoAnswer as silence:
            click.echo(f"{silence.what} ({silence.why}); asking again, so that it is signed once", err=True)
            return self._again(typed, silence.why)

    def _again(self, typed: str | None, why: str) -> Doc:
        deadline = time.monotonic() + AGAIN_S
        while True:
            try:
                signed = self._client().sign(self._wish, typed, self._number)
            except NoAnswer as silence:
                raise self._unknown(silence.why) from silence
            except NoNode as gone:  # it may be on its way back
                if time.monotonic() > deadline:
                    raise self._unknown(f"{why}, and {gone.why}") from gone
                time.sleep(POLL_S)
            else:
                click.echo("the node has answered now: it is signed, once", err=True)
                return signed

    def _client(self) -> Client:
        return Client.of(self._data, SIGN_TIMEOUT_S)

    def _unknown(self, why: str) -> Refused:
        remedy = f"Start the node, then give the same command with --request {self._number}: it is signed once"
        return Refused("not-known", "it is not known whether it was signed", why, remedy)


def _number(word: str) -> str:
    if not re.fullmatch("[0-9a-f]{32}", word):
        raise Misuse(f"{word[:40]!r} is not the number of a request: 32 digits, as a command says whose answer is lost")
    return word


def _done(node: Client, asked: dict[str, Any], number: str) -> Doc | None:
    """What was signed for a request, None when it is still to be signed."""
    try:
        node.request(number)
    except Refused as refused:
        if refused.reason != "no-such-request":
            raise
        return None
    return node.sign(asked, None, number)  # refused, when something else was signed for it


def _followed(node: Client, signed: Doc, wait_s: int, as_json: bool) -> Doc:
    """The entry as it stands once somebody else has it, or when the time is over."""
    deadline, found = time.monotonic() + wait_s, signed
    if found["state"] == "pending" and found["peers"] and wait_s and not as_json:
        click.echo("signed and saved; waiting for somebody else to have it ...", err=True)
    while found["state"] == "pending" and found["peers"] and time.monotonic() < deadline:
        time.sleep(POLL_S)
        try:
            found = node.operation(signed["entry"])
        except OperatingFailure as failure:
            if not as_json:
                click.echo(f"it is signed; the node cannot be asked about it now: {failure.why}", err=True)
            break
    return found
