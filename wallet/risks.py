"""What can still go wrong with something signed, in words: said before it is signed, not after (docs/wallet.md)."""

from __future__ import annotations

from typing import NamedTuple

from consensus.params import Params
from crdt.types import MicroJam
from wallet.amounts import format_jam
from wallet.wishes import AnyWish, Paying, Report, Send, Stake, Unstake, Unvouch, Vouch


class Circumstances(NamedTuple):
    """What the risk depends on: how much of it is not final yet, linked peers, time until the next epoch."""

    unsettled_micro: MicroJam
    peers: int
    next_epoch_s: int


def risks(params: Params, wish: AnyWish, at: Circumstances) -> tuple[str, ...]:
    """The worst first. Everything that is signed is public, and for good."""
    return (*_of_kind(params, wish, at), *_of_coins(params, wish, at), *_of_mesh(at))


def _of_kind(params: Params, wish: AnyWish, at: Circumstances) -> tuple[str, ...]:
    if isinstance(wish, Send):
        memo = ("everybody can read the memo, for good",) if wish.memo else ()
        return (
            "nobody can take a payment back but the one who is paid",
            f"it can be spent by who is paid from the next epoch on, in {duration(at.next_epoch_s)}",
            *memo,
        )
    if isinstance(wish, Stake):
        cap = format_jam(MicroJam(params.base_micro))
        return (
            "the whole stake is lost when two different entries are signed at one place, as by one key on two machines",
            f"up to {cap} JAM of it for each block that is rejected as made up",
            f"to have it back takes {unbonding(params)} after `unstake`",
        )
    if isinstance(wish, Unstake):
        return (f"it is free in {unbonding(params)}, and can be lost like a stake until then",)
    if isinstance(wish, Vouch | Unvouch):
        counts = "an edge comes of it when both vouch" if params.founders else "it counts only where there are founders"
        return (f"everybody can read it; {counts}",)
    if isinstance(wish, Report):
        return (f"everybody can read it; it counts when {params.reporters_min} unrelated players say so in one epoch",)
    return ("everybody can read it; of one session only the first counts",)


def _of_coins(params: Params, wish: AnyWish, at: Circumstances) -> tuple[str, ...]:
    if not isinstance(wish, Paying):
        return ()
    if not params.founders:
        return (
            "this network has no founders, so nothing is ever final: what minted these coins may be undone when a part "
            "of the mesh comes back that was away, and then nothing of this happens",
        )
    if not at.unsettled_micro:
        return ()
    amount = format_jam(at.unsettled_micro)
    return (f"{amount} JAM of it are not final yet: if what minted them is undone, nothing of this happens",)


def _of_mesh(at: Circumstances) -> tuple[str, ...]:
    if at.peers:
        return ()
    return ("nobody is linked now: others learn of it when somebody is, and until then only this machine has it",)


def unbonding(params: Params) -> str:
    """How long coins are on their way out of a stake."""
    return duration(params.unbond_epochs * params.epoch_windows * params.window_s)


def duration(seconds: int) -> str:
    """A time as people say it, rounded up."""
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{-(-seconds // size)} {word}s"
    return f"{max(1, seconds)} second{'' if seconds <= 1 else 's'}"
