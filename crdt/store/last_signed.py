"""What this node signed last in the ledger, kept apart from the store.

The store may come back from damage with less than it had. An author who then signed "the next" entry would sign a
second, different one at a number already used, and lose all stake for it. So the last number signed is synced to a
file of its own before the entry leaves the node, and asked before anything is signed again.

    file = magic || BLAKE2b-256 of the rest || canonical [[document, seq, id], ...], oldest epoch first
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, digest, encode
from crdt.errors import Misuse, OperatingFailure, Violation
from crdt.limits import LAST_SIGNED_MAX, SMALL_FILE_MAX_BYTES
from crdt.store.atomic import read_small, replace_file
from crdt.types import (
    DocumentField,
    DocumentName,
    EntryId,
    EntryIdField,
    Epoch,
    Seq,
    SeqField,
    ledger_epoch,
)

MAGIC: Final = b"symjam-signed/1\n"


class Signed(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The last entry signed in one document."""

    document: DocumentField
    seq: SeqField
    id: EntryIdField


class LastSignedDamaged(OperatingFailure):
    """The record exists and cannot be believed. Nothing may be signed in the ledger on the strength of it."""


_records: Canonical[tuple[Signed, ...]] = Canonical(
    Annotated[tuple[Signed, ...], Meta(max_length=LAST_SIGNED_MAX)], SMALL_FILE_MAX_BYTES
)


class LastSigned:
    """The record of one author. Bounded: the newest LAST_SIGNED_MAX ledger documents."""

    def __init__(self, path: Path, signed: tuple[Signed, ...] = ()) -> None:
        self._path = path
        self._signed = signed

    @classmethod
    def load(cls, path: Path) -> LastSigned:
        """Read the file; a missing one is an author who never signed. Raises LastSignedDamaged."""
        raw = read_small(path)
        if raw is None:
            return cls(path)
        body = raw[len(MAGIC) + 32 :]
        if not raw.startswith(MAGIC) or digest(b"symjam-signed", body) != raw[len(MAGIC) : len(MAGIC) + 32]:
            raise _damaged(path, "its checksum does not match")
        try:
            signed = _records.decode(body)
        except Violation as error:
            raise _damaged(path, str(error)) from error
        epochs = [ledger_epoch(record.document) for record in signed]
        known = [epoch for epoch in epochs if epoch is not None]
        if len(known) != len(epochs) or known != sorted(set(known)):
            raise _damaged(path, "its documents are out of order")
        return cls(path, signed)

    @property
    def latest(self) -> Signed | None:
        """The last entry signed in the newest epoch, None when there is none."""
        return self._signed[-1] if self._signed else None

    def record(self, document: DocumentName, seq: Seq, entry_id: EntryId) -> None:
        """Sync that this entry was signed; only then may it leave the node.

        Recording the same entry again does nothing. Misuse when the document's number does not rise, or when the
        document is older than all that are remembered; OperatingFailure when the disk fails.
        """
        epoch = _epoch(document)
        new = Signed(document, seq, entry_id)
        known = {record.document: record for record in self._signed}
        before = known.get(document)
        if new == before:
            return
        if before is not None and seq <= before.seq:
            raise Misuse(f"{document}#{seq} would be signed after #{before.seq}")
        if before is None and len(known) == LAST_SIGNED_MAX and epoch < _epoch(self._signed[0].document):
            raise Misuse(f"{document} is older than all that is remembered")
        known[document] = new
        signed = tuple(sorted(known.values(), key=lambda record: _epoch(record.document))[-LAST_SIGNED_MAX:])
        body = encode(signed)
        replace_file(self._path, MAGIC + digest(b"symjam-signed", body) + body)
        self._signed = signed


def _epoch(document: DocumentName) -> Epoch:
    epoch = ledger_epoch(document)
    if epoch is None:
        raise Misuse("only the ledger has a record of what was signed: a jam goes on under a new nonce")
    return epoch


def _damaged(path: Path, why: str) -> LastSignedDamaged:
    return LastSignedDamaged(
        "the record of what was signed last is damaged",
        f"{path}: {why}",
        "Restore it from a backup, or move it away once this node's whole ledger log has come back from its peers",
    )
