"""Operations: what a ledger entry says (SPEC 8).

A ledger entry's payload is a list of operations, each the canonical bytes of `[tag, ...]`. Each is decoded by itself:
an operation of a later version, or a malformed one, is kept in the log and skipped by the fold, so that old nodes
and new ones still agree about everything both understand.

Operations are values that refer to nothing but values: the cycle collector need not walk through them (`gc=False`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, digest, encode
from crdt.errors import Misuse, Violation
from crdt.limits import LOTS_PER_OP_MAX, OPS_PER_ENTRY_MAX, PAYLOAD_MAX_BYTES, PULSE_REFS_MAX
from crdt.types import (
    BlockId,
    BlockIdField,
    DigestField,
    DocumentField,
    EntryIdField,
    Epoch,
    MicroJam,
    MicrosField,
    NonceField,
    PlayerId,
    PlayerIdField,
    SeqField,
    SessionId,
    SessionIdField,
    Window,
    WindowField,
)

Q16Field = Annotated[int, Meta(ge=0, le=65_536)]
AmountField = Annotated[MicroJam, Meta(ge=1, le=2**60)]
EpochField = Annotated[Epoch, Meta(ge=0, le=2**40)]


class Vote(IntEnum):
    """What a verifier says of a block."""

    NO = 0
    YES = 1
    TOO_LATE = 2


class Why(IntEnum):
    """The reason given with a vote, and the reason a window has no block. Numbers are part of the protocol."""

    FINE = 0
    TOO_FEW_EVENTS = 1
    TOO_FEW_LANES = 2
    TOO_SHORT = 3
    TOO_REGULAR = 4  # deviation from the grid under the human minimum
    TIES = 5  # too many onsets deviate by one and the same amount
    REPLAY = 6
    ROOT_MISMATCH = 7  # the Merkle root is not that of the entries
    SLICE_MISMATCH = 8  # the range leaves out or adds what it must not
    QUALITY_MISMATCH = 9  # the claim is not what the log gives
    MISSING = 10  # the entries could not be had in time
    LATE = 11
    NO_SESSION = 12
    MALFORMED = 13
    RIFF_MISMATCH = 14  # the riff that the block claims was not played
    RIFF_PULSES = 15  # it rests on other pulses than those it must, as with a node that was cut off: yes without it
    ORIGINALITY_MISMATCH = 16  # less original than claimed: no lie, a node that was cut off knows fewer recordings


WORDS: Final[dict[Why, str]] = {
    Why.FINE: "fine",
    Why.TOO_FEW_EVENTS: "too few events",
    Why.TOO_FEW_LANES: "too few different lanes",
    Why.TOO_SHORT: "played for too short a time",
    Why.TOO_REGULAR: "not human: closer to the grid than any person plays",
    Why.TIES: "not human: too many notes off the grid by exactly the same amount",
    Why.REPLAY: "a replay of something already played",
    Why.ROOT_MISMATCH: "the Merkle root does not match the entries",
    Why.SLICE_MISMATCH: "the block leaves out entries of its window",
    Why.QUALITY_MISMATCH: "the claimed quality is not what the entries give",
    Why.MISSING: "the entries could not be fetched in time",
    Why.LATE: "the block came too late",
    Why.NO_SESSION: "the block names no session that was open",
    Why.MALFORMED: "the block contradicts itself",
    Why.RIFF_MISMATCH: "the riff that it claims was not played",
    Why.RIFF_PULSES: "the riff that it claims leaves out players who were there",
    Why.ORIGINALITY_MISMATCH: "less original than it claims, by a recording that its player may not have had",
}
# What cannot come of honest playing and an honest node: a block rejected for it costs stake.
FABRICATED: Final = frozenset(
    {Why.ROOT_MISMATCH, Why.SLICE_MISMATCH, Why.QUALITY_MISMATCH, Why.RIFF_MISMATCH, Why.MALFORMED}
)


class Pulse(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=1, gc=False):
    """I am here in this window; 16 fresh random bytes that nobody knew before (SPEC 6)."""

    window: WindowField
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    vrf_key: Annotated[bytes, Meta(min_length=32, max_length=32)]


class SessionOpen(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=2, gc=False):
    """A jam begins. `t0_us` is the creator's clock at session time 0; tempo in thousandths of a beat per minute."""

    title: Annotated[str, Meta(max_length=80)]
    tempo_mbpm: Annotated[int, Meta(ge=20_000, le=400_000)]
    beats_per_bar: Annotated[int, Meta(ge=1, le=32)]
    subdivision: Annotated[int, Meta(ge=1, le=12)]  # grid steps per beat
    t0_us: MicrosField
    tags: Annotated[tuple[Annotated[str, Meta(max_length=24)], ...], Meta(max_length=8)]


class SessionClose(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=3, gc=False):
    """The creator ends the jam at a session time."""

    session: SessionIdField
    t_us: MicrosField


class PulseRef(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True, gc=False):
    """The entry that carried somebody's pulse."""

    player: PlayerIdField
    entry: EntryIdField


class Measures(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, gc=False):
    """Quality claimed and recomputed, each 0..65536; what they mean is in consensus/quality."""

    liveness: Q16Field
    accuracy: Q16Field
    diversity: Q16Field
    harmony: Q16Field
    humanness: Q16Field
    originality: Q16Field
    total: Q16Field


