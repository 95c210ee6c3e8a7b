"""What a user reads when a command fails: what failed, why, what to do next; and the exit code.

Exit codes: 0 ok, 1 failure, 2 usage, 3 no daemon running, 4 locked, 5 refused by the network, 6 store damaged.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click

from crdt.errors import Misuse, OperatingFailure, Refused

P = ParamSpec("P")

# By name: importing the classes would import what raises them.
EXIT_CODES = {
    "NoNode": 3,
    **dict.fromkeys(("KeyRefused", "KeyMissing", "KeyLocked", "WrongPassphrase"), 4),
    **dict.fromkeys(("StoreDamaged", "LastSignedDamaged"), 6),
    "NotAnAmount": 2,
}
REASONS = {"locked": 4, "wrong-passphrase": 4, "unfunded": 5, "cut": 5}  # of a Refused; 1 for all others


def guarded(command: Callable[P, int | None]) -> Callable[P, None]:
    """Turn failures into words on stderr (and JSON on stdout, where `as_json` is asked for), and into exit codes."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except OperatingFailure as failure:
            reason = failure.reason if isinstance(failure, Refused) else ""
            _say(failure.what, failure.why, failure.remedy, bool(kwargs.get("as_json")), reason)
            code = EXIT_CODES.get(type(failure).__name__, REASONS.get(reason, 1))
        except Misuse as misuse:
            _say("that cannot be done", str(misuse), "", bool(kwargs.get("as_json")))
            code = 2
        except KeyboardInterrupt:
            code = 130
        sys.exit(code or 0)

    return run


def _say(what: str, why: str, remedy: str, as_json: bool, reason: str = "") -> None:
    if as_json:
        error = {"schema": "symjam.error/1", "what": what, "why": why, "remedy": remedy}
        error |= {"reason": reason} if reason else {}
        click.echo(json.dumps(error))
    click.echo(f"symjam: {what}: {why}", err=True)
    if remedy:
        click.echo(f"  {remedy}", err=True)
