"""Entries found in the bytes of LevelDB's files, whatever LevelDB itself can still make of them.

After one bad record LevelDB drops the rest of its 32 KB block, and a table without its last bytes is lost to it as a
whole, though what was written lies there: tables are not compressed, and an entry is self-certifying. It begins with
64 bytes of signature and the same twelve bytes of body in all of a network, its fields say where it ends, and its
signature says whether to believe it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from crdt.canonical import Canonical, encode
from crdt.entry import Body, Entry, LogKey, open_entry
from crdt.errors import Violation
from crdt.limits import BODY_MAX_BYTES, ENTRY_MAX_BYTES
from crdt.log import prove_equivocation
from crdt.store.keys import entry_key, proof_key
from crdt.types import EntryId, NetworkId, is_document

_SIGNATURE: Final = 64
_HEAD: Final = b"\x99\x01\xc4\x08"  # an array of nine, version 1, eight bytes of network tag
_BLOCK: Final = 32_768  # of a write-ahead log; each begins with the header of a record, or of a record's next part
_HEADER: Final = 7

_ARRAY16: Final = 0xDC
_WIDTHS: Final = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}  # unsigned integers
_LENGTHS: Final = {0xC4: 1, 0xC5: 2, 0xD9: 1, _ARRAY16: 2}  # bytes, strings, arrays; none in an entry is longer

_bodies: Canonical[Body] = Canonical(Body, BODY_MAX_BYTES)


def carve(
    network: NetworkId, directory: Path, items: dict[bytes, bytes], pruned: frozenset[EntryId] = frozenset()
) -> dict[bytes, bytes]:
    """Add to `items` the entries that verify and are missing or damaged there; what is there and verifies stays.

    What was `pruned` is left where it lies. Returns proofs of equivocation by key: two entries found at one place
    are what such a proof was made of, and neither is added. Raises OSError.
    """
    proofs: dict[bytes, bytes] = {}
    added: dict[bytes, Entry] = {}
    seen: set[EntryId] = set(pruned)
    for raw in _candidates(network, directory):
        place = _place(raw)
        if place is None or items.get(place) == raw:
            continue
        entry = _opened(network, raw)
        if entry is None or entry.id in seen:
            continue
        seen.add(entry.id)
        held = items.get(place, b"")
        other = added.get(place) or (_opened(network, held) if _place(held) == place else None)
        if other is None:
            added[place] = entry
        elif proof := _proof(other, entry):
            proofs.update(proof)
            added.pop(place, None)
    items.update((place, entry.raw) for place, entry in added.items())
    return proofs


def _place(raw: bytes) -> bytes | None:
    """The key under which such an entry would lie, if it is one."""
    try:
        body = _bodies.decode(raw[_SIGNATURE:])
    except Violation:
        return None
    return entry_key(body.document, LogKey(body.author, body.nonce), body.seq) if is_document(body.document) else None


def _opened(network: NetworkId, raw: bytes) -> Entry | None:
    try:
        return open_entry(network, raw)
    except Violation:
        return None


def _proof(one: Entry, other: Entry) -> dict[bytes, bytes]:
    try:
        proof = prove_equivocation(one, other)
    except Violation:
        return {}
    return {proof_key(one.body.document, one.log): encode((proof.first.raw, proof.second.raw))}


def _candidates(network: NetworkId, directory: Path) -> Iterator[bytes]:
    """Whatever looks like an entry. A log is searched without the headers that stand in the midst of entries."""
    for file in sorted(directory.iterdir()):
        if file.suffix == ".ldb":
            yield from _in_text(_HEAD + network[:8], file.read_bytes())
        elif file.suffix == ".log":
            log = file.read_bytes()
            parts = [log[at + _HEADER : at + _BLOCK] for at in range(0, len(log), _BLOCK)]
            yield from _in_text(_HEAD + network[:8], b"".join(parts))


def _in_text(head: bytes, text: bytes) -> Iterator[bytes]:
    at = text.find(head, _SIGNATURE)
    while at >= 0:
        end = _end(text, at)
        if end is not None and end - at + _SIGNATURE <= ENTRY_MAX_BYTES:
            yield text[at - _SIGNATURE : end]
        at = text.find(head, at + 1)


def _end(text: bytes, at: int) -> int | None:
    """Where the MessagePack value at a place ends; None when it is of no kind that a body has."""
    left = 1
    while left:
        if at >= len(text):
            return None
        byte = text[at]
        left -= 1
        if byte <= 0x7F:  # a small integer
            at += 1
        elif 0x90 <= byte <= 0x9F:  # an array of up to fifteen
            at, left = at + 1, left + (byte & 0x0F)
        elif 0xA0 <= byte <= 0xBF:  # a string of up to 31 bytes
            at += 1 + (byte & 0x1F)
        elif byte in _WIDTHS:
            at += 1 + _WIDTHS[byte]
        elif byte in _LENGTHS:
            wide = _LENGTHS[byte]
            size = int.from_bytes(text[at + 1 : at + 1 + wide], "big")
            at += 1 + wide
            if byte == _ARRAY16:
                left += size
            else:
                at += size
        else:
            return None
    return at if at <= len(text) else None