class Block(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=4, gc=False):
    """I played this in that window: a slice of one of my logs, committed to by a Merkle root of its entry ids."""

    window: WindowField
    session: SessionIdField
    document: DocumentField
    nonce: NonceField
    first: SeqField
    last: SeqField
    head: EntryIdField
    root: DigestField
    quality: Measures
    riff: bool  # the riff that these pulses ask for was played (riff.py)
    pulses: Annotated[tuple[PulseRef, ...], Meta(max_length=PULSE_REFS_MAX)]


class Attest(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=5, gc=False):
    """A chosen verifier's vote on a block, with the proof that it was chosen."""

    block: BlockIdField
    proposer: PlayerIdField
    window: WindowField
    vote: Vote
    why: Why
    tranche: Annotated[int, Meta(ge=0, le=2)]
    proof: Annotated[bytes, Meta(min_length=80, max_length=80)]


class LotRef(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True, gc=False):
    """So much of what one block, or one concert, has minted."""

    block: BlockIdField
    amount_micro: AmountField


Lots = Annotated[tuple[LotRef, ...], Meta(min_length=1, max_length=LOTS_PER_OP_MAX)]  # ascending by block, each once


class Transfer(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=6, gc=False):
    """These coins of mine are somebody else's now."""

    to: PlayerIdField
    lots: Lots
    memo: Annotated[str, Meta(max_length=80)]


class Stake(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=7, gc=False):
    """I answer for what I sign with these coins."""

    lots: Lots


class Unstake(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=8, gc=False):
    """I take them back; they are free after `unbond_epochs`."""

    lots: Lots


class Vouch(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=9, gc=False):
    """I know this player to be a person."""

    player: PlayerIdField


class Unvouch(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=10, gc=False):
    """I do not say so any more."""

    player: PlayerIdField


class Report(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=11, gc=False):
    """Look closely at what this player proposes; `block` is one that made me say so, or 32 zero bytes."""

    player: PlayerIdField
    why: Why
    block: BlockIdField


class Rating(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True, gc=False):
    """What a witness found, by tag, 0 to 5. It pays nobody more or less."""

    tag: Annotated[str, Meta(min_length=1, max_length=24)]
    stars: Annotated[int, Meta(ge=0, le=5)]


class Witness(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=12, gc=False):
    """I saw and heard this player in that session, in the room or from afar. Ratings ascend by tag, each once."""

    session: SessionIdField
    performer: PlayerIdField
    ratings: Annotated[tuple[Rating, ...], Meta(max_length=8)]
    is_remote: bool


class Stage(IntEnum):
    """Which of the two votes of a round on a checkpoint (docs/rules.md, 9)."""

    PREPARE = 0
    COMMIT = 1


class Checkpoint(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=13, gc=False):
    """A vote: what follows the final checkpoint `base` is the state at the end of this epoch, and has this digest.

    The round is the epoch of the document in which it stands. `base` is 32 zero bytes for the first checkpoint.
    """

    epoch: EpochField
    digest: DigestField
    base: DigestField
    stage: Stage


class ParamVote(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=14, gc=False):
    """A wish for other rules: the name of a parameter and a value. It is counted and shown, and changes nothing yet."""

    name: Annotated[str, Meta(min_length=1, max_length=48)]
    value: Annotated[int, Meta(ge=-(2**53), le=2**53)]


AnyOp = (
    Pulse
    | SessionOpen
    | SessionClose
    | Block
    | Attest
    | Transfer
    | Stake
    | Unstake
    | Vouch
    | Unvouch
    | Report
    | Witness
    | Checkpoint
    | ParamVote
)
Spend = Transfer | Stake | Unstake
Opinion = Vouch | Unvouch | Report | Witness
Wish = Checkpoint | ParamVote

_ops: Canonical[AnyOp] = Canonical(AnyOp, PAYLOAD_MAX_BYTES)
_payload: Canonical[tuple[bytes, ...]] = Canonical(
    Annotated[tuple[bytes, ...], Meta(max_length=OPS_PER_ENTRY_MAX)], PAYLOAD_MAX_BYTES
)


def encode_ops(ops: tuple[AnyOp, ...]) -> bytes:
    """The payload of a ledger entry."""
    if len(ops) > OPS_PER_ENTRY_MAX:
        raise Misuse(f"at most {OPS_PER_ENTRY_MAX} operations in one entry")
    return encode(tuple(encode(op) for op in ops))


def decode_ops(payload: bytes) -> tuple[tuple[AnyOp, ...], int]:
    """Operations of a payload in order, and how many were skipped because this version cannot read them."""
    try:
        raw_ops = _payload.decode(payload)
    except Violation:
        return (), 1
    ops: list[AnyOp] = []
    skipped = 0
    for raw in raw_ops:
        try:
            ops.append(_ops.decode(raw))
        except Violation:
            skipped += 1
    return tuple(ops), skipped


def session_id(creator: PlayerId, op: SessionOpen) -> SessionId:
    """Id of a jam: its creator and all that it declares."""
    return SessionId(digest(b"symjam-session", creator, encode(op)))


def block_id(proposer: PlayerId, block: Block) -> BlockId:
    """Id of a block: its proposer and all that it claims."""
    return BlockId(digest(b"symjam-block", proposer, encode(block)))


def window_of(op: AnyOp) -> Window | None:
    """The window an operation is about, if it is about one."""
    return op.window if isinstance(op, Pulse | Block | Attest) else None
