"""What a user reads when a command fails: what failed, why, what to do next; and the exit code (docs/errors.md).

Exit codes: 0 ok, 1 failure, 2 usage, 3 no daemon running, 4 locked, 5 refused by the network, 6 store damaged. With
`--json` the same is an object on standard output, with a reason: one word for programs.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Final, NamedTuple, ParamSpec

import click

from crdt.errors import Misuse, OperatingFailure, Refused

P = ParamSpec("P")

PENDING: Final = "symjam.pending"  # in a context's meta: what failed while options were read
FAILED: Final = "failed"
USAGE: Final = "usage"
DAMAGED: Final = 6
LOOK: Final = "`symjam doctor` looks for what is wrong."


class Kind(NamedTuple):
    """How a family of failures ends a command."""

    reason: str
    code: int


# By name: importing the classes would import what raises them.
KINDS: Final = {
    "NoNode": Kind("no-node", 3),
    "AlreadyRunning": Kind("already-running", 1),
    "NoAnswer": Kind("no-answer", 1),
    "KeyRefused": Kind("key-refused", 4),
    "KeyMissing": Kind("key-missing", 4),
    "KeyLocked": Kind("locked", 4),
    "WrongPassphrase": Kind("wrong-passphrase", 4),
    "PassphraseRefused": Kind("passphrase-refused", 1),
    "WordsRefused": Kind("words-refused", 1),
    "StoreDamaged": Kind("store-damaged", DAMAGED),
    "LastSignedDamaged": Kind("record-damaged", DAMAGED),
    "BackupDamaged": Kind("backup-damaged", DAMAGED),
    "StoreTooNew": Kind("store-too-new", 1),
    "StoreInUse": Kind("store-in-use", 1),
    "NotAnAmount": Kind("not-an-amount", 2),
}
DISK_FULL: Final = Kind("disk-full", 1)
REASONS: Final = {"locked": 4, "wrong-passphrase": 4, "unfunded": 5, "cut": 5}  # of a Refused; 1 for all others


def kind_of(failure: OperatingFailure) -> Kind:
    """How a failure ends a command."""
    if isinstance(failure, Refused):
        return Kind(failure.reason, REASONS.get(failure.reason, 1))
    if any(_is_of_full_disk(error) for error in _causes(failure)):
        return DISK_FULL
    return KINDS.get(type(failure).__name__, Kind(FAILED, 1))


def guarded(command: Callable[P, int | None]) -> Callable[P, None]:
    """Turn failures into words on stderr (and JSON on stdout, where `as_json` is asked for), and into exit codes."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            _raise_pending()
            code = command(*args, **kwargs)
        except OperatingFailure as failure:
            reason, code = kind_of(failure)
            _say(failure.what, failure.why, failure.remedy or LOOK, bool(kwargs.get("as_json")), reason)
        except Misuse as misuse:
            remedy = "Give the command with --help to see what it takes."
            _say("that cannot be done", str(misuse), remedy, bool(kwargs.get("as_json")), USAGE)
            code = 2
        except KeyboardInterrupt:
            code = 130
        sys.exit(code or 0)

    return run


def _raise_pending() -> None:
    """What failed before the command began, while its options were read."""
    context = click.get_current_context(silent=True)
    failure = context.meta.get(PENDING) if context else None
    if isinstance(failure, OperatingFailure):
        raise failure


def told(error: click.UsageError) -> None:
    """Tell a program that it used a command wrongly; click tells people."""
    of = error.ctx.command_path if error.ctx is not None else "symjam"
    _say_json("wrong usage", error.format_message(), f"`{of} --help` says how it is used.", USAGE)


def _say_json(what: str, why: str, remedy: str, reason: str) -> None:
    error = {"schema": "symjam.error/1", "what": what, "why": why, "remedy": remedy, "reason": reason}
    click.echo(json.dumps(error))


def _say(what: str, why: str, remedy: str, as_json: bool, reason: str) -> None:
    if as_json:
        _say_json(what, why, remedy, reason)
    click.echo(f"symjam: {what}: {why}", err=True)
    click.echo(f"  {remedy}", err=True)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is_of_full_disk(error: BaseException) -> bool:
    """LevelDB says it in words only."""
    return (isinstance(error, OSError) and error.errno == errno.ENOSPC) or "No space left on device" in str(error)
