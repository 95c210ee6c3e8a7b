"""Blocks, and what became of this player's own windows."""

from __future__ import annotations

from typing import Literal

import msgspec

from node.shapes.common import Hex, Micro, Shape


class Quality(Shape, frozen=True):
    """The six measures and what they come to, each a share of 65536 (docs/quality.md)."""

    liveness: int
    accuracy: int
    diversity: int
    harmony: int
    humanness: int
    originality: int
    total: int


class BlockVote(Shape, frozen=True):
    """What one verifier said of a block; `m` and `w_q16` are the terms of the reward that it counts with."""

    verifier: Hex
    vote: Literal["yes", "no", "too-late"]
    why: str
    words: str
    tranche: int
    m: int
    w_q16: int


class Ignored(Shape, frozen=True):
    """A vote that does not count, and why."""

    verifier: Hex
    why: str


class Reward(Shape, frozen=True):
    """What a block is paid, term by term (docs/rules.md)."""

    base_micro: Micro
    quality_q16: int
    mean_w_q16: int
    recent: int
    likeness_q16: int
    cluster_q16: int
    riff_q16: int
    person_q16: int
    points_micro: Micro
    epoch: int
    epoch_points_micro: Micro
    epoch_budget_micro: Micro
    paid_micro: Micro
    proposer_micro: Micro
    verifiers: dict[Hex, Micro]
    unminted: dict[Hex, Micro]
    words: list[str]


class Block(Shape, frozen=True):
    """One player's window, proposed to be paid."""

    id: Hex
    proposer: Hex
    window: int
    epoch: int
    session: Hex
    document: str
    first: int
    last: int
    root: Hex
    quality: Quality
    state: Literal["pending", "local", "final", "rejected", "closed"]
    fabricated: bool
    eligible: int
    quorum: int
    votes: list[BlockVote]
    ignored: list[Ignored]
    reward: Reward | None
    words: list[str]


class OwnWindow(Shape, frozen=True):
    """What became of a window of this player's own."""

    window: int
    outcome: Literal["proposed", "refused", "silent"]
    block: Hex | None
    why: str
    words: str
    events: int
    measures: Quality | None
    explain: list[str]


class Blocks(Shape, frozen=True, tag_field="schema", tag="symjam.blocks/1"):
    """Blocks, newest first. `windows`: of `symjam blocks` alone."""

    blocks: list[Block]
    windows: list[OwnWindow] | msgspec.UnsetType = msgspec.UNSET


class OneBlock(Shape, frozen=True, tag_field="schema", tag="symjam.block/1"):
    """The block whose id begins so."""

    block: Block


class Windows(Shape, frozen=True, tag_field="schema", tag="symjam.windows/1"):
    """This player's own windows, newest first."""

    windows: list[OwnWindow]
