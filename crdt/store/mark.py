"""The record of how the last process left: cleanly or not, on which boot of the machine, with which entries.

A mark that says *unclean* and names another boot id means that the machine itself went down: what was written
without a sync may be gone though it was already sent, and the author's jam logs go on under another nonce (SPEC 3).
The same boot id means that only the process died, and kill -9 takes nothing from a store.

A *clean* mark carries a digest of every entry's key and bytes: what is missing at the next start, or is not what it
was, was lost by the disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, encode
from crdt.errors import Misuse, OperatingFailure, Violation
from crdt.store.base import Batch, Store
from crdt.store.keys import ENTRY, meta_key
from crdt.store.seal import SEAL_PREFIX, changed, digest_of
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


def mark_open(store: Store, boot_id: str, nonce: Nonce, seals: Batch = ()) -> None:
    """Say, synced, that from here on the store is in use; with it go the seals that are new."""
    _write(store, Mark(VERSION, False, boot_id, nonce, 0, NO_DIGEST), seals)


def mark_clean(store: Store) -> None:
    """Say, synced, that nothing more will be written. Misuse without an open mark: whose would it be?"""
    mark = read_mark(store)
    if mark is None:
        raise Misuse("the store was not opened by crdt.store.recover")
    found = digest_of(store.scan(ENTRY))
    seals = changed(dict(store.scan(SEAL_PREFIX)), found.seals())
    _write(store, Mark(VERSION, True, mark.boot_id, mark.nonce, found.count, found.digest()), seals)


def machine_went_down(mark: Mark | None, boot_id: str) -> bool:
    """Whether the machine, not only the process, stopped while the store was in use."""
    return mark is not None and not mark.clean and mark.boot_id != boot_id


def entries_digest(items: Iterable[tuple[bytes, bytes]]) -> tuple[int, Digest]:
    """How many, and a digest over all keys and values with their lengths (crdt/store/seal.py)."""
    found = digest_of(items)
    return found.count, found.digest()


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


def _write(store: Store, mark: Mark, seals: Batch = ()) -> None:
    if not 1 <= len(mark.boot_id) <= 64:
        raise Misuse("a boot id has 1 to 64 characters")
    store.write([*seals, (MARK_KEY, encode(mark))], sync=True)
