"""Whose entries count, which operations have a place, and whole ledgers."""

from __future__ import annotations

from typing import Any

from consensus.accounts import Account, Funding
from consensus.chains import Chains, Position
from consensus.coins import Coins
from consensus.content import pack, value_of
from consensus.facts import Facts
from consensus.ledger import Ledger
from consensus.lots import parts_of
from consensus.ops import AnyOp
from consensus.params import SMALL, Params
from consensus.state import BlockState
from consensus.verdict import Standing
from crdt.entry import Body, Entry, open_entry
from crdt.types import NO_NONCE, PlayerId, ledger_document
from tests.vectors.reading import Refused, Rule, holds, params_of, typed

hexed = bytes.fromhex
AUTHOR = bytes(32)
WORDS = {Standing.PENDING: "pending", Standing.LOCAL: "accepted", Standing.REJECTED: "rejected"}


def _chain(_: Params, given: Any) -> Any:
    chains = Chains()
    for epoch, seq, entry, prev in given["entries"]:
        body = Body(1, bytes(8), ledger_document(epoch), AUTHOR, NO_NONCE, seq, hexed(prev), (), b"")
        chains.add(Entry(body, hexed(entry), b""))
    for epoch, seq in given["proven"]:
        chains.fork(AUTHOR, Position(epoch, seq))
    cut = chains.cut_of(AUTHOR)
    if cut is not None:
        raise Refused("cut", {"cut": cut})
    return {"cut": None}


def _place(_: Params, given: Any) -> Any:
    op = typed(AnyOp, given["op"])
    return holds(Facts(SMALL).has_place(given["epoch"], hexed(given["author"]), op), "no place")


def ledger_of(given: Any) -> Ledger:
    """A ledger that has taken in the entries given."""
    network = hexed(given["network"])
    ledger = Ledger(params_of(given["params"]), network)
    for raw in given["entries"]:
        ledger.add(open_entry(network, hexed(raw)))
    return ledger


def _ledger(_: Params, given: Any) -> Any:
    ledger = ledger_of(given)
    content = ledger.content_at(ledger.last_epoch)
    spends = (spent for player in ledger.players() for spent in ledger.spends(player))
    return {
        "cuts": sorted((author, list(place)) for author, place in ledger.cuts().items()),
        "entries": ledger.entries,
        "blocks": [_block(block) for block in sorted(ledger.blocks(), key=lambda block: block.id)],
        "unfunded": sorted((s.source.entry, s.source.nth) for s in spends if s.funding is Funding.UNFUNDED),
        "end_of": ledger.last_epoch,
        "accounts": [
            _account(player, *ledger.account(player)) for player in ledger.players() if _has_any(ledger, player)
        ],
        "minted": ledger.minted_micro,
        "burned": ledger.burned_micro,
        "root": ledger.root(),
        "content": pack(content),
        "checkpoint": value_of(ledger.network, content).digest,
    }


def _has_any(ledger: Ledger, player: PlayerId) -> bool:
    account, coming = ledger.account(player)
    return bool(account.total_micro + coming.total_micro)


def _account(player: PlayerId, account: Account, coming: Coins) -> Any:
    leaving = [(release, *lot) for release, coins in account.leaving for lot in coins.items()]
    heaps = {"free": account.free, "staked": account.staked, "coming": coming}
    return {"player": player, **{name: list(coins.items()) for name, coins in heaps.items()}, "leaving": leaving}


def _block(block: BlockState) -> Any:
    reward = block.reward
    return {
        "id": block.id,
        "proposer": block.proposer,
        "window": block.window,
        "standing": WORDS[block.standing],
        "rivals": block.rivals,
        "fabricated": block.is_fabricated,
        "eligible": block.eligible,
        "quorum": block.quorum,
        "open_tranches": block.open_tranches,
        "votes": [(v.verifier, v.vote, v.tranche, v.m, v.w_q16) for v in block.votes],
        "ignored": block.ignored,
        "points": reward.points_micro if reward else 0,
        "paid": reward.paid_micro if reward else 0,
        "minted": sorted(parts_of(block.proposer, reward).items()) if reward else [],
    }


RULES: dict[tuple[str, str], Rule] = {
    ("chains", ""): _chain,
    ("places", ""): _place,
    ("ledgers", ""): _ledger,
}
