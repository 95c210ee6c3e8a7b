"""Whether what a player wants to sign would count: asked before anything is signed (docs/wallet.md).

The rules ignore what makes no sense and say so to nobody: a payment of coins that are not there, a vouch that stands
already. The ledger is public and for good, so a wallet says it beforehand. These are no rules of the network's: they
look at what this node knows now, and may be wrong about what it does not know yet.
"""

from __future__ import annotations

from enum import StrEnum

from consensus.accounts import EMPTY, Account, Funding, spent
from consensus.chains import Source
from consensus.coins import NO_COINS
from consensus.ledger import Ledger
from consensus.opinions import Pair
from consensus.ops import AnyOp, Opinion, Report, Spend, Transfer, Unstake, Unvouch, Vouch, Witness
from consensus.spends import is_ascending
from crdt.errors import Misuse
from crdt.types import NO_ENTRY, Epoch, PlayerId, Seq, short

NO_BLOCK = bytes(32)


class Cannot(StrEnum):
    """Why something would not count. The values are part of the API's error documents."""

    TOO_LITTLE = "too-little"
    TOO_SCATTERED = "too-scattered"  # in more lots than one entry can name
    UNKNOWN_LOT = "unknown-lot"
    ONESELF = "oneself"
    UNKNOWN_PLAYER = "unknown-player"
    UNKNOWN_SESSION = "unknown-session"
    UNKNOWN_BLOCK = "unknown-block"
    SAID_ALREADY = "said-already"
    NEVER_SAID = "never-said"
    MALFORMED = "malformed"
    NOT_NOW = "not-now"  # this node may not sign


class WillNotCount(Misuse):
    """It is not signed, because it would not count."""

    def __init__(self, reason: Cannot, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.reason, self.why, self.remedy = reason, why, remedy


def require_counts(ledger: Ledger, author: PlayerId, epoch: Epoch, ops: tuple[AnyOp, ...]) -> None:
    """WillNotCount unless each of these would, written by this author, in this order, into the document of an epoch."""
    if not ops:
        raise WillNotCount(Cannot.MALFORMED, "there is nothing to sign")
    account, _ = ledger.account(author, epoch)
    for op in ops:
        if isinstance(op, Spend):
            account = _require_funds(ledger, author, epoch, account, op)
        elif isinstance(op, Opinion):
            _require_new(ledger, author, epoch, op)
        else:
            raise WillNotCount(Cannot.MALFORMED, f"a {type(op).__name__.lower()} is nothing that is signed by command")


def is_known(ledger: Ledger, player: PlayerId) -> bool:
    """Whether this ledger has anything of a player, or for it."""
    return ledger.last_entry(player) is not None or ledger.account(player) != (EMPTY, NO_COINS)


def _require_funds(ledger: Ledger, author: PlayerId, epoch: Epoch, account: Account, op: Spend) -> Account:
    """The account after it."""
    if isinstance(op, Transfer) and op.to == author:
        raise WillNotCount(Cannot.ONESELF, "nobody pays oneself", "Give another player's key")
    if not (op.lots and is_ascending(op.lots) and all(lot.amount_micro > 0 for lot in op.lots)):
        raise WillNotCount(Cannot.MALFORMED, "its lots must ascend by block, each once, each more than nothing")
    came = spent(ledger.params, account, Source(epoch, Seq(0), 0, author, NO_ENTRY), op)
    if came.funding is not Funding.FUNDED:
        assert came.missing is not None
        where = "staked" if isinstance(op, Unstake) else "free"
        raise WillNotCount(
            Cannot.UNKNOWN_LOT, f"of what {short(came.missing.block)} minted not so much is {where} in this account now"
        )
    return came.after


def _require_new(ledger: Ledger, author: PlayerId, epoch: Epoch, op: Opinion) -> None:
    about = op.performer if isinstance(op, Witness) else op.player
    if about == author:
        raise WillNotCount(Cannot.ONESELF, "nobody vouches for, reports or witnesses oneself", "Name another player")
    if not is_known(ledger, about):
        raise unknown_player(about)
    if isinstance(op, Witness):
        _require_sight(ledger, author, op)
    elif isinstance(op, Report):
        _require_report(ledger, author, epoch, op)
    else:
        stands = Pair(author, about) in ledger.opinions.vouches(epoch)
        if isinstance(op, Vouch) and stands:
            raise WillNotCount(Cannot.SAID_ALREADY, f"your vouch for {short(about)} stands already")
        if isinstance(op, Unvouch) and not stands:
            raise WillNotCount(Cannot.NEVER_SAID, f"you do not vouch for {short(about)}")


def _require_sight(ledger: Ledger, author: PlayerId, op: Witness) -> None:
    if not ledger.opinions.has_place(author, op):
        raise WillNotCount(Cannot.MALFORMED, "ratings ascend by tag, each tag once")
    if ledger.session(op.session) is None:
        raise WillNotCount(
            Cannot.UNKNOWN_SESSION, f"no session {short(op.session)} is known here", "`symjam status` names the one on"
        )
    if ledger.opinions.has_witnessed(author, op.session, op.performer):
        raise WillNotCount(Cannot.SAID_ALREADY, f"you have witnessed {short(op.performer)} in this session already")


def _require_report(ledger: Ledger, author: PlayerId, epoch: Epoch, op: Report) -> None:
    if author in ledger.opinions.reports(epoch).get(op.player, {}):
        why = f"you have reported {short(op.player)} in this epoch, and it counts once"
        raise WillNotCount(Cannot.SAID_ALREADY, why, "Report again in the next epoch, if there is cause")
    block = ledger.block(op.block)
    if op.block != NO_BLOCK and (block is None or block.proposer != op.player):
        why = f"no block {short(op.block)} of {short(op.player)} is known here"
        raise WillNotCount(Cannot.UNKNOWN_BLOCK, why, "`symjam blocks` lists them; a report needs none")


def unknown_player(player: PlayerId) -> WillNotCount:
    """Nobody of this key was ever heard of here."""
    why = f"nobody here has heard of {short(player)}"
    return WillNotCount(Cannot.UNKNOWN_PLAYER, why, "Check the key; who has just come is known after the next window")
