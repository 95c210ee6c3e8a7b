"""Real signed logs to put into stores."""

from __future__ import annotations

from collections.abc import Iterable

from crdt.canonical import encode
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.keys import Identity
from crdt.log import prove_equivocation
from crdt.store.base import Batch, Store
from crdt.store.keys import entry_item, proof_key
from crdt.types import NO_NONCE, DocumentName, Epoch, NetworkId, Nonce, SessionId, jam_document, ledger_document

NETWORK = NetworkId(bytes(range(32)))
OTHER_NETWORK = NetworkId(bytes(range(1, 33)))
LEDGER = ledger_document(Epoch(7))
JAM = jam_document(SessionId(b"s" * 32))
BOOT = "11111111-2222-3333-4444-555555555555"
OTHER_BOOT = "66666666-7777-8888-9999-000000000000"
FRESH = Nonce(b"fresh-no")


def player(number: int) -> Identity:
    return Identity(bytes([number]) * 32)


def make_log(
    identity: Identity, count: int, document: DocumentName = JAM, nonce: Nonce = NO_NONCE, salt: bytes = b""
) -> list[Entry]:
    """`count` entries of one log; another salt makes other entries at the same numbers."""
    entries: list[Entry] = []
    for number in range(count):
        payload = b"payload %d " % number + salt
        body = (
            next_body(entries[-1], payload)
            if entries
            else first_body(NETWORK, document, LogKey(identity.player, nonce), payload)
        )
        entries.append(sign(identity, NETWORK, body))
    return entries


def batch_of(entries: Iterable[Entry]) -> Batch:
    return [entry_item(entry) for entry in entries]


def save(store: Store, entries: Iterable[Entry], sync: bool = True) -> None:
    store.write(batch_of(entries), sync)


def proof_item(identity: Identity) -> tuple[bytes, bytes]:
    """What the engine saves when an author equivocates."""
    one, other = (make_log(identity, 1, salt=salt)[0] for salt in (b"a", b"b"))
    proof = prove_equivocation(one, other)
    return proof_key(JAM, one.log), encode((proof.first.raw, proof.second.raw))
