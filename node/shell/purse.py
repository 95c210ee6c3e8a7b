"""A player's coins as JSON: what it holds and where that came from, and how it came to that (docs/api.md)."""

from __future__ import annotations

from typing import Any, Final

from consensus.accounts import Funding, Spent
from consensus.lots import Lot, Place
from consensus.ops import Stake, Transfer
from consensus.verdict import Standing
from crdt.limits import API_LIST_MAX
from crdt.types import BlockId, Epoch, PlayerId
from node.engine.engine import Engine
from wallet.value import paths_from

Doc = dict[str, Any]
VOUCHES_SHOWN_MAX: Final = 10_000
FUNDING = {Funding.FUNDED: "done", Funding.UNFUNDED: "unfunded", Funding.CUT: "cut"}


def wallet(engine: Engine, guest: PlayerId | None = None) -> Doc:
    """`symjam.wallet/1`: this node's own player's, or a guest's."""
    me = guest or engine.player
    held = engine.ledger.lots(me)
    lots = [_lot(engine, lot) for lot in held]
    lots.sort(key=lambda lot: (-lot["window"], lot["block"], lot["place"]))
    sums = {place: sum(lot.amount_micro for lot in held if lot.place is place) for place in Place}
    spends = [*engine.ledger.spends(me), *engine.ledger.received(me)]
    spends.sort(key=lambda spent: spent.source, reverse=True)
    return {
        "schema": "symjam.wallet/1",
        "player": me.hex(),
        "balance_micro": engine.ledger.balance(me),
        "coming_micro": sums[Place.COMING],
        "staked_micro": sums[Place.STAKED],
        "leaving_micro": sums[Place.LEAVING],
        "pending_blocks": _pending(engine, me),
        "lots": lots,
        "operations": [_operation(spent) for spent in spends[:API_LIST_MAX]],
    }


def _pending(engine: Engine, me: PlayerId) -> int:
    return sum(1 for s in engine.ledger.blocks() if s.proposer == me and s.standing is Standing.PENDING)


def _lot(engine: Engine, lot: Lot) -> Doc:
    return {
        "block": lot.block.hex(),
        "amount_micro": lot.amount_micro,
        **origin_of(engine, lot.block),
        "role": str(lot.role),
        "place": str(lot.place),
        "release_epoch": lot.release,
    }


def origin_of(engine: Engine, origin: BlockId) -> Doc:
    """What minted coins: a block; or an epoch's concerts, which have no session and are dated by the epoch's end."""
    concert, state = engine.ledger.concert(origin), engine.ledger.block(origin)
    if concert is not None or state is None:
        epoch = Epoch(0) if concert is None else concert.epoch
        performer = "" if concert is None else concert.performer.hex()
        return {
            "window": _last_window(engine, epoch),
            "session": None,
            "title": "concerts",
            "tags": [],
            "proposer": performer,
            "attested_by": [],
        }
    facts = engine.ledger.session(state.op.session)
    return {
        "window": int(state.window),
        "session": state.op.session.hex(),
        "title": facts.op.title if facts else "",
        "tags": list(facts.op.tags) if facts else [],
        "proposer": state.proposer.hex(),
        "attested_by": [vote.verifier.hex() for vote in state.votes],
    }


def _last_window(engine: Engine, epoch: Epoch) -> int:
    return (epoch + 1) * engine.params.epoch_windows - 1


def _operation(spent: Spent) -> Doc:
    op = spent.op
    kind = "transfer" if isinstance(op, Transfer) else "stake" if isinstance(op, Stake) else "unstake"
    missing = spent.missing
    return {
        "epoch": spent.source.epoch,
        "kind": kind,
        "from": spent.source.author.hex(),
        "to": op.to.hex() if isinstance(op, Transfer) else None,
        "memo": op.memo if isinstance(op, Transfer) else "",
        "amount_micro": sum(lot.amount_micro for lot in op.lots),
        "state": FUNDING[spent.funding],
        "missing": None
        if missing is None
        else {"block": missing.block.hex(), "amount_micro": missing.amount_micro, "held_micro": spent.held_micro},
    }


def vouches(engine: Engine) -> Doc:
    """`symjam.vouches/1`: who vouches for whom, from this player on; what it does not reach is left out."""
    me = engine.player
    said = sorted(
        (pair.author.hex(), pair.about.hex()) for pair in engine.ledger.opinions.vouches(engine.ledger.last_epoch)
    )
    reached = paths_from(me.hex(), said)
    near = [pair for pair in said if pair[0] in reached]
    return {"schema": "symjam.vouches/1", "player": me.hex(), "vouches": near[:VOUCHES_SHOWN_MAX]}
