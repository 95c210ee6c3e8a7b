"""What a player may ask a wallet to sign, and the operations that come of it (docs/wallet.md).

A wish says what is wanted: so much to that player. The operations name lots, as the rules want it, and follow from the
wish and the ledger as it is at that moment. The shapes are those of the API's requests (docs/api.md).
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from consensus import ops
from consensus.coins import Coins
from consensus.ledger import Ledger
from crdt.types import BlockId, Epoch, MicroJam, PlayerId, SessionId, Window
from wallet.amounts import format_jam
from wallet.checks import NO_BLOCK, Cannot, WillNotCount, is_known, unknown_player
from wallet.lots import Held, Parts, TooLittle, TooScattered, choose

Hex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Amount = Annotated[int, Meta(ge=1, le=2**60)]
Tag = Annotated[str, Meta(min_length=1, max_length=24)]


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """Something to sign."""


class Send(Wish, frozen=True, tag="send"):
    """Pay a player. `new_player`: also one of whom nobody here has heard."""

    player: Hex
    amount_micro: Amount
    memo: Annotated[str, Meta(max_length=80)] = ""
    new_player: bool = False


class Stake(Wish, frozen=True, tag="stake"):
    """Answer for what one signs with so much."""

    amount_micro: Amount


class Unstake(Wish, frozen=True, tag="unstake"):
    """Take so much of the stake back."""

    amount_micro: Amount


class Vouch(Wish, frozen=True, tag="vouch"):
    """Say that a player is a person one knows."""

    player: Hex


class Unvouch(Wish, frozen=True, tag="unvouch"):
    """Say so no more."""

    player: Hex


class Report(Wish, frozen=True, tag="report"):
    """Ask that a player's blocks be looked at closely. `why`: a reason of consensus/ops.Why, in small letters."""

    player: Hex
    why: Annotated[str, Meta(max_length=32)]
    block: Hex | None = None


class Witness(Wish, frozen=True, tag="witness"):
    """Say that one saw and heard a player in a session; None: the one that is on, or the newest."""

    player: Hex
    session: Hex | None = None
    ratings: Annotated[dict[Tag, Annotated[int, Meta(ge=0, le=5)]], Meta(max_length=8)] = {}
    remote: bool = False


AnyWish = Send | Stake | Unstake | Vouch | Unvouch | Report | Witness
Paying = Send | Stake | Unstake


class Where(NamedTuple):
    """Who wants it, the epoch it will stand in, and the session that is on."""

    player: PlayerId
    epoch: Epoch
    session: SessionId | None


def ops_of(ledger: Ledger, where: Where, wish: AnyWish) -> tuple[ops.AnyOp, ...]:
    """The operations, to stand in one entry. WillNotCount when there can be none."""
    if isinstance(wish, Paying):
        return _payment(wish, _parts(ledger, where, wish))
    about = player_in(wish)
    if isinstance(wish, Vouch | Unvouch):
        return (ops.Vouch(about) if isinstance(wish, Vouch) else ops.Unvouch(about),)
    if isinstance(wish, Report):
        block = BlockId(NO_BLOCK if wish.block is None else bytes.fromhex(wish.block))
        return (ops.Report(about, _reason(wish.why), block),)
    ratings = tuple(ops.Rating(tag, stars) for tag, stars in sorted(wish.ratings.items()))
    return (ops.Witness(_session(ledger, where, wish), about, ratings, wish.remote),)


def player_in(wish: Send | Vouch | Unvouch | Report | Witness) -> PlayerId:
    """Whom a wish is about."""
    return PlayerId(bytes.fromhex(wish.player))


def minted_in(ledger: Ledger, origin: BlockId) -> Window:
    """The window of the block that minted coins, or the last one of a concert's epoch; 0 when it is long forgotten."""
    block, concert = ledger.block(origin), ledger.concert(origin)
    if block is not None:
        return block.window
    return Window(0 if concert is None else (concert.epoch + 1) * ledger.params.epoch_windows - 1)


def _payment(wish: Paying, parts: Parts) -> tuple[ops.AnyOp, ...]:
    if isinstance(wish, Send):
        return tuple(ops.Transfer(player_in(wish), lots, wish.memo) for lots in parts)
    return tuple(ops.Stake(lots) if isinstance(wish, Stake) else ops.Unstake(lots) for lots in parts)


def _parts(ledger: Ledger, where: Where, wish: Paying) -> Parts:
    if isinstance(wish, Send):
        to = player_in(wish)
        if to == where.player:
            raise WillNotCount(Cannot.ONESELF, "nobody pays oneself", "Give another player's key")
        if not (wish.new_player or is_known(ledger, to)):
            raise unknown_player(to)
    account, coming = ledger.account(where.player, where.epoch)
    purse = account.staked if isinstance(wish, Unstake) else account.free
    try:
        return choose(_held(ledger, purse), wish.amount_micro)
    except TooLittle as little:
        raise _too_little(wish, little.held_micro, coming) from None
    except TooScattered as scattered:
        why = "what you have lies in more lots than one entry can name"
        remedy = f"{format_jam(scattered.most_micro)} JAM go at once; then the rest"
        raise WillNotCount(Cannot.TOO_SCATTERED, why, remedy) from None


def _held(ledger: Ledger, coins: Coins) -> list[Held]:
    return [Held(minted_in(ledger, block), block, amount) for block, amount in coins.items()]


def _too_little(wish: Paying, held_micro: MicroJam, coming: Coins) -> WillNotCount:
    word = "staked" if isinstance(wish, Unstake) else "free"
    why = f"{format_jam(held_micro)} JAM are {word} and {format_jam(MicroJam(wish.amount_micro))} were asked for"
    later = (
        "" if isinstance(wish, Unstake) or not coming else f", {format_jam(coming.total_micro)} more in the next epoch"
    )
    return WillNotCount(Cannot.TOO_LITTLE, why + later, "`symjam wallet show` says what is where")


def _reason(word: str) -> ops.Why:
    named = {why.name.lower(): why for why in ops.Why if why is not ops.Why.FINE}
    if word not in named:
        raise WillNotCount(Cannot.MALFORMED, f"{word[:32]!r} is no reason", f"It is one of {', '.join(sorted(named))}")
    return named[word]


def _session(ledger: Ledger, where: Where, wish: Witness) -> SessionId:
    if wish.session is not None:
        return SessionId(bytes.fromhex(wish.session))
    known = ledger.sessions()
    if where.session is None and not known:
        raise WillNotCount(Cannot.UNKNOWN_SESSION, "no session is known here", "Name the one you were at: --session")
    return where.session or known[-1].id
