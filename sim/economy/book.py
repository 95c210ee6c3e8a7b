"""The one ledger that all players share: the fold, fed with operations instead of signed entries.

Nothing is worked out here. Operations go where an entry's would go after it was verified (consensus/ledger.py), each as
its author's next; so two that contradict one another are left to the rules. Proofs of having been drawn are taken
at their word: the first 8 bytes stand for the VRF output that a real one would show.
"""

from __future__ import annotations

from collections.abc import Callable

from consensus.chains import Source
from consensus.facts import Facts
from consensus.fold import Fold
from consensus.ops import AnyOp
from consensus.params import Params
from consensus.proofs import Proofs
from consensus.vrf import PROOF_BYTES
from crdt.types import NO_ENTRY, Epoch, NetworkId, PlayerId, Seq

OUTPUT_BYTES = 8


class Word(Proofs):
    """Takes everybody at its word about the draw."""

    def output(self, key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
        """What a proof made by `worded` says."""
        return proof[:OUTPUT_BYTES]


def worded(output: int) -> bytes:
    """A proof that says that its maker's VRF output begins with this 64-bit number."""
    return output.to_bytes(OUTPUT_BYTES, "big") + bytes(PROOF_BYTES - OUTPUT_BYTES)


class Book:
    """Facts, and the fold over them. `said` counts operations; who sets `hear` hears each."""

    def __init__(self, params: Params, network: NetworkId, proofs: Proofs | None) -> None:
        self.params, self.network = params, network
        self.facts = Facts(params)
        self.fold = Fold(params, network, self.facts, proofs)
        self.said = 0
        self.hear: Callable[[PlayerId, Epoch, AnyOp], None] | None = None

    def say(self, author: PlayerId, epoch: Epoch, op: AnyOp) -> None:
        """The next operation of an author, in the document of an epoch; it must have a place there."""
        self.said += 1
        if self.hear is not None:
            self.hear(author, epoch, op)
        self.facts.apply(Source(epoch, Seq(self.said), 0, author, NO_ENTRY), op)
