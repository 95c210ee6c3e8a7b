"""Who is drawn to verify: private sortition by VRF (SPEC 6, notes/consensus.md).

Each eligible player computes its own output on an input that nobody can vary: network, epoch, epoch seed, proposer
and window, but nothing of the block. Were the block in it, a proposer would try other blocks until friends were
drawn. An output below a threshold puts its player into a tranche; the thresholds grow with the tranche's size and
with the player's weight, so that tranches of 7, 21 and 35 are expected, each holding the one before. With few
people the thresholds reach certainty and everyone is in tranche 0.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from consensus import vrf
from consensus.params import Params
from crdt.canonical import digest, encode
from crdt.errors import Misuse
from crdt.types import Digest, Epoch, NetworkId, PlayerId, Window

DOMAIN: Final = "symjam/verifiers/1"
_OUTPUT_RANGE: Final = 2**64


class Draw(NamedTuple):
    """A player's own luck: the tranche it is drawn in, and the proof."""

    tranche: int
    proof: bytes


Seeds = tuple[tuple[Epoch, Digest], ...]  # from which epoch on which checkpoint makes the seed; ascending


def base_of(seeds: Seeds, epoch: Epoch) -> bytes:
    """The digest of the checkpoint that makes an epoch's seed; empty before there is any."""
    return next((base for since, base in reversed(seeds) if since <= epoch), b"")


def seeds_after(seeds: Seeds, epoch: Epoch) -> Seeds:
    """What of it is about later epochs than this."""
    later = tuple(seed for seed in seeds if seed[0] > epoch + 1)
    now = tuple(seed for seed in seeds if seed[0] <= epoch + 1)[-1:]
    return now + later


def epoch_seed(network: NetworkId, epoch: Epoch, base: bytes = b"") -> Digest:
    """The seed of an epoch: a hash of network, epoch number and the checkpoint that makes it, if there is one.

    Chaining hash on hash would be no less foreseeable, and would cost one hash for every epoch since 1970.
    """
    return Digest(digest(b"symjam-seed", network, epoch.to_bytes(8, "big"), base))


def input_of(params: Params, network: NetworkId, proposer: PlayerId, window: Window, seeds: Seeds = ()) -> bytes:
    """The VRF input for one proposer and window."""
    epoch = params.epoch_of(window)
    return encode((DOMAIN, network, epoch, epoch_seed(network, epoch, base_of(seeds, epoch)), proposer, window))


def tranche_of(params: Params, output: bytes, weight: int, total: int) -> int | None:
    """The first tranche that an output draws a player of `weight` among `total` into, or None."""
    if not 0 <= weight <= total or total == 0:
        raise Misuse(f"a weight of {weight} among {total}")
    value = int.from_bytes(output[:8], "big")
    for tranche, size in enumerate(params.tranche_sizes):
        if value < _OUTPUT_RANGE * size * weight // total:
            return tranche
    return None


def draw(params: Params, seed: bytes, alpha: bytes, weight: int, total: int) -> Draw | None:
    """Draw for oneself, with the seed of one's VRF key; None when not chosen."""
    tranche = tranche_of(params, vrf.evaluate(seed, alpha), weight, total)
    return None if tranche is None else Draw(tranche, vrf.prove(seed, alpha))
