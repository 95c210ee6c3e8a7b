"""How alike the verifiers of a player's blocks are, and what that costs (SPEC 7).

The decay of w looks at each verifier alone. A closed circle that is larger than a tranche keeps every single m low by
taking turns; what gives it away is that the turns are taken among the same people, so the sets of verifiers overlap.
Their likeness is Jaccard's: how many are in both, of all who are in either.

It costs a quarter at most, because it is not always anyone's fault: in a small band all sets are alike, and the decay
of w tells its members already to go and meet others.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from consensus.params import ONE_Q16, Params
from crdt.errors import Misuse
from crdt.types import PlayerId


def likeness_q16(one: AbstractSet[PlayerId], other: AbstractSet[PlayerId]) -> int:
    """Jaccard's index of two sets of verifiers: 0 when nobody is in both, 65536 when they are the same people."""
    either = len(one | other)
    if not either:
        raise Misuse("nothing is accepted without a vote")
    return len(one & other) * ONE_Q16 // either


def mean_likeness_q16(voters: AbstractSet[PlayerId], recent: Sequence[AbstractSet[PlayerId]]) -> int:
    """How alike the voters of a block are to those of each recent one: the mean, rounded down; 0 without any."""
    if not recent:
        return 0
    return sum(likeness_q16(voters, earlier) for earlier in recent) // len(recent)


def cluster_q16(params: Params, mean_likeness: int) -> int:
    """The factor: 65536 - mean likeness (Q16) * cluster_max, the product rounded down."""
    if not 0 <= mean_likeness <= ONE_Q16:
        raise Misuse("a likeness is a share of one")
    return ONE_Q16 - mean_likeness * params.cluster_max_q16 // ONE_Q16
