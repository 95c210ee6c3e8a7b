"""The key: is it there, is it closed to others, and does nobody else sign with it?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crdt.errors import OperatingFailure
from crdt.types import PlayerId
from node.doctor.check import Check, fail, ok, warning
from wallet import keystore

_ONE_AT_A_TIME = "End one of them, now. Every machine needs a key of its own (docs/keystore.md)."


def player_in(keys: Path) -> PlayerId | None:
    """Who the key file says to be; None without a usable one."""
    try:
        return keystore.look(keys).player
    except OperatingFailure:
        return None


def file(keys: Path) -> Check:
    """The key file."""
    if not keystore.exists(keys):
        return ok("key", "there is none yet; `symjam up` or `symjam wallet init` makes one")
    try:
        found = keystore.look(keys)
    except OperatingFailure as failure:
        return fail("key", failure.why, "a key that others can read may be theirs by now", failure.remedy)
    if not found.is_locked:
        why = "whoever copies the file, from a backup say, is this player"
        return warning("key", f"{found.path} is under no passphrase", why, "`symjam wallet init` protects it.")
    return ok("key", f"{found.path} is of its owner alone, and under a passphrase")


def twins(addresses: Sequence[str]) -> Check:
    """Whether another node announces itself with this player's key."""
    if not addresses:
        return ok("identity", "no other node announces itself with this key")
    seen = f"another node runs with this player's key, at {', '.join(addresses)}"
    why = "two that sign with one key equivocate: the player is frozen, and loses its stake"
    return fail("identity", seen, why, _ONE_AT_A_TIME)


def equivocated(count: int) -> Check:
    """Whether there is proof that this key signed two different entries at one place."""
    if not count:
        return ok("equivocation", "no proof against this player")
    seen = f"this player signed two different entries at one place ({count} proofs)"
    why = "its log ends there for everybody, and what it staked is lost"
    return fail("equivocation", seen, why, f"{_ONE_AT_A_TIME} Who wants to go on needs a new key.")
