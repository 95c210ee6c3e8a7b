"""Where things lie: one letter for the kind, then fields that sort as they should be read.

    e <len> <document> <author 32> <nonce 8> <seq 8, big-endian>    an entry: signature || body
    p <len> <document> <author 32> <nonce 8>                        the proof that a log's author equivocated
    s <len> <document> <author 32> <nonce 8> <seq 8, big-endian>    ids of pruned entries from that number on
    m <name>                                                        the store's own records

The document's length goes in front of it, so that no name is the prefix of another and one scan reads one document;
within it the logs follow each other and each is in order of `seq`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from crdt.entry import Entry, LogKey
from crdt.errors import Misuse
from crdt.types import DocumentName, Nonce, PlayerId, Seq

ENTRY: Final = b"e"
META: Final = b"m"
PROOF: Final = b"p"
STUBS: Final = b"s"

_LOG_BYTES: Final = 32 + 8
SEQ_BYTES: Final = 8


class LogName(NamedTuple):
    """One log of one document."""

    document: DocumentName
    log: LogKey


def _document(kind: bytes, document: DocumentName) -> bytes:
    if not (document.isascii() and 1 <= len(document) <= 255):
        raise Misuse(f"a document named {document[:32]!r} has no place in a key")
    return kind + bytes([len(document)]) + document.encode()


def document_prefix(document: DocumentName) -> bytes:
    """What the keys of all entries of a document begin with."""
    return _document(ENTRY, document)


def log_prefix(document: DocumentName, log: LogKey) -> bytes:
    """What the keys of all entries of one log begin with."""
    if len(log.author) != 32 or len(log.nonce) != 8:
        raise Misuse("a log is named by 32 bytes of author and 8 of nonce")
    return _document(ENTRY, document) + log.author + log.nonce


def entry_key(document: DocumentName, log: LogKey, seq: Seq) -> bytes:
    """Key of one entry. Misuse when the number does not fit 64 bits."""
    if not 0 <= seq < 2**64:
        raise Misuse(f"entry number {seq} has no place in a key")
    return log_prefix(document, log) + seq.to_bytes(SEQ_BYTES, "big")


def entry_item(entry: Entry) -> tuple[bytes, bytes]:
    """The (key, value) that saves an entry."""
    return entry_key(entry.body.document, entry.log, entry.body.seq), entry.raw


def parse_entry_key(key: bytes) -> tuple[LogName, Seq] | None:
    """What a key under `e` names, None when it names nothing (the bytes of a damaged file are not to be trusted)."""
    if len(key) < 2 or key[:1] != ENTRY or key[1] == 0 or len(key) != 2 + key[1] + _LOG_BYTES + SEQ_BYTES:
        return None
    cut = 2 + key[1]
    try:
        document = DocumentName(key[2:cut].decode("ascii"))
    except UnicodeDecodeError:
        return None
    log = LogKey(PlayerId(key[cut : cut + 32]), Nonce(key[cut + 32 : cut + _LOG_BYTES]))
    return LogName(document, log), seq_in(key)


def seq_in(key: bytes) -> Seq:
    """The number at the end of an entry's key."""
    return Seq(int.from_bytes(key[-SEQ_BYTES:], "big"))


def stubs_key(document: DocumentName, log: LogKey, first: Seq) -> bytes:
    """Key of the ids of pruned entries, the first of them numbered so."""
    return STUBS + entry_key(document, log, first)[1:]


def proof_key(document: DocumentName, log: LogKey) -> bytes:
    """Key of the equivocation proof against the author of a log; one is enough."""
    return PROOF + log_prefix(document, log)[1:]


def meta_key(name: str) -> bytes:
    """Key of one of the store's own records."""
    if not (name and name.isascii()):
        raise Misuse("a record has a name in ASCII")
    return META + name.encode()
