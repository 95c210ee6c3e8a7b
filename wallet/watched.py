"""Players whom this one keeps an eye on: their public keys, with names that only this wallet knows.

One a line, `key  name`, in a file beside the key's directory. Nothing secret is in it, but whom one watches is nobody
else's business: mode 0600, replaced whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from crdt.errors import Misuse, OperatingFailure
from crdt.keys import is_valid_player
from crdt.store.atomic import read_small, replace_file
from crdt.types import PlayerId

FILE_NAME: Final = "watched"
WATCHED_MAX: Final = 256
NAME_MAX: Final = 64


class Watched:
    """The list in one data directory, read when made. Raises OperatingFailure for a file that is none."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME
        self.names: dict[PlayerId, str] = {}
        raw = read_small(self._path) or b""
        for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
            digits, _, name = line.partition("  ")
            player = _player(digits)
            if player is None or not is_name(name) or len(self.names) >= WATCHED_MAX:
                remedy = "Mend that line (64 hex digits, two blanks, a name), or move the file away"
                raise OperatingFailure("the watched players cannot be read", f"line {number} of {self._path}", remedy)
            self.names[player] = name

    def add(self, player: PlayerId, name: str) -> None:
        """Watch a player, or give one that is watched another name. Misuse for a name that is none."""
        if not is_name(name):
            raise Misuse(f"a name has at most {NAME_MAX} letters, and none that does not print")
        if player not in self.names and len(self.names) >= WATCHED_MAX:
            raise Misuse(f"{WATCHED_MAX} players are watched, and no more can be")
        self._save({**self.names, player: name})

    def remove(self, player: PlayerId) -> bool:
        """Watch a player no longer; False when it was not watched."""
        if player not in self.names:
            return False
        self._save({one: name for one, name in self.names.items() if one != player})
        return True

    def _save(self, names: dict[PlayerId, str]) -> None:
        lines = "".join(f"{player.hex()}  {name}\n" for player, name in names.items())
        replace_file(self._path, lines.encode())
        self.names = names


def is_name(text: str) -> bool:
    """Whether a line can hold it, and a terminal show it as it is."""
    return len(text) <= NAME_MAX and text.isprintable() and text == text.strip()


def _player(digits: str) -> PlayerId | None:
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        return None
    return PlayerId(raw) if len(digits) == 64 and is_valid_player(raw) else None
