"""What each document held when all of it was last known to be verified: its entries' count and digest.

A start need not check again the signatures of a document that still is what its seal says; so what costs 70 us an entry
is paid after kill -9 for the documents alone that were written to since the last start, the present epoch's and the
present jams', and not for a ledger of weeks. Seals are made when a store is opened, and when it is left.
A seal is no defence against somebody who can write to the directory; such a person has the key file too.

    m "seal " + document    entries (8 bytes, big-endian) || BLAKE2b-256 over their keys and values with lengths
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from crdt.store.keys import meta_key
from crdt.types import Digest, DocumentName

SEAL_PREFIX: Final = meta_key("seal ")

_PERSON: Final = b"symjam-mark"


def document_in(key: bytes) -> bytes:
    """What the keys of the same document begin with; a key that names none stands for itself."""
    return key[: 2 + key[1]] if len(key) > 1 else key


class EntriesDigest:
    """A digest of entries in the order of keys: of each document, and of all."""

    def __init__(self) -> None:
        self.count = 0
        self._seals: dict[bytes, bytes] = {}  # by what the keys of a document begin with
        self._document = b""
        self._held = 0
        self._hash = hashlib.blake2b(digest_size=32, person=_PERSON)

    def add(self, key: bytes, value: bytes) -> None:
        """The next entry, in the order of keys."""
        document = document_in(key)
        if document != self._document:
            self._seal()
            self._document, self._held = document, 0
            self._hash = hashlib.blake2b(digest_size=32, person=_PERSON)
        self._hash.update(b"%d %d %b%b" % (len(key), len(value), key, value))
        self._held += 1
        self.count += 1

    def _seal(self) -> None:
        if self._held:
            self._seals[self._document] = self._held.to_bytes(8, "big") + self._hash.digest()

    def seal(self, begins: bytes) -> bytes | None:
        """The seal of the document whose keys begin so."""
        self._seal()
        return self._seals.get(begins)

    def digest(self) -> Digest:
        """Of all so far."""
        self._seal()
        whole = hashlib.blake2b(digest_size=32, person=_PERSON)
        for document, seal in self._seals.items():
            whole.update(b"%d %b%b" % (len(document), document, seal))
        return Digest(whole.digest())

    def seals(self) -> dict[bytes, bytes]:
        """The records of all documents so far."""
        self._seal()
        return {SEAL_PREFIX + document[2:]: seal for document, seal in self._seals.items()}


def digest_of(items: Iterable[tuple[bytes, bytes]]) -> EntriesDigest:
    """The digest of entries."""
    found = EntriesDigest()
    for key, value in items:
        found.add(key, value)
    return found


def documents(
    items: Iterable[tuple[bytes, bytes]], stored: Mapping[bytes, bytes], found: EntriesDigest, sealed: set[DocumentName]
) -> Iterator[tuple[bytes, bytes]]:
    """The same entries, a document at a time: it is in `found` before its first entry is handed on, and in `sealed` if
    it is what its seal says."""
    for begins, group in groupby(items, key=lambda item: document_in(item[0])):
        held = list(group)
        for key, value in held:
            found.add(key, value)
        name = begins[2:]
        if name.isascii() and found.seal(begins) == stored.get(SEAL_PREFIX + name):
            sealed.add(DocumentName(name.decode("ascii")))
        yield from held


def changed(stored: Mapping[bytes, bytes], now: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes | None]]:
    """What to write so that the seals stored are those of now."""
    gone: list[tuple[bytes, bytes | None]] = [(key, None) for key in stored if key not in now]
    return gone + [(key, seal) for key, seal in now.items() if stored.get(key) != seal]
