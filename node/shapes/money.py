"""A player's coins: what it holds, how it came to that, what would be signed, and what became of what was."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from node.shapes.common import Hex, Micro, Shape

Place = Literal["free", "coming", "staked", "leaving"]
HowEarned = Literal["played", "attested", "performed", "received"]
Pair = Annotated[list[Hex], Meta(min_length=2, max_length=2, description="[by, for]")]


class WalletLot(Shape, frozen=True):
    """Coins of one origin. What concerts paid has no session."""

    block: Hex
    amount_micro: Micro
    window: int
    session: Hex | None
    title: str
    tags: list[str]
    proposer: str
    role: HowEarned
    place: Place
    attested_by: list[Hex]
    release_epoch: int | None


class MissingLot(Shape, frozen=True):
    """What of a spending was not there when it should have been spent."""

    block: Hex
    amount_micro: Micro
    held_micro: Micro


class Spending(Shape, frozen=True, rename={"from_": "from"}):
    """A transfer, a stake or an unstake, from or to this player."""

    epoch: int
    kind: Literal["transfer", "stake", "unstake"]
    from_: Annotated[Hex, Meta(description="who signed it")]
    to: Hex | None
    memo: str
    amount_micro: Micro
    state: Literal["done", "unfunded", "cut"]
    missing: MissingLot | None


class Wallet(Shape, frozen=True, tag_field="schema", tag="symjam.wallet/1"):
    """What this player holds. The balance is what is free, or coming in and free from the next epoch on."""

    player: Hex
    balance_micro: Micro
    coming_micro: Micro
    staked_micro: Micro
    leaving_micro: Micro
    pending_blocks: int
    lots: list[WalletLot]
    operations: list[Spending]


class HistoryRow(Shape, frozen=True, rename={"from_": "from"}):
    """What came, went or did not count, and why; numbered from 1, the oldest."""

    number: int
    epoch: int
    window: int
    role: str
    counted: bool
    why: str
    amount_micro: Micro
    moved_micro: Micro
    balance_micro: Micro
    block: Hex | None
    proposer: str
    from_: Hex | None
    to: Hex | None
    memo: str
    entry: Hex | None


class History(Shape, frozen=True, tag_field="schema", tag="symjam.history/1"):
    """Newest first."""

    items: list[HistoryRow]


class PlanLot(Shape, frozen=True):
    """Coins that would be named."""

    block: Hex
    amount_micro: Micro
    window: int
    final: bool


class Plan(Shape, frozen=True, tag_field="schema", tag="symjam.plan/1"):
    """What would be signed for a wish now; `risks`: what can still go wrong, the worst first."""

    kind: str
    player: Hex | None
    known: bool
    session: Hex | None
    memo: str
    amount_micro: Micro
    operations: int
    lots: list[PlanLot]
    free_micro: Micro
    coming_micro: Micro
    left_micro: Micro
    locked: bool
    risks: list[str]


class Said(Shape, frozen=True):
    """One operation of an entry."""

    kind: str
    player: Hex | None
    amount_micro: Micro
    memo: str


class SignedEntry(Shape, frozen=True, tag_field="schema", tag="symjam.operation/1"):
    """An entry of this player's own, and how it stands."""

    entry: Hex
    epoch: int
    state: Literal["pending", "local", "final", "unfunded", "cut", "settled"]
    held_by: list[Hex]
    peers: int
    operations: list[Said]
    words: list[str]


class Vouches(Shape, frozen=True, tag_field="schema", tag="symjam.vouches/1"):
    """Who vouches for whom, as far as this player's own vouches lead."""

    player: Hex
    vouches: list[Pair]
