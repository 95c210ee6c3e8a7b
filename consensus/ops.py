"""Operations: what a ledger entry says (SPEC 8).

A ledger entry's payload is a list of operations, each the canonical bytes of `[tag, ...]`. Each is decoded by itself:
an operation of a later version, or a malformed one, is kept in the log and skipped by the fold, so that old nodes
and new ones still agree about everything both understand.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, digest, encode
from crdt.errors import Misuse, Violation
from crdt.limits import OPS_PER_ENTRY_MAX, PAYLOAD_MAX_BYTES, PULSE_REFS_MAX
from crdt.types import (
    BlockId,
    BlockIdField,
    DigestField,
    DocumentField,
    EntryIdField,
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
}


class Pulse(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=1):
    """I am here in this window; 16 fresh random bytes that nobody knew before (SPEC 6)."""

    window: WindowField
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    vrf_key: Annotated[bytes, Meta(min_length=32, max_length=32)]


class SessionOpen(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=2):
    """A jam begins. `t0_us` is the creator's clock at session time 0; tempo in thousandths of a beat per minute."""

    title: Annotated[str, Meta(max_length=80)]
    tempo_mbpm: Annotated[int, Meta(ge=20_000, le=400_000)]
    beats_per_bar: Annotated[int, Meta(ge=1, le=32)]
    subdivision: Annotated[int, Meta(ge=1, le=12)]  # grid steps per beat
    t0_us: MicrosField
    tags: Annotated[tuple[Annotated[str, Meta(max_length=24)], ...], Meta(max_length=8)]


class SessionClose(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=3):
    """The creator ends the jam at a session time."""

    session: SessionIdField
    t_us: MicrosField


class PulseRef(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True):
    """The entry that carried somebody's pulse."""

    player: PlayerIdField
    entry: EntryIdField


class Measures(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """Quality claimed and recomputed, each 0..65536; what they mean is in consensus/quality."""

    liveness: Q16Field
    accuracy: Q16Field
    diversity: Q16Field
    humanness: Q16Field
    originality: Q16Field
    total: Q16Field


class Block(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=4):
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
    pulses: Annotated[tuple[PulseRef, ...], Meta(max_length=PULSE_REFS_MAX)]


class Attest(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=5):
    """A chosen verifier's vote on a block, with the proof that it was chosen."""

    block: BlockIdField
    proposer: PlayerIdField
    window: WindowField
    vote: Vote
    why: Why
    tranche: Annotated[int, Meta(ge=0, le=2)]
    proof: Annotated[bytes, Meta(min_length=80, max_length=80)]


AnyOp = Pulse | SessionOpen | SessionClose | Block | Attest

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
    return None if isinstance(op, SessionOpen | SessionClose) else op.window
