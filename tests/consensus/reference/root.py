"""The state's root (docs/rules.md, 11): one hash of all that counts and all that follows."""

from __future__ import annotations

from typing import Any

from consensus.ops import Vote
from consensus.params import Params
from crdt.canonical import digest, encode
from crdt.types import EntryId, NetworkId, PlayerId
from tests.consensus.reference import pay
from tests.consensus.reference.accounts import Account, Lots
from tests.consensus.reference.entries import Place
from tests.consensus.reference.fold import Fold
from tests.consensus.reference.votes import Judged

STANDINGS = {"pending": 0, "accepted": 1, "rejected": 2}


def tree(leaves: dict[bytes, Any], depth: int = 0) -> bytes:
    """Hash of a tree: sixteen branches by the half byte at this depth, until a key is alone."""
    if not leaves:
        return digest(b"symjam-tree", b"\x02")
    if len(leaves) == 1:
        ((key, value),) = leaves.items()
        return digest(b"symjam-tree", b"\x00", key, encode(value))
    there, hashes = 0, b""
    for branch in range(16):
        inside = {key: value for key, value in leaves.items() if int(key.hex()[depth], 16) == branch}
        there = 2 * there + bool(inside)
        hashes += tree(inside, depth + 1) if inside else b""
    return digest(b"symjam-tree", b"\x01", there.to_bytes(2, "big"), hashes)


def root_of(params: Params, network: NetworkId, whole: Fold) -> bytes:
    blocks = {}
    for window, proposer in {(block.op.window, block.proposer) for block in whole.blocks.values()}:
        key = digest(b"symjam-slot", window.to_bytes(8, "big"), proposer)
        ids = sorted(i for i, b in whole.blocks.items() if (b.op.window, b.proposer) == (window, proposer))
        blocks[key] = digest(b"symjam-blocks", encode([_block(params, whole.blocks[i], whole.paid[i]) for i in ids]))
    entries: dict[EntryId, None] = dict.fromkeys(whole.entries)
    cuts: dict[PlayerId, Place] = whole.cuts
    parts = bytes(32), tree(dict(entries)), tree(blocks), tree(_accounts(whole)), tree(dict(cuts))
    return digest(b"symjam-root", network, *parts)


def _accounts(whole: Fold) -> dict[bytes, Any]:
    found: dict[bytes, Any] = {}
    for epoch, end in sorted(whole.ends.items()):
        for player, account in end.accounts.items():
            if account.coming or (epoch, player) in whole.happened:
                found[player] = digest(b"symjam-account", encode(_account(epoch, account)))
    return found


def _account(epoch: int, account: Account) -> list[Any]:
    leaving = []
    for release in sorted({release for release, _ in account.leaving}):
        coins = {block: amount for (at, block), amount in account.leaving.items() if at == release}
        leaving.append([release, _coins(coins)])
    return [epoch, _coins(account.free), _coins(account.staked), leaving, _coins(account.coming)]


def _coins(lots: Lots) -> bytes:
    return tree(dict(lots))


def _block(params: Params, block: Judged, paid: pay.Paid) -> list[Any]:
    votes = [
        [voter, vote.vote, vote.why, vote.tranche, paid.m[voter], paid.w[voter]]
        for voter, vote in sorted(block.counted.items())
    ]
    head = [block.id, block.proposer, block.op, block.entry, STANDINGS[block.standing], block.rivals]
    count = [block.eligible, block.quorum, block.open_tranches]
    return [*head, *count, votes, sorted(block.ignored.items()), _reward(params, block, paid)]


def _reward(params: Params, block: Judged, paid: pay.Paid) -> list[Any] | None:
    if block.standing != "accepted":
        return None
    w = [paid.w[voter] for voter, vote in block.counted.items() if vote.vote is Vote.YES]
    proposer = paid.paid * params.proposer_share_q16 // 65536
    voters = sorted(block.counted)
    each, left = divmod(paid.paid - proposer, len(voters))
    parts = [(voter, each + (left if voter == voters[0] else 0)) for voter in voters]
    minted = [part for part in parts if part[0] not in paid.unpaid]
    terms = [params.base_micro, block.op.quality.total, sum(w) // len(w), paid.recent, paid.likeness, paid.cluster]
    epoch = block.op.window // params.epoch_windows
    budget = params.epoch_budget_micro - pay.budget_of_concerts(params)
    sums = [paid.riff, paid.person, paid.points, epoch, budget, paid.paid, proposer]
    return [*terms, *sums, minted, [part for part in parts if part[0] in paid.unpaid]]
