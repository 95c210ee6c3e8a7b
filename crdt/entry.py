"""The unit of replication and authorship: one signed entry of one author's log (SPEC 3).

An author has one log per document and nonce. Its entries are numbered from 0 without gaps and each names the id of
the one before, so that a log's head commits to all of it, and two valid entries at one number are a proof against
their author that anyone can check. The id hashes the *unsigned* body: signing twice must not make two ids.

The nonce tells logs apart that one author wrote in one document. It is zero until a machine crash may have lost
entries that were already sent; the author then goes on in a fresh log instead of signing other content under
numbers it has used. The ledger, synced before anything is sent, admits no nonce but zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, digest, encode
from crdt.errors import Misuse, Reason, Violation
from crdt.keys import Identity, is_valid_player, verify
from crdt.limits import BODY_MAX_BYTES, ENTRY_MAX_BYTES, PAYLOAD_MAX_BYTES, REFS_MAX
from crdt.types import (
    NO_ENTRY,
    NO_NONCE,
    DocumentField,
    DocumentName,
    EntryId,
    EntryIdField,
    NetworkId,
    Nonce,
    NonceField,
    PlayerId,
    PlayerIdField,
    Seq,
    SeqField,
    Signature,
    is_document,
    ledger_epoch,
)

VERSION: Final = 1
SIGNING_DOMAIN: Final = "symjam/entry/1"


class Ref(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True, gc=False):
    """A head of another author's log, seen when the entry was written."""

    document: DocumentField
    author: PlayerIdField
    seq: SeqField
    id: EntryIdField


class Body(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, gc=False):
    """What an author signs. The payload is opaque here; jam/ and consensus/ define what is in it."""

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    network: Annotated[bytes, Meta(min_length=8, max_length=8)]  # a tag; the signature covers the whole id
    document: DocumentField
    author: PlayerIdField
    nonce: NonceField
    seq: SeqField
    prev: EntryIdField
    refs: Annotated[tuple[Ref, ...], Meta(max_length=REFS_MAX)]
    payload: Annotated[bytes, Meta(max_length=PAYLOAD_MAX_BYTES)]


class LogKey(NamedTuple):
    """Which log within a document."""

    author: PlayerId
    nonce: Nonce


_bodies: Canonical[Body] = Canonical(Body, BODY_MAX_BYTES)


class Entry:
    """A body with its signature, its id and its exact bytes. Made by `sign` or `open_entry` only."""

    __slots__ = ("body", "id", "raw")

    def __init__(self, body: Body, entry_id: EntryId, raw: bytes) -> None:
        self.body = body
        self.id = entry_id
        self.raw = raw

    @property
    def log(self) -> LogKey:
        """The log it belongs to."""
        return LogKey(self.body.author, self.body.nonce)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        b = self.body
        return f"Entry({b.document} {b.author.hex()[:8]}#{b.seq} {self.id.hex()[:8]})"


def _signed_bytes(network: NetworkId, body: bytes) -> bytes:
    return encode((SIGNING_DOMAIN, network, body))


def entry_id(body: bytes) -> EntryId:
    """Id of an entry: BLAKE2b-256 of its canonical unsigned body."""
    return EntryId(digest(b"symjam-entry", body))


def sign(identity: Identity, network: NetworkId, body: Body) -> Entry:
    """Sign a body as its author. Misuse when it is not the identity's own, or when `open_entry` would refuse it."""
    if body.author != identity.player:
        raise Misuse("an entry is signed by its author")
    encoded = _bodies.encode(body)
    try:
        _check(network, _bodies.decode(encoded))
    except Violation as violation:
        raise Misuse(f"an entry that nobody would accept: {violation}") from None
    raw = identity.sign(_signed_bytes(network, encoded)) + encoded
    return Entry(body, entry_id(encoded), raw)


def open_entry(network: NetworkId, raw: bytes, held: Callable[[Body], Entry | None] | None = None) -> Entry:
    """Decode and verify an entry by itself: form, bounds, document name, nonce rule, signature.

    `held` may say which verified entry stands where this one belongs: the same bytes are not verified again.
    Whether it fits its log is the replica's to say. Raises Violation: OVERSIZE, TRUNCATED, GARBAGE, NON_CANONICAL,
    WRONG_NETWORK, WRONG_DOCUMENT, WRONG_NONCE, BAD_KEY or BAD_SIGNATURE.
    """
    if len(raw) > ENTRY_MAX_BYTES:
        raise Violation(Reason.OVERSIZE, f"entry of {len(raw)} bytes")
    if len(raw) <= 64:
        raise Violation(Reason.TRUNCATED, "shorter than a signature")
    encoded = raw[64:]
    body = _bodies.decode(encoded)
    _check(network, body)
    known = held(body) if held else None
    if known is not None and known.raw == raw:
        return known
    if not is_valid_player(body.author):
        raise Violation(Reason.BAD_KEY, "the author is no Ed25519 key")
    if not verify(body.author, _signed_bytes(network, encoded), raw[:64]):
        raise Violation(Reason.BAD_SIGNATURE)
    return Entry(body, entry_id(encoded), raw)


def _check(network: NetworkId, body: Body) -> None:
    if body.network != network[:8]:
        raise Violation(Reason.WRONG_NETWORK, f"network {body.network.hex()}")
    if not is_document(body.document):
        raise Violation(Reason.WRONG_DOCUMENT, body.document[:32])
    if body.nonce != NO_NONCE and ledger_epoch(body.document) is not None:
        raise Violation(Reason.WRONG_NONCE, "the ledger has one log per author")


def first_body(
    network: NetworkId,
    document: DocumentName,
    log: LogKey,
    payload: bytes,
    prev: EntryId = NO_ENTRY,
    refs: tuple[Ref, ...] = (),
) -> Body:
    """The body at number 0 of a log; in a document that continues another, `prev` is the
    author's last entry there."""
    return Body(VERSION, network[:8], document, log.author, log.nonce, Seq(0), prev, refs, payload)


def next_body(entry: Entry, payload: bytes, refs: tuple[Ref, ...] = ()) -> Body:
    """The body that follows an entry in its log."""
    b = entry.body
    return Body(VERSION, b.network, b.document, b.author, b.nonce, Seq(b.seq + 1), entry.id, refs, payload)


def client_id(document: DocumentName, log: LogKey) -> int:
    """The Yjs client id of a log: low 53 bits of SHA-256(document || author || nonce), as notes/crdt.md has it."""
    h = hashlib.sha256(document.encode() + log.author + log.nonce).digest()
    return int.from_bytes(h[-7:], "big") & (2**53 - 1)


def root_name(log: LogKey) -> str:
    """Name of the root Y.Array that holds a log."""
    suffix = "" if log.nonce == NO_NONCE else f":{log.nonce.hex()}"
    return f"log:{log.author.hex()}{suffix}"


def signature_of(entry: Entry) -> Signature:
    """The 64 bytes before the body."""
    return Signature(entry.raw[:64])
