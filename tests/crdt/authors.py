"""Authors, chains and forged entries for the tests of crdt/."""

from __future__ import annotations

from crdt.canonical import encode
from crdt.entry import Body, Entry, LogKey, first_body, next_body, sign
from crdt.keys import Identity
from crdt.types import (
    NO_ENTRY,
    NO_NONCE,
    DocumentName,
    EntryId,
    Epoch,
    NetworkId,
    Nonce,
    PlayerId,
    Seq,
    SessionId,
    jam_document,
    ledger_document,
)

NETWORK = NetworkId(b"a network for tests".ljust(32, b"."))
OTHER_NETWORK = NetworkId(b"another network".ljust(32, b"."))
TWIN_NETWORK = NetworkId(NETWORK[:8] + b"same tag, other id".ljust(24, b"."))
JAM = jam_document(SessionId(b"\x11" * 32))
OTHER_JAM = jam_document(SessionId(b"\x11" * 32), 1)
LEDGER = ledger_document(Epoch(3))
AUTHORS = tuple(Identity(bytes([number]) * 32) for number in range(1, 9))
ALICE, BOB, CAROL, MALLORY = AUTHORS[:4]
GIVER = PlayerId(BOB.player)


def key_of(author: Identity, nonce: Nonce = NO_NONCE) -> LogKey:
    """The log of an author."""
    return LogKey(author.player, nonce)


def chain(
    author: Identity,
    length: int,
    document: DocumentName = JAM,
    nonce: Nonce = NO_NONCE,
    label: bytes = b"",
    after: Entry | None = None,
    size: int = 0,
) -> list[Entry]:
    """So many entries one after the other, from number 0 or after an entry."""
    out: list[Entry] = []
    for number in range(length):
        payload = (label + b"/%d" % number).ljust(size, b".")
        if after is None:
            body = first_body(NETWORK, document, key_of(author, nonce), payload)
        else:
            body = next_body(after, payload)
        after = sign(author, NETWORK, body)
        out.append(after)
    return out


def forge(author: Identity, body: object, network: NetworkId = NETWORK) -> bytes:
    """Bytes of an entry whose signature is good, whatever is in the body. Written apart from crdt.entry."""
    encoded = encode(body)
    return author.sign(encode(("symjam/entry/1", network, encoded))) + encoded


def stray(
    author: Identity, seq: int, document: DocumentName = JAM, nonce: Nonce = NO_NONCE, label: bytes = b""
) -> Entry:
    """A well-signed entry whose predecessor nobody ever wrote."""
    prev = NO_ENTRY if seq == 0 else EntryId(b"nobody wrote it".ljust(32, label[:1] or b"?"))
    payload = b"stray" + label
    return sign(author, NETWORK, Body(1, NETWORK[:8], document, author.player, nonce, Seq(seq), prev, (), payload))
