"""What a lot is worth to oneself: by one's web of trust, by tags, by provenance (SPEC 10, docs/wallet.md).

Nothing of this is in the ledger or is told to anybody: a coin is a coin to everybody else. Weights are Q16 (65,536 is
one), values are micro-JAM rounded down. With each weight comes the path that led to it.

By trust, a lot is worth what who played is to the viewer: coins that one's own playing minted are worth all of it;
those of somebody whom one vouches for half, of somebody whom those vouch for a quarter, and so on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

ONE_Q16: Final = 65_536
HOPS_MAX: Final = 8

Roles = Mapping[str, int]
BY_ROLE: Final[Roles] = {
    "played": ONE_Q16,
    "performed": ONE_Q16,
    "attested": ONE_Q16 // 2,
    "received": ONE_Q16 // 4,
}


class Origin(NamedTuple):
    """What is looked at of a lot: ids are hex, as the API gives them."""

    amount_micro: int
    proposer: str
    role: str
    tags: tuple[str, ...]


class Valued(NamedTuple):
    """A lot's weight and worth, and why: players on the way from the viewer, tags that matched, or the role."""

    weight_q16: int
    value_micro: int
    path: tuple[str, ...]


def by_trust(lots: Sequence[Origin], me: str, vouches: Iterable[tuple[str, str]]) -> list[Valued]:
    """By who played: half for each vouch between the viewer and that player, nothing beyond HOPS_MAX or without one."""
    paths = paths_from(me, vouches)
    return [_valued(lot, _trust(paths.get(lot.proposer)), paths.get(lot.proposer, ())) for lot in lots]


def by_tags(lots: Sequence[Origin], wanted: Mapping[str, int], otherwise_q16: int = 0) -> list[Valued]:
    """By the tags of the session: the highest weight among those wanted; `otherwise_q16` where none is."""
    found = []
    for lot in lots:
        matched = sorted((tag for tag in lot.tags if tag in wanted), key=lambda tag: (-wanted[tag], tag))
        found.append(_valued(lot, wanted[matched[0]] if matched else otherwise_q16, tuple(matched)))
    return found


def by_provenance(lots: Sequence[Origin], roles: Roles = BY_ROLE) -> list[Valued]:
    """By how the viewer came by it."""
    return [_valued(lot, roles.get(lot.role, 0), (lot.role,)) for lot in lots]


def paths_from(me: str, vouches: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The shortest way from a player over vouches to each it reaches in HOPS_MAX steps; of several the lowest ids."""
    says: dict[str, set[str]] = {}
    for one, other in vouches:
        says.setdefault(one, set()).add(other)
    paths: dict[str, tuple[str, ...]] = {me: (me,)}
    waiting = deque([me])
    while waiting:
        at = waiting.popleft()
        if len(paths[at]) > HOPS_MAX:
            continue
        for friend in sorted(says.get(at, ())):
            if friend not in paths:
                paths[friend] = (*paths[at], friend)
                waiting.append(friend)
    return paths


def _trust(path: tuple[str, ...] | None) -> int:
    return 0 if path is None else ONE_Q16 >> (len(path) - 1)


def _valued(lot: Origin, weight_q16: int, path: tuple[str, ...]) -> Valued:
    return Valued(weight_q16, lot.amount_micro * weight_q16 // ONE_Q16, path)
