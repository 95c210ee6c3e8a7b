"""What came and went of a player's coins, and why; and what did not count, and why not (docs/wallet.md).

Rows follow from the ledger as it is now, so what it takes back is gone from here too. A final checkpoint has settled
what came before it: the ledger knows no more of it, and the journal (node/shell/journal.py) remembers the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from consensus.accounts import Funding, Spent
from consensus.checkpoint import NO_VALUE
from consensus.explain import explain_verdict, jam, share
from consensus.lots import Role
from consensus.ops import WORDS, Transfer
from consensus.state import BlockState
from consensus.verdict import Standing, Status, status_of
from crdt.types import BlockId, Epoch, PlayerId, Window, short
from node.engine.duties import Outcome
from node.engine.engine import Engine
from node.shell.journal import Journal
from node.shell.purse import origin_of

Doc = dict[str, Any]
MOVES = {"transfer": "sent", "stake": "staked", "unstake": "unstaked"}
EMPTY: Doc = {
    "block": None, "proposer": "", "from": None, "to": None, "memo": "", "entry": None,
    "amount_micro": 0, "moved_micro": 0, "counted": True,
}  # fmt: skip


def history(
    engine: Engine,
    now_us: int,
    limit: int,
    before: int | None = None,
    guest: PlayerId | None = None,
    journal: Journal | None = None,
) -> Doc:
    """`symjam.history/1`: rows by number, newest first, those below `before` if it is given."""
    rows = _numbered(engine, now_us, guest or engine.player, journal)
    below = [row for row in reversed(rows) if before is None or row["number"] < before][:limit]
    if journal is not None and len(below) < limit:
        first = rows[0]["number"] if rows else (journal.last or {"number": 0})["number"] + 1
        below += journal.page(first if before is None else min(first, before), limit - len(below))
    return {"schema": "symjam.history/1", "items": below}


def settle(engine: Engine, now_us: int, epoch: Epoch, journal: Journal) -> None:
    """Keep the rows up to the end of an epoch, of which a checkpoint is final: the ledger is about to forget them."""
    rows = [row for row in _numbered(engine, now_us, engine.player, journal) if row["epoch"] <= epoch]
    closed = {"role": "unpaid", "why": "closed undecided: a checkpoint holds that"}
    journal.keep({**row, **closed} if row["role"] == "pending" else row for row in rows)


def _numbered(engine: Engine, now_us: int, player: PlayerId, journal: Journal | None) -> list[Doc]:
    """What the ledger tells, after what the journal does."""
    last = journal.last if journal is not None else None
    number, balance = (last["number"], last["balance_micro"]) if last else (0, 0)
    rows = list(_History(engine, player, now_us).rows(balance, last is not None))
    for row in rows:
        number, balance = number + 1, balance + row["amount_micro"]
        row["number"], row["balance_micro"] = number, balance
    return rows


class _History:
    """One player's, by epoch; within one what its owner did, what is taken, what others paid, then its windows."""

    def __init__(self, engine: Engine, player: PlayerId, now_us: int) -> None:
        self._engine, self._ledger, self._p = engine, engine.ledger, engine.params
        self._me, self._now_us = player, now_us
        base = engine.ledger.base
        self._since = Epoch(base.epoch + 1 if base != NO_VALUE else 0)

    def rows(self, known_micro: int, is_continued: bool) -> Iterator[Doc]:
        windows = sorted([*self._earned(), *self._unpaid(), *self._refused()], key=lambda row: row["window"])
        found = [*self._own(), *self._burned(), *self._received(), *windows]
        yield from self._carried(known_micro, is_continued)
        yield from (row for row in sorted(found, key=lambda row: row["epoch"]) if row["epoch"] >= self._since)

    def _row(self, epoch: Epoch, role: str, why: str, window: int | None = None, **more: Any) -> Doc:
        last = (epoch + 1) * self._p.epoch_windows - 1
        return {"epoch": epoch, "window": last if window is None else window, "role": role, **EMPTY, **more, "why": why}

    def _carried(self, known_micro: int, is_continued: bool) -> Iterator[Doc]:
        """What a checkpoint says is held, beyond what is remembered of how it came."""
        if self._since == 0:
            return
        epoch = Epoch(self._since - 1)
        account, coming = self._ledger.account(self._me, epoch)
        beyond = account.total_micro + coming.total_micro - known_micro
        if beyond:
            held = "held when a checkpoint became final; it is settled, and what it came from is not kept here"
            why = "a checkpoint says so; this node had seen it otherwise, or not at all" if is_continued else held
            yield self._row(epoch, "carried", why, amount_micro=beyond)

    def _own(self) -> Iterator[Doc]:
        for one in self._ledger.spends(self._me):
            op, moved = one.op, sum(lot.amount_micro for lot in one.op.lots)
            role, funded = MOVES[type(op).__name__.lower()], one.funding is Funding.FUNDED
            more: Doc = {"entry": one.source.entry.hex(), "moved_micro": moved, "counted": funded}
            why = f"{jam(moved)} JAM {role}" if funded else _unfunded(one)
            if isinstance(op, Transfer):
                more |= {"to": op.to.hex(), "memo": op.memo, "amount_micro": -moved if funded else 0}
                why = f"sent to {short(op.to)}" if funded else why
            yield self._row(one.source.epoch, role, why, **more)

    def _received(self) -> Iterator[Doc]:
        for one in self._ledger.received(self._me):
            assert isinstance(one.op, Transfer)
            moved, funded = sum(lot.amount_micro for lot in one.op.lots), one.funding is Funding.FUNDED
            giver = one.source.author
            why = f"from {short(giver)}" if funded else f"{short(giver)} wanted to pay; {_unfunded(one)}"
            more: Doc = {
                "from": giver.hex(),
                "memo": one.op.memo,
                "entry": one.source.entry.hex(),
                "moved_micro": moved,
            }
            yield self._row(
                one.source.epoch, "received", why, counted=funded, amount_micro=moved if funded else 0, **more
            )

    def _burned(self) -> Iterator[Doc]:
        lost: Counter[Epoch] = Counter()
        for moved in self._ledger.movements(self._me):
            if moved.amount_micro < 0 and moved.to is None:
                lost[moved.epoch] += moved.amount_micro
        cut = self._ledger.cuts().get(self._me)
        for epoch, amount in lost.items():
            is_fork = cut is not None and cut.epoch == epoch
            why = "two different entries were signed at one place" if is_fork else "a block was rejected as made up"
            yield self._row(epoch, "burned", f"taken from the stake: {why}", amount_micro=amount)

    def _earned(self) -> Iterator[Doc]:
        """What came in and was not paid by anybody: an epoch's coins of one origin are in one sum."""
        given: Counter[tuple[Epoch, BlockId]] = Counter()
        for one in self._ledger.received(self._me):
            if one.funding is Funding.FUNDED:
                given.update({(one.source.epoch, lot.block): lot.amount_micro for lot in one.op.lots})
        for moved in self._ledger.movements(self._me):
            amount = moved.amount_micro - given[moved.epoch, moved.block]
            if moved.amount_micro > 0 and amount:
                yield self._reward(moved.epoch, moved.block, amount)

    def _reward(self, epoch: Epoch, block: BlockId, amount: int) -> Doc:
        origin, role = origin_of(self._engine, block), self._ledger.role_of(self._me, block)
        about: Doc = {"block": block.hex(), "proposer": origin["proposer"], "amount_micro": amount}
        return self._row(epoch, str(role), self._why(role, block, origin), origin["window"], **about)

    def _why(self, role: Role, block: BlockId, origin: Mapping[str, Any]) -> str:
        state = self._ledger.block(block)
        title = f" of {origin['title']!r}" if origin["title"] else ""
        if role is Role.PERFORMED:
            return "others witnessed you in concerts"
        if state is None or state.reward is None:
            return f"from what was minted in window {origin['window']}"
        paid = f"quality {share(state.reward.quality_q16)}, paid {jam(state.reward.paid_micro)} with its verifiers"
        if role is Role.PLAYED:
            return f"you played window {state.window}{title}: {paid}"
        return f"you voted on window {state.window}{title} by {short(state.proposer)}: {paid}"

    def _unpaid(self) -> Iterator[Doc]:
        """Own blocks that brought nothing, or nothing yet."""
        for state in self._ledger.blocks():
            if state.proposer == self._me and state.standing is not Standing.LOCAL:
                yield self._unpaid_block(state)

    def _unpaid_block(self, state: BlockState) -> Doc:
        now = self._p.window_at(self._now_us)
        status = status_of(self._p, state.standing, state.window, now, self._ledger.is_final(state.window))
        role = "pending" if status is Status.PENDING else "unpaid"
        about: Doc = {"block": state.id.hex(), "proposer": state.proposer.hex(), "counted": False}
        why = explain_verdict(state, status)[0]
        return self._row(self._p.epoch_of(state.window), role, why, int(state.window), **about)

    def _refused(self) -> Iterator[Doc]:
        """Windows that this player's own node proposed no block of: known on this machine only."""
        outcomes: Mapping[Window, Outcome] = self._engine.seats.of(self._me).duties.outcomes
        for outcome in outcomes.values():
            if outcome.block is None:
                why = f"no block: {WORDS[outcome.why]}"
                yield self._row(self._p.epoch_of(outcome.window), "refused", why, int(outcome.window), counted=False)


def _unfunded(one: Spent) -> str:
    if one.funding is Funding.CUT or one.missing is None:
        return "it does not count: two different entries stand at one place of its author's log"
    wanted, held = jam(one.missing.amount_micro), jam(one.held_micro)
    return f"it did not happen: {wanted} JAM of {short(one.missing.block)} were named, {held} were there"
