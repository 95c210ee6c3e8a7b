"""How a command comes by a secret: typed at a terminal that does not show it, or read from a file descriptor.

Never an argument, which every process of the machine can read, nor the environment, which every child is given. One
line is read, and not a byte more, so that one descriptor may hold several secrets, line by line.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Final

import click

from crdt.errors import OperatingFailure
from wallet.keyfile import Key, KeyFile, KeyLocked, PassphraseRefused, WrongPassphrase, require_passphrase

LINE_MAX_BYTES: Final = 4_096
_PR_SET_DUMPABLE: Final = 4
TRIES: Final = 3


def no_core_dumps() -> None:
    """From here on this process leaves no image of its memory behind when it dies, and no other program of this user
    may read it. The limit alone does not bind a handler that the kernel pipes images to: core(5), prctl(2)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0)


def has_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def line_from(descriptor: int) -> str:
    """The next line of a file descriptor, without its end. OperatingFailure when there is none."""
    line = bytearray()
    try:
        while len(line) <= LINE_MAX_BYTES:
            byte = os.read(descriptor, 1)
            if byte in (b"\n", b""):
                break
            line += byte
    except OSError as error:
        raise _nothing_in(descriptor, error.strerror or "it cannot be read") from error
    if not line or len(line) > LINE_MAX_BYTES:
        raise _nothing_in(descriptor, "there is no line in it, or too long a one")
    return line.decode("utf-8", "replace").removesuffix("\r")


def open_key(file: KeyFile, descriptor: int | None, prompt: str = "passphrase") -> tuple[Key, str | None]:
    """The key in a file, and the passphrase it is under, asked for if there is one. KeyLocked, WrongPassphrase."""
    if not file.is_locked:
        return file.open(), None
    if descriptor is not None:
        typed = line_from(descriptor)
        return file.open(typed), typed
    _require_terminal(f"{file.path} is under a passphrase")
    for left in range(TRIES - 1, -1, -1):
        typed = _ask(prompt)
        try:
            return file.open(typed), typed
        except WrongPassphrase as wrong:
            if not left:
                raise
            click.echo(f"{wrong.why}; try again", err=True)
    raise AssertionError("unreachable")


def passphrase(descriptor: int | None, why: str) -> str:
    """A passphrase that somebody else will try. KeyLocked without a way to ask."""
    if descriptor is not None:
        return line_from(descriptor)
    _require_terminal(why)
    return _ask("passphrase")


def new_passphrase(descriptor: int | None) -> str:
    """A passphrase to put a key under, typed twice. KeyLocked without a way to ask, PassphraseRefused."""
    if descriptor is not None:
        chosen = line_from(descriptor)
        require_passphrase(chosen)
        return chosen
    _require_terminal("a passphrase is to be chosen")
    for left in range(TRIES - 1, -1, -1):
        chosen = _ask("new passphrase")
        try:
            require_passphrase(chosen)
        except PassphraseRefused as refused:
            if not left:
                raise
            click.echo(f"{refused.why}\n  {refused.remedy}", err=True)
            continue
        if _ask("the same again") == chosen:
            return chosen
        click.echo("these two differ; try again", err=True)
    why = "it was not typed twice alike"
    raise PassphraseRefused("nothing was changed", why, "Write it down first, if it is hard to type")


def words(descriptor: int | None) -> str:
    """24 words as somebody typed them, in one line."""
    if descriptor is not None:
        return line_from(descriptor)
    _require_terminal("the words are to be typed")
    return _ask("the 24 words, with blanks between (not shown)")


def _ask(what: str) -> str:
    return str(click.prompt(what, hide_input=True, err=True, default="", show_default=False))


def _require_terminal(why: str) -> None:
    if not has_terminal():
        raise KeyLocked(
            "the key is locked",
            f"{why}, and there is no terminal to ask at",
            "Give it by a file descriptor: --passphrase-fd 3 3<FILE (for words: --words-fd)",
        )


def _nothing_in(descriptor: int, why: str) -> OperatingFailure:
    remedy = "Open it for the command, like this: symjam ... --passphrase-fd 3 3<FILE"
    return OperatingFailure(f"nothing can be read from file descriptor {descriptor}", why, remedy)
