"""How far something is that takes its time: on standard error, one line that is written over, or one now and then."""

from __future__ import annotations

import sys
import time
from typing import Final

import click

_LIVE_EVERY_S: Final = 0.2
_LINE_EVERY_S: Final = 5.0
_FIRST_AFTER_S: Final = 1.0


class Progress:
    """Called with what is being done, how many are done, and of about how many (0: not known). A context manager."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._due_s = time.monotonic() + _FIRST_AFTER_S
        self._is_shown = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown and self._is_live:
            click.echo("\r\x1b[K", err=True, nl=False)

    def __call__(self, what: str, done: int, of: int) -> None:
        """Show it, if it is time."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + (_LIVE_EVERY_S if self._is_live else _LINE_EVERY_S)
        self._is_shown = True
        much = f" {done:,} of {max(done, of):,}" if of else f" {done:,}" if done else ""
        if self._is_live:
            click.echo(f"\r\x1b[K{what}{much}", err=True, nl=False)
        else:
            click.echo(f"{what}{much}", err=True)
