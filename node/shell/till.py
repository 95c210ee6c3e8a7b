"""The till: what the player asks to be signed, from the plan to what became of it (docs/wallet.md).

The node holds the open key, so whoever reaches its API could spend. Where the key file is under a passphrase, this asks
for it once more before anything is signed, and opens the file itself: nobody's word is taken for it. One try at a time,
each of half a second. The passphrase is kept no longer than that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import trio

from consensus import ops
from consensus.accounts import Funding
from consensus.chains import Position, position_of
from consensus.ops import LotRef, decode_ops
from crdt.canonical import digest
from crdt.entry import Entry, LogKey
from crdt.errors import Refused
from crdt.types import NO_NONCE, Digest, EntryId, Epoch, MicroJam, PlayerId, Window, ledger_epoch
from node.engine.engine import Engine
from node.engine.inputs import Input, Sign
from node.engine.requests import Remembered, Request
from wallet import keystore
from wallet.checks import WillNotCount, is_known, require_counts
from wallet.keyfile import KeyFile, KeyLocked, WrongPassphrase
from wallet.risks import Circumstances, risks
from wallet.wishes import AnyWish, Send, Where, minted_in, ops_of

Doc = dict[str, Any]
FOLLOWED_MAX: Final = 256  # of the entries signed in this run, the latest
NOT_SIGNED: Final = "it was not signed"


class _Followed:
    """When an entry was signed, who has held it since, and how it stood last."""

    def __init__(self, at_us: int) -> None:
        self.at_us = at_us
        self.holders: set[PlayerId] = set()
        self.state = ""


class Till:
    """`give` hands an input to the engine; `settled` returns when what it said is synced."""

    def __init__(
        self,
        engine: Engine,
        now_us: Callable[[], int],
        give: Callable[[Input], None],
        settled: Callable[[], Awaitable[None]],
        keys: Path,
    ) -> None:
        self._engine, self._now_us, self._give, self._settled = engine, now_us, give, settled
        self._keys = keys
        self._trying = trio.CapacityLimiter(1)
        self._started_us = now_us()
        self._followed: dict[EntryId, _Followed] = {}

    def plan(self, wish: AnyWish) -> Doc:
        """`symjam.plan/1`: what would be signed now, and what can still go wrong. Refused when nothing would."""
        signed = self._ops(wish)
        lots = [lot for op in signed if isinstance(op, ops.Spend) for lot in op.lots]
        ledger, me = self._engine.ledger, self._engine.player
        account, coming = ledger.account(me, self._where().epoch)
        amount = sum(lot.amount_micro for lot in lots)
        free = account.free.total_micro
        return {
            "schema": "symjam.plan/1",
            "kind": type(wish).__name__.lower(),
            "player": getattr(wish, "player", None),
            "known": is_known(ledger, PlayerId(bytes.fromhex(wish.player))) if isinstance(wish, Send) else True,
            "session": signed[0].session.hex() if isinstance(signed[0], ops.Witness) else None,
            "memo": getattr(wish, "memo", ""),
            "amount_micro": amount,
            "operations": len(signed),
            "lots": [self._lot(lot) for lot in lots],
            "free_micro": free,
            "coming_micro": coming.total_micro,
            "left_micro": free - (0 if isinstance(signed[0], ops.Unstake) else amount),
            "locked": self._key_file().is_locked,
            "risks": list(risks(self._engine.params, wish, self._circumstances(lots))),
        }

    async def sign(self, wish: AnyWish, passphrase: str | None, number: bytes | None = None) -> Doc:
        """`symjam.operation/1`, once it is saved. Refused; also for a passphrase that is missing or wrong.

        `number`: of the request, 16 bytes. One that is known is answered with what was signed for it: nothing is
        signed then, and so nothing asked for.
        """
        request = Request(number, _asked(wish)) if number is not None else None
        if (known := self._known(request)) is not None:
            return await self._again(known)
        self._ops(wish)  # before half a second is spent on a passphrase
        await self._require_passphrase(passphrase)
        if (known := self._known(request)) is not None:
            return await self._again(known)
        signed = self._ops(wish)  # again: meanwhile something else may have been signed
        before = self._engine.authoring.signed
        self._give(Sign(signed, request))
        last = self._engine.authoring.signed
        assert last is not None and last != before
        while len(self._followed) >= FOLLOWED_MAX:
            del self._followed[next(iter(self._followed))]
        self._followed[last.entry] = _Followed(self._now_us())
        await self._settled()
        return self.operation(last.entry.hex())

    async def requested(self, number: bytes) -> Doc:
        """`symjam.operation/1` of what was signed for a request. Refused when nothing is known to have been."""
        known = self._engine.requests.known(number)
        if known is None:
            why = f"this node knows of nothing signed under {number.hex()[:8]}"
            raise Refused("no-such-request", "no such request", why, "symjam wallet history")
        return await self._again(known)

    def operation(self, entry: str) -> Doc:
        """`symjam.operation/1` of an entry of this player's own. Refused when there is none."""
        found = self._entry(entry)
        if found is None:
            raise Refused(
                "no-such-entry", "no such entry", f"this player's log here has no {entry[:8]}", "symjam wallet history"
            )
        followed = self._follow(found)
        followed.state, words = self._state(found, followed)
        said, _ = decode_ops(found.body.payload)
        epoch = position_of(found).epoch
        return self._operation(found.id, epoch, followed.state, words, followed.holders, said)

    def _operation(
        self,
        entry: EntryId,
        epoch: Epoch,
        state: str,
        words: list[str],
        holders: Collection[PlayerId] = (),
        said: Iterable[ops.AnyOp] = (),
    ) -> Doc:
        return {
            "schema": "symjam.operation/1",
            "entry": entry.hex(),
            "epoch": epoch,
            "state": state,
            "held_by": sorted(player.hex() for player in holders),
            "peers": len(self._engine.peers),
            "operations": [shown(op) for op in said],
            "words": words,
        }

    def _known(self, request: Request | None) -> Remembered | None:
        """What was signed for a request. Refused when that was something else than what is asked."""
        known = self._engine.requests.known(request.number) if request else None
        if request is not None and known is not None and known.asked != request.asked:
            why = f"something else was signed under this request number, as entry {known.entry.hex()[:8]}"
            raise Refused("request-reused", NOT_SIGNED, why, "Choose another number for every request")
        return known

    async def _again(self, known: Remembered) -> Doc:
        await self._settled()  # it may be what another call has just signed
        if self._entry(known.entry.hex()) is not None:
            return self.operation(known.entry.hex())
        epoch = ledger_epoch(known.document)
        if epoch is None or not self._engine.ledger.is_settled(epoch):
            why = (
                f"it was signed, as entry {known.entry.hex()[:8]}, which this node has lost and fetches from its peers"
            )
            raise Refused("not-now", "it is not signed twice", why, "`symjam status` says when this node may sign")
        return self._operation(known.entry, epoch, "settled", _settled("")[1])

    def _ops(self, wish: AnyWish) -> tuple[ops.AnyOp, ...]:
        engine, where = self._engine, self._where()
        if not engine.may_sign(self._now_us()):
            raise Refused("not-now", NOT_SIGNED, engine.why_not(self._now_us()), "`symjam status` says when it may")
        try:
            signed = ops_of(engine.ledger, where, wish)
            require_counts(engine.ledger, engine.player, where.epoch, signed)
        except WillNotCount as error:
            raise Refused(error.reason, NOT_SIGNED, error.why, error.remedy) from error
        return signed

    def _where(self) -> Where:
        now_us, engine = self._now_us(), self._engine
        placed = engine.current_session(now_us)
        epoch = engine.params.epoch_of(engine.params.window_at(now_us))
        return Where(engine.player, epoch, placed.facts.id if placed else None)

    def _lot(self, lot: LotRef) -> Doc:
        window = minted_in(self._engine.ledger, lot.block)
        final = self._engine.ledger.is_final(window)
        return {"block": lot.block.hex(), "amount_micro": lot.amount_micro, "window": window, "final": final}

    def _circumstances(self, lots: list[LotRef]) -> Circumstances:
        engine, now_us = self._engine, self._now_us()
        p, ledger = engine.params, engine.ledger
        unsettled = sum(lot.amount_micro for lot in lots if not ledger.is_final(minted_in(ledger, lot.block)))
        following = Window((p.epoch_of(p.window_at(now_us)) + 1) * p.epoch_windows)
        left_us = p.window_start_us(following) - now_us
        return Circumstances(MicroJam(unsettled), len(engine.peers), -(-left_us // 1_000_000))

    def _key_file(self) -> KeyFile:
        """This player's; put another's there, under no passphrase, and nothing is signed."""
        file = keystore.look(self._keys)
        if file.player != self._engine.player:
            why = f"{file.path} is the key of another player than this node runs as"
            raise Refused("locked", NOT_SIGNED, why, "Put this player's key file back")
        return file

    async def _require_passphrase(self, passphrase: str | None) -> None:
        file = self._key_file()
        if not file.is_locked:
            return
        if passphrase is None:
            why = "the key is under a passphrase, which is asked for before anything is signed"
            raise Refused("locked", NOT_SIGNED, why, "Give it when asked, or by --passphrase-fd")
        try:
            await trio.to_thread.run_sync(partial(file.open, passphrase), limiter=self._trying)
        except (KeyLocked, WrongPassphrase) as wrong:
            raise Refused("wrong-passphrase", NOT_SIGNED, wrong.why, wrong.remedy) from None

    def _entry(self, begins: str) -> Entry | None:
        """The newest of this player's ledger entries whose id begins so."""
        key = LogKey(self._engine.player, NO_NONCE)
        replicas = self._engine.documents.replicas
        epochs = sorted((epoch, name) for name in replicas if (epoch := ledger_epoch(name)) is not None)
        for _, name in reversed(epochs):
            log = replicas[name].logs.get(key)
            for entry in reversed(log.entries if log else ()):
                if entry.id.hex().startswith(begins):
                    return entry
        return None

    def _follow(self, entry: Entry) -> _Followed:
        """Of an entry of an earlier run it is only known that it was signed before this one began."""
        followed = self._followed.get(entry.id) or _Followed(self._started_us)
        for peer in self._engine.peers.values():
            if peer.has_held(entry.body.document, followed.at_us):
                followed.holders.add(peer.player)
        return followed

    def _state(self, entry: Entry, followed: _Followed) -> tuple[str, list[str]]:
        ledger, me, place = self._engine.ledger, self._engine.player, position_of(entry)
        if ledger.is_settled(place.epoch):
            return _settled(followed.state)
        cut = ledger.cuts().get(me)
        if cut is not None and Position(place.epoch, place.seq) >= cut:
            return "cut", ["two different entries of this player stand at one place, so this does not count, for good"]
        fundings = {one.funding for one in ledger.spends(me) if one.source.entry == entry.id}
        if Funding.UNFUNDED in fundings:
            return "unfunded", [
                "one of its lots was not there after all, so nothing happened; the coins that are there stay"
            ]
        if not followed.holders:
            return "pending", ["saved here, and nobody else is known to have it yet"]
        count = len(followed.holders)
        words = [f"counted here, and held by {count} other{'' if count == 1 else 's'}"]
        if not self._engine.params.founders:
            return "local", [*words, "this network has no founders, so nothing in it is ever final"]
        return "local", [*words, "not final: that takes a checkpoint, in some epochs' time"]


def _asked(wish: AnyWish) -> Digest:
    return Digest(digest(b"symjam-wish", msgspec.json.encode(wish, order="deterministic")))


def _settled(before: str) -> tuple[str, list[str]]:
    if before in ("cut", "unfunded"):
        return before, ["it did not count, and a checkpoint holds that"]
    if before:
        return "final", ["a checkpoint holds it: nobody can undo it"]
    return "settled", ["a checkpoint holds what became of it: see the history"]


def shown(op: ops.AnyOp) -> Doc:
    """One operation, of docs/api.md: `Said`."""
    about = getattr(op, "to", None) or getattr(op, "player", None) or getattr(op, "performer", None)
    amount = sum(lot.amount_micro for lot in op.lots) if isinstance(op, ops.Spend) else 0
    kind = type(op).__name__.lower()
    return {
        "kind": "send" if kind == "transfer" else kind,
        "player": about.hex() if about else None,
        "amount_micro": amount,
        "memo": op.memo if isinstance(op, ops.Transfer) else "",
    }
