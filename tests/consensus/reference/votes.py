"""Who may verify, who is drawn, and what their votes make of a block (docs/rules.md, 4 to 6)."""

from __future__ import annotations

from typing import NamedTuple

from consensus import vrf
from consensus.ops import FABRICATED, Attest, Block, Pulse, Vote, Why, block_id
from consensus.params import Params
from crdt.canonical import digest, encode
from crdt.types import BlockId, EntryId, NetworkId, PlayerId
from tests.consensus.reference.entries import Said


class Judged(NamedTuple):
    """A block and its verdict. `counted` holds the votes that count, by voter."""

    id: BlockId
    proposer: PlayerId
    op: Block
    entry: EntryId
    standing: str  # pending, accepted, rejected
    fabricated: bool
    rivals: int
    eligible: int
    quorum: int
    open_tranches: int
    riff: bool  # whether it counts
    counted: dict[PlayerId, Attest]
    ignored: dict[PlayerId, int]  # why not: see docs/rules.md, 11


def first_pulses(said: list[Said], params: Params, epoch: int, window: int | None = None) -> dict[PlayerId, Pulse]:
    """Everybody's first pulse of an epoch, or of one window."""
    found: dict[PlayerId, Pulse] = {}
    for s in said:
        if isinstance(s.op, Pulse) and s.epoch == epoch and window in {None, s.op.window}:
            found.setdefault(s.author, s.op)
    return found


def electors(
    said: list[Said], params: Params, window: int, proposer: PlayerId, weights: dict[PlayerId, int]
) -> dict[PlayerId, tuple[int, bytes]]:
    """Weight and VRF key of those who may verify. `weights` are those at the end of two epochs before."""
    epoch = window // params.epoch_windows
    for pulses in (first_pulses(said, params, epoch - 2), first_pulses(said, params, epoch, window)):
        found = {p: (weights[p], pulse.vrf_key) for p, pulse in pulses.items() if p != proposer and weights[p] > 0}
        if found:
            return found
    return {}


def seed_of(network: NetworkId, epoch: int, base: bytes = b"") -> bytes:
    return digest(b"symjam-seed", network, epoch.to_bytes(8, "big"), base)


def alpha_of(params: Params, network: NetworkId, proposer: PlayerId, window: int, base: bytes = b"") -> bytes:
    epoch = window // params.epoch_windows
    seed = seed_of(network, epoch, base)
    return encode(("symjam/verifiers/1", network, epoch, seed, proposer, window))


def tranche_of(params: Params, output: bytes, weight: int, total: int) -> int | None:
    value = int.from_bytes(output[:8], "big")
    for tranche, size in enumerate(params.tranche_sizes):
        if value * total < 2**64 * size * weight:
            return tranche
    return None


def judged_in(
    said: list[Said],
    params: Params,
    network: NetworkId,
    slot: tuple[int, PlayerId],
    weights: dict[PlayerId, int],
    base: bytes,
    under_review: bool,
) -> list[Judged]:
    """The blocks of one slot, by id, with their verdicts."""
    window, proposer = slot
    blocks: dict[BlockId, tuple[EntryId, Block]] = {}
    for s in said:
        if isinstance(s.op, Block) and (s.op.window, s.author) == slot:
            blocks.setdefault(block_id(proposer, s.op), (s.entry, s.op))
    signed: dict[PlayerId, list[Attest]] = {}
    for s in said:
        if isinstance(s.op, Attest) and (s.op.window, s.op.proposer) == slot:
            signed.setdefault(s.author, []).append(s.op)
    who = electors(said, params, window, proposer, weights)
    alpha = alpha_of(params, network, proposer, window, base)
    total = sum(weight for weight, _ in who.values())
    found = []
    for block in sorted(blocks):
        valid: dict[PlayerId, Attest] = {}
        ignored: dict[PlayerId, int] = {}
        for voter, votes in signed.items():
            fault = _fault(params, block, votes, who.get(voter), alpha, total)
            if fault:
                ignored[voter] = fault
            else:
                valid[voter] = votes[0]
        judged = _judge(params, block, proposer, *blocks[block], len(blocks) - 1, len(who), valid, under_review)
        ignored.update({voter: 5 for voter in valid if voter not in judged.counted})
        found.append(judged._replace(ignored=ignored))
    return found


def _fault(
    params: Params, block: BlockId, votes: list[Attest], elector: tuple[int, bytes] | None, alpha: bytes, total: int
) -> int:
    """Why a voter's votes on the slot do not count for a block; 0 when the first of them does."""
    if any((vote.block, vote.vote) != (votes[0].block, votes[0].vote) for vote in votes):
        return 3
    if votes[0].block != block:
        return 4
    if elector is None:
        return 1
    weight, key = elector
    output = vrf.verify(key, alpha, votes[0].proof)
    return 0 if output is not None and tranche_of(params, output, weight, total) == votes[0].tranche else 2


def _judge(
    params: Params,
    block: BlockId,
    proposer: PlayerId,
    entry: EntryId,
    op: Block,
    rivals: int,
    eligible: int,
    valid: dict[PlayerId, Attest],
    under_review: bool,
) -> Judged:
    q = -(-2 * min(params.quorum_of, eligible) // 3)
    tranches = len(params.tranche_sizes)
    opened = tranches if under_review else 1
    while opened < tranches:
        there = [vote for vote in valid.values() if vote.tranche < opened]
        so_far = [vote.vote for vote in there]
        if so_far.count(Vote.YES) >= q and Vote.NO not in so_far and not _doubts(op, there):
            break
        opened += 1
    counted = {voter: valid[voter] for voter in sorted(valid) if valid[voter].tranche < opened}
    votes = [vote.vote for vote in counted.values()]
    yes, no, late = votes.count(Vote.YES), votes.count(Vote.NO), votes.count(Vote.TOO_LATE)
    if q == 0:
        standing = "pending"
    elif yes >= q and 3 * yes >= 2 * (yes + no):
        standing = "accepted"
    else:
        standing = "rejected" if no + late >= q else "pending"
    doubts = _doubts(op, list(counted.values()))
    riff = op.riff and q > 0 and yes - doubts >= q and 3 * (yes - doubts) >= 2 * (yes + no)
    if rivals:
        standing = "rejected"
    bad = sum(1 for vote in counted.values() if vote.vote is Vote.NO and vote.why in FABRICATED)
    fabricated = standing == "rejected" and bad >= max(q, 1) and 3 * bad >= 2 * len(counted)
    return Judged(block, proposer, op, entry, standing, fabricated, rivals, eligible, q, opened, riff, counted, {})


def _doubts(op: Block, votes: list[Attest]) -> int:
    """Those who say yes to a block, and that its riff rests on pulses other than they see."""
    return sum(1 for vote in votes if op.riff and vote.vote is Vote.YES and vote.why is Why.RIFF_PULSES)
