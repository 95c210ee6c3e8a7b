"""Whose entries count, which operations have a place, and whole ledgers with all that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from consensus import vrf
from consensus.chains import Chains, Position
from consensus.content import pack, value_of
from consensus.facts import Facts
from consensus.ledger import Ledger
from consensus.ops import AnyOp, LotRef, Rating
from consensus.params import SMALL
from crdt.canonical import digest
from crdt.entry import Body, Entry
from crdt.types import NO_ENTRY, NO_NONCE, EntryId, Epoch, PlayerId, Seq, Window, ledger_document
from tests.consensus.histories.cast import remembered_proofs
from tests.consensus.histories.check import compare
from tests.consensus.histories.generate import generate
from tests.consensus.histories.scene import History
from tests.consensus.reference.accounts import Account
from tests.consensus.reference.fold import Fold, fold
from tests.vectors.encoding import ALICE, B1, B2, BOB, NETWORK, OPS
from tests.vectors.form import Case, File, changes, plain, though, verdict

Link = tuple[int, int, str, str]  # epoch, seq, name, name of the predecessor ("" for none)
HISTORIES = ((3, 3, 2), (17, 4, 3), (28, 3, 4), (44, 5, 2), (52, 3, 5), (95, 5, 2))  # seed, people, epochs


NAMES = ("chains", "places", "ledgers")


def files() -> list[File]:
    """The files of this module."""
    with remembered_proofs():
        ledgers = [_ledger(generate(*wanted)) for wanted in HISTORIES]
    return [
        File(
            "chains",
            "One author's entries as [epoch, seq, id, prev], and forks proven elsewhere: where the chain is cut.",
            _chains(),
        ),
        File("places", "Operations in the document of an epoch: those that count there (params: small).", _places()),
        File(
            "ledgers",
            "Sets of entries, and all that follows from them, in whatever order they come.",
            ledgers,
            ("ledgers",),
        ),
    ]


def _id(name: str) -> EntryId:
    return EntryId(digest(b"test-entry", name.encode())) if name else NO_ENTRY


def _chains() -> list[Case]:
    given: list[tuple[str, list[Link], list[tuple[int, int]]]] = [
        ("nothing", [], []),
        ("one", [(5, 0, "a", "")], []),
        ("a chain", [(5, 0, "a", ""), (5, 1, "b", "a"), (6, 0, "c", "b"), (9, 0, "d", "c")], []),
        ("two firsts in one epoch", [(5, 0, "a", ""), (5, 0, "b", "")], []),
        ("begun again in a later epoch", [(5, 0, "a", ""), (7, 0, "b", ""), (7, 1, "c", "b")], []),
        ("a fork", [(5, 0, "a", ""), (5, 1, "b", "a"), (5, 1, "c", "a"), (5, 2, "d", "b")], []),
        ("a fork of three", [(5, 1, "b", "a"), (5, 1, "c", "a"), (5, 1, "d", "a")], []),
        ("two forks: the earlier", [(5, 1, "b", "a"), (5, 1, "c", "a"), (4, 2, "d", "x"), (4, 2, "e", "x")], []),
        ("a branch: both sides are cut", [(5, 0, "a", ""), (5, 1, "b", "a"), (6, 0, "c", "a")], []),
        ("a branch of two later epochs", [(5, 0, "a", ""), (6, 0, "b", "a"), (7, 0, "c", "a")], []),
        ("a branch from what nobody has", [(6, 0, "b", "x"), (7, 0, "c", "x")], []),
        ("before its predecessor", [(5, 0, "b", "a"), (6, 0, "a", "")], []),
        ("at the place of its predecessor", [(5, 0, "b", "a"), (5, 0, "a", "")], []),
        ("its own predecessor", [(5, 0, "a", "a")], []),
        ("a gap", [(5, 0, "a", ""), (5, 4, "e", "d")], []),
        ("out of order", [(9, 0, "d", "c"), (5, 1, "b", "a"), (6, 0, "c", "b"), (5, 0, "a", "")], []),
        (
            "a branch beyond a fork is none",
            [(5, 0, "a", ""), (5, 1, "b", "a"), (5, 1, "x", "a"), (6, 0, "c", "b"), (7, 0, "d", "b")],
            [],
        ),
        (
            "a branch before a fork",
            [(5, 0, "a", ""), (5, 1, "b", "a"), (6, 0, "c", "a"), (7, 0, "d", "c"), (7, 0, "e", "c")],
            [],
        ),
        (
            "one side of a branch lies beyond a fork",
            [(5, 0, "a", ""), (5, 1, "b", "a"), (6, 0, "c", "a"), (6, 0, "d", "b")],
            [],
        ),
        ("its predecessor lies beyond a fork", [(5, 3, "b", "a"), (7, 0, "a", "z"), (7, 0, "y", "z")], []),
        ("proven elsewhere", [(5, 0, "a", ""), (5, 1, "b", "a")], [(5, 1)]),
        ("proven later than a branch", [(5, 0, "a", ""), (5, 1, "b", "a"), (6, 0, "c", "a")], [(6, 3)]),
        ("proven before all", [(5, 0, "a", "")], [(2, 7)]),
        ("only proven", [], [(2, 7), (2, 6)]),
        ("the same entry twice", [(5, 0, "a", ""), (5, 0, "a", "")], []),
        ("rings", [(5, 0, "a", "b"), (5, 1, "b", "a")], []),
    ]
    cases = []
    for name, links, proven in given:
        entries = [[epoch, seq, _id(one), _id(prev)] for epoch, seq, one, prev in links]
        cut = _cut(links, proven)
        one = verdict(name, {"entries": entries, "proven": proven}, {"cut": cut})
        cases.append(though(one, "" if cut is None else "cut"))
        assert _cut(links[::-1], proven[::-1]) == cut
    return cases


def _cut(links: Iterable[Link], proven: Iterable[tuple[int, int]]) -> Position | None:
    chains = Chains()
    for epoch, seq, name, prev in links:
        document = ledger_document(Epoch(epoch))
        body = Body(1, NETWORK[:8], document, ALICE.player, NO_NONCE, Seq(seq), _id(prev), (), b"")
        chains.add(Entry(body, _id(name), name.encode()))
    for epoch, seq in proven:
        chains.fork(ALICE.player, Position(Epoch(epoch), Seq(seq)))
    return chains.cut_of(ALICE.player)


def _places() -> list[Case]:
    key = vrf.public_key(ALICE.vrf_seed())
    pulse, opened, closed, block, vote, pay, stake, unstake, vouch, unvouch, report, witness, ballot, wish = OPS
    pulse, vote = _but(pulse, vrf_key=key), _but(vote, proposer=BOB.player)
    at = 210 // SMALL.epoch_windows
    given: list[tuple[str, int, AnyOp]] = [
        (f"{type(op).__name__} in epoch {epoch}", epoch, op)
        for op in (pulse, block, vote)
        for epoch in (at - 1, at, at + 1, at + 2, at + 3)
    ]
    given += [
        ("a pulse without a usable key", at, _but(pulse, vrf_key=bad))
        for bad in (bytes(32), b"\x01" + bytes(31), b"\xff" * 32)
    ]
    given += [
        ("the first window's block", 0, _but(block, window=Window(0))),
        ("a vote on oneself", at, _but(vote, proposer=ALICE.player)),
    ]
    given += [
        ("anywhere", 0, op) for op in (opened, closed, pay, stake, unstake, vouch, unvouch, report, witness, wish)
    ]
    crossed, twice = (LotRef(B2, 1), LotRef(B1, 1)), (LotRef(B1, 1), LotRef(B1, 1))
    for lots in (crossed, twice):
        given += [("lots that do not ascend", 5, _but(op, lots=lots)) for op in (pay, stake, unstake)]
    given.append(("a transfer to oneself", 5, _but(pay, to=ALICE.player)))
    given += [("of oneself", 5, _but(op, player=ALICE.player)) for op in (vouch, report)]
    given.append(("a witness of oneself", 5, _but(witness, performer=ALICE.player)))
    given += [
        ("ratings that do not ascend", 5, _but(witness, ratings=(Rating("b", 1), Rating(tag, 1)))) for tag in ("a", "b")
    ]
    given += [
        ("a checkpoint vote too early, and in time", epoch, ballot)
        for epoch in (0, 7, 7 + SMALL.checkpoint_lag - 1, 7 + SMALL.checkpoint_lag, 900)
    ]
    facts = Facts(SMALL)
    return [
        verdict(
            name,
            {"epoch": epoch, "author": ALICE.player, "op": op},
            facts.has_place(Epoch(epoch), ALICE.player, op) or None,
            "no place",
        )
        for name, epoch, op in given
    ]


def _but(op: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(op, **fields)


def _ledger(history: History) -> Case:
    ledger = Ledger(history.params, history.network)
    for entry in history.entries:
        ledger.add(entry)
    whole = fold(history.params, history.network, history.entries)
    compare(ledger, whole, history.entries)
    given = {"params": changes(history.params), "network": history.network, "entries": [e.raw for e in history.entries]}
    content = ledger.content_at(Epoch(max(whole.ends)))
    ends = {"root": ledger.root(), "content": pack(content), "checkpoint": value_of(history.network, content).digest}
    return verdict(f"history {history.seed}", given, {**_state(whole), **ends})


def _state(whole: Fold) -> dict[str, Any]:
    """The state of a ledger, as another implementation must find it."""
    return {
        "cuts": sorted((author, place) for author, place in whole.cuts.items()),
        "entries": len(whole.entries),
        "blocks": [_block(whole, block) for block in sorted(whole.blocks)],
        "unfunded": sorted(whole.unfunded),
        "end_of": max(whole.ends),
        "accounts": [
            _account(player, account) for player, account in sorted(whole.last.accounts.items()) if account.amounts
        ],
        "minted": whole.last.minted,
        "burned": whole.last.burned,
    }


def _account(player: PlayerId, account: Account) -> dict[str, Any]:
    leaving = [(release, block, amount) for (release, block), amount in sorted(account.leaving.items())]
    heaps = {"free": account.free, "staked": account.staked, "coming": account.coming}
    return {"player": player, **{name: sorted(lots.items()) for name, lots in heaps.items()}, "leaving": leaving}


def _block(whole: Fold, block: Any) -> dict[str, Any]:
    judged, paid = whole.blocks[block], whole.paid[block]
    votes = [(p, plain(v.vote), v.tranche, paid.m[p], paid.w[p]) for p, v in judged.counted.items()]
    return {
        "id": block,
        "proposer": judged.proposer,
        "window": judged.op.window,
        "standing": judged.standing,
        "rivals": judged.rivals,
        "fabricated": judged.fabricated,
        "eligible": judged.eligible,
        "quorum": judged.quorum,
        "open_tranches": judged.open_tranches,
        "votes": votes,
        "ignored": sorted(judged.ignored.items()),
        "points": paid.points,
        "paid": paid.paid,
        "minted": sorted(paid.parts.items()),
    }
