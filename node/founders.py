"""Keys as people write them: the founders of a network, which its players hand to one another in a file, and a player.

One key a line, 64 hex digits; what follows a `#` is a remark. Order and remarks make no difference, the keys do: the
network id is a hash of the rules, and founders are part of them.
"""

from __future__ import annotations

from pathlib import Path

from crdt.errors import Misuse, OperatingFailure
from crdt.keys import is_valid_player
from crdt.limits import FOUNDERS_FILE_MAX_BYTES, FOUNDERS_MAX
from crdt.types import Digest, PlayerId


def founders_in(path: Path) -> tuple[PlayerId, ...]:
    """The founders that a file names, sorted. OperatingFailure when it cannot be read, Misuse for what it says."""
    try:
        with path.open("rb") as file:
            raw = file.read(FOUNDERS_FILE_MAX_BYTES + 1)
    except OSError as error:
        remedy = "Give the path of the file that the network's founders made."
        raise OperatingFailure("cannot read the founders", f"{path}: {error.strerror or error}", remedy) from error
    if len(raw) > FOUNDERS_FILE_MAX_BYTES:
        raise Misuse(f"{path} is too large for a list of founders")
    found: set[PlayerId] = set()
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        word = line.split("#")[0].strip()
        if not word:
            continue
        key = _bytes(word)
        if key is None or not is_valid_player(key):
            raise Misuse(f"line {number} of {path} is no public key")
        if key in found:
            raise Misuse(f"line {number} of {path} names a founder twice")
        found.add(PlayerId(key))
    if not 1 <= len(found) <= FOUNDERS_MAX:
        raise Misuse(f"{path} names {len(found)} founders; 1 to {FOUNDERS_MAX} are needed")
    return tuple(sorted(found))


def player_of(word: str) -> PlayerId:
    """A player from the 64 hex digits of its public key. Misuse for anything else."""
    found = _bytes(word)
    if found is None or not is_valid_player(found):
        raise Misuse(f"{word[:80]!r} is no player: the 64 hex digits of a public key are needed")
    return PlayerId(found)


def digest_of(word: str) -> Digest:
    """The digest of a checkpoint from 64 hex digits. Misuse for anything else."""
    found = _bytes(word)
    if found is None:
        raise Misuse(f"{word[:80]!r} is no digest of a checkpoint: 64 hex digits are needed")
    return Digest(found)


def _bytes(word: str) -> bytes | None:
    try:
        found = bytes.fromhex(word)
    except ValueError:
        return None
    return found if len(found) == 32 and len(word) == 64 else None
