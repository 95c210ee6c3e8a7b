"""Frames: what two linked nodes say to each other (docs/protocol.md).

Each is a tagged array in the canonical encoding, bounded in every field. The first frame on a link is a Hello; a
node of another network is told apart there, before anything else is read.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, encode
from crdt.limits import (
    CLOCK_HOPS_MAX,
    CLOCK_OFFSET_MAX_US,
    CLOCK_UNCERTAINTY_MAX_US,
    CONTENT_MAX_BYTES,
    CONTENT_PIECE_BYTES,
    DOCUMENTS_PER_FRAME_MAX,
    ENTRIES_PER_FRAME_MAX,
    ENTRY_MAX_BYTES,
    FRAME_MAX_BYTES,
    GUESTS_PER_FRAME_MAX,
    HEADS_PER_FRAME_MAX,
    LINKS_PER_FRAME_MAX,
    LOGS_PER_DOCUMENT_MAX,
    SHARE_DIGEST_BYTES,
    SHARES,
)
from crdt.summary import ALL_SHARES, bits_of
from crdt.types import (
    DigestField,
    DocumentField,
    EntryIdField,
    MicrosField,
    NetworkIdField,
    NonceField,
    PlayerIdField,
    SeqField,
)
from jam.clock import RATE_MAX_PPB

PROTOCOL: Final = 2
RawEntry = Annotated[bytes, Meta(min_length=65, max_length=ENTRY_MAX_BYTES)]


class Hello(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=1):
    """Who speaks, by which rules."""

    protocol: Annotated[int, Meta(ge=1, le=65_535)]
    network: NetworkIdField
    player: PlayerIdField
    software: Annotated[str, Meta(max_length=40)]


class Total(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=2):
    """Hash of everything this node holds: equal totals need no more talk."""

    total: DigestField


class DocumentDigest(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A document's name, the hash of what is held of it and, of a large one, those of its shares (crdt/summary.py)."""

    document: DocumentField
    digest: DigestField
    shares: Annotated[bytes, Meta(max_length=SHARES * SHARE_DIGEST_BYTES)] = b""


class Documents(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=3):
    """All documents held, newest ledger first: the answer to a Total that differs."""

    documents: Annotated[tuple[DocumentDigest, ...], Meta(max_length=DOCUMENTS_PER_FRAME_MAX)]


class LogHead(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """How far one log reaches."""

    author: PlayerIdField
    nonce: NonceField
    length: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    head: EntryIdField
    frozen: bool


class Heads(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=4):
    """All logs in some shares of a document, a bit for each. `answer` says that it answers another Heads and asks for
    none in return."""

    document: DocumentField
    heads: Annotated[tuple[LogHead, ...], Meta(max_length=min(HEADS_PER_FRAME_MAX, LOGS_PER_DOCUMENT_MAX))]
    answer: bool
    shares: Annotated[bytes, Meta(min_length=SHARES // 8, max_length=SHARES // 8)] = bits_of(ALL_SHARES)


class Ask(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=5):
    """Entries of one log, from `start` up to `stop`, as many as fit one frame."""

    document: DocumentField
    author: PlayerIdField
    nonce: NonceField
    start: SeqField
    stop: SeqField
    request: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class Entries(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=6):
    """Signed entries of one document: live ones (`request` 0), or the answer to a request, possibly empty."""

    document: DocumentField
    entries: Annotated[tuple[RawEntry, ...], Meta(max_length=ENTRIES_PER_FRAME_MAX)]
    request: Annotated[int, Meta(ge=0, le=2**53 - 1)]


class Proof(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=7):
    """Two entries that prove an equivocation."""

    first: RawEntry
    second: RawEntry


class Probe(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=8):
    """What is your clock? Stamped with the asker's."""

    sent_us: MicrosField


class Echo(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=9):
    """A probe's stamp, and the answerer's clock when it came and when this left."""

    sent_us: MicrosField
    received_there_us: MicrosField
    sent_there_us: MicrosField


class Links(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=10):
    """The players that this node has direct links to."""

    players: Annotated[tuple[PlayerIdField, ...], Meta(max_length=LINKS_PER_FRAME_MAX)]


class AskContent(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=11):
    """The content of the checkpoint of this digest, from this byte on, as much as fits one frame."""

    digest: DigestField
    start: Annotated[int, Meta(ge=0, le=CONTENT_MAX_BYTES)]


class ContentPiece(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=12):
    """A piece of a content, and how long all of it is: 0 when the answerer does not have it."""

    digest: DigestField
    start: Annotated[int, Meta(ge=0, le=CONTENT_MAX_BYTES)]
    total: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    part: Annotated[bytes, Meta(max_length=CONTENT_PIECE_BYTES)]


class ClockTold(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=13):
    """The clock of a jam's creator as the sender knows it: minus the sender's own, its rate against that, the bound on
    the error, and through whom it is known, the sender's own peer first, nobody when it measures the creator itself."""

    creator: PlayerIdField
    offset_us: Annotated[int, Meta(ge=-CLOCK_OFFSET_MAX_US, le=CLOCK_OFFSET_MAX_US)]
    rate_ppb: Annotated[int, Meta(ge=-RATE_MAX_PPB, le=RATE_MAX_PPB)]
    uncertainty_us: Annotated[int, Meta(ge=0, le=CLOCK_UNCERTAINTY_MAX_US)]
    via: Annotated[tuple[PlayerIdField, ...], Meta(max_length=CLOCK_HOPS_MAX - 1)]


class Guests(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=14):
    """The players who are guests at this node: they play through it, have no links, and are reached by its."""

    players: Annotated[tuple[PlayerIdField, ...], Meta(max_length=GUESTS_PER_FRAME_MAX)]


_Sync = Total | Documents | Heads | Ask | Entries | Proof
Frame = Hello | _Sync | Probe | Echo | Links | AskContent | ContentPiece | ClockTold | Guests

_frames: Canonical[Frame] = Canonical(Frame, FRAME_MAX_BYTES)


def pack(frame: Frame) -> bytes:
    """Bytes of a frame."""
    return encode(frame)


def unpack(raw: bytes) -> Frame:
    """A frame from foreign bytes. Raises Violation."""
    return _frames.decode(raw)
