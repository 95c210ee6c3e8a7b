"""The record of how the last process left: cleanly or not, on which boot of the machine, with which entries.

A mark that says *unclean* and names another boot id means that the machine itself went down: what was written
without a sync may be gone though it was already sent, and the author's jam logs go on under another nonce (SPEC 3).
The same boot id means that only the process died, and kill -9 takes nothing from a store.

A *clean* mark carries a digest of every entry's key and bytes. While they still match, signatures that were checked
before they were saved need not be checked again: 100,000 entries open in about a second instead of ten.
The digest is no defence against somebody who can write to the directory; such a person has the key file too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, encode
from crdt.errors import Misuse, OperatingFailure, Violation
from crdt.store.base import Store
from crdt.store.keys import ENTRY, meta_key
from crdt.types import Digest, DigestField, NetworkId, Nonce, NonceField

VERSION: Final = 1
NO_DIGEST: Final = Digest(bytes(32))

MARK_KEY: Final = meta_key("mark")
NETWORK_KEY: Final = meta_key("network")


class Mark(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """`entries` and `digest` are of the moment of a clean close, zero while the store is open."""

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    clean: bool
    boot_id: Annotated[str, Meta(min_length=1, max_length=64)]
    nonce: NonceField  # which of this author's jam logs is being written
    entries: Annotated[int, Meta(ge=0)]
    digest: DigestField


_marks: Canonical[Mark] = Canonical(Mark, 256)


def read_mark(store: Store) -> Mark | None:
    """The mark, None when there is none that can be read."""
    raw = store.get(MARK_KEY)
    return None if raw is None else mark_in(raw)


def mark_in(raw: bytes) -> Mark | None:
    """The mark that a record holds, None for one that cannot be read."""
    try:
        return _marks.decode(raw)
    except Violation:
        return None


def mark_open(store: Store, boot_id: str, nonce: Nonce) -> None:
    """Say, synced, that from here on the store is in use."""
    _write(store, Mark(VERSION, False, boot_id, nonce, 0, NO_DIGEST))


def mark_clean(store: Store) -> None:
    """Say, synced, that nothing more will be written. Misuse without an open mark: whose would it be?"""
    mark = read_mark(store)
    if mark is None:
        raise Misuse("the store was not opened by crdt.store.recover")
    entries, found = entries_digest(store.scan(ENTRY))
    _write(store, Mark(VERSION, True, mark.boot_id, mark.nonce, entries, found))


def machine_went_down(mark: Mark | None, boot_id: str) -> bool:
    """Whether the machine, not only the process, stopped while the store was in use."""
    return mark is not None and not mark.clean and mark.boot_id != boot_id


def entries_digest(items: Iterable[tuple[bytes, bytes]]) -> tuple[int, Digest]:
    """How many, and BLAKE2b-256 over all keys and values with their lengths."""
    found = EntriesDigest()
    for key, value in items:
        found.add(key, value)
    return found.count, found.digest()


class EntriesDigest:
    """The digest of a clean mark, one entry after the other."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.blake2b(digest_size=32, person=b"symjam-mark")

    def add(self, key: bytes, value: bytes) -> None:
        """The next entry, in the order of keys."""
        self._hash.update(b"%d %d " % (len(key), len(value)))
        self._hash.update(key)
        self._hash.update(value)
        self.count += 1

    def digest(self) -> Digest:
        """Of all so far."""
        return Digest(self._hash.digest())


def is_of_network(store: Store, network: NetworkId) -> bool:
    """Whether the store is known to be this network's, False when it says nothing. OperatingFailure: another's."""
    found = store.get(NETWORK_KEY)
    if found is not None and found != network:
        raise OperatingFailure(
            "the store belongs to another network",
            f"it was made under the rules {found[:4].hex()}, and this node's are {network[:4].hex()}",
            "Use another data directory, or the preset that the store was made with",
        )
    return found is not None


def mark_network(store: Store, network: NetworkId) -> None:
    """Say, synced, which network's entries these are."""
    store.write([(NETWORK_KEY, network)], sync=True)


def _write(store: Store, mark: Mark) -> None:
    if not 1 <= len(mark.boot_id) <= 64:
        raise Misuse("a boot id has 1 to 64 characters")
    store.write([(MARK_KEY, encode(mark))], sync=True)
