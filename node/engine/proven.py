"""Which verifiers' proofs were found to be valid, in the store: what a ledger costs most to fold again (0.8 ms each).

A record holds what consensus/proofs.py remembers of up to RECORD_MAX of them: a hash of all that a proof rests on, and
the beginning of its output. It does not say whose votes count; that is worked out anew. As with the mark of a clean
stop, this is for a disk that fails and not against somebody who can write to the directory: a record that does not fit
its hash is left out, and what it held is verified again.

    m "proven " + 8 digits    BLAKE2b-256 of the rest || (32 + 8 bytes) * n
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from consensus.proofs import HASH_BYTES, SHORT_BYTES, Proofs
from crdt.canonical import digest
from crdt.limits import VRF_PROOFS_KNOWN_MAX
from crdt.store.keys import meta_key

PROVEN_PREFIX: Final = meta_key("proven ")
RECORD_MAX: Final = 1_024
_RECORDS_MAX: Final = 2 * VRF_PROOFS_KNOWN_MAX // RECORD_MAX  # beyond it the oldest go
_MERGE_AT: Final = 64  # records; those of a quiet room hold a few proofs each
_ITEM_BYTES: Final = HASH_BYTES + SHORT_BYTES

Item = tuple[bytes, bytes | None]


class Proven:
    """The records of one store, for one ledger's proofs. `stored`: what lies under PROVEN_PREFIX, in order."""

    def __init__(self, stored: Iterable[tuple[bytes, bytes]], proofs: Proofs) -> None:
        self._proofs = proofs
        self._keys: list[bytes] = []
        self._known: list[tuple[bytes, bytes]] = []
        for key, value in stored:
            self._keys.append(key)
            self._known += _read(value)
        proofs.remember(self._known)
        self._is_sparse = len(self._keys) > _MERGE_AT and 2 * len(self._known) < len(self._keys) * RECORD_MAX

    def due(self) -> tuple[Item, ...]:
        """What is to be written now: what was found since. Small records become large ones the first time."""
        items, batch = self._proofs.take_found(), dict[bytes, bytes | None]()
        number = 1 + int(self._keys[-1][len(PROVEN_PREFIX) :]) if self._keys else 0
        if self._is_sparse:
            batch, self._keys = dict.fromkeys(self._keys), []
            items = self._known + items
        self._is_sparse, self._known = False, []
        for start in range(0, len(items), RECORD_MAX):
            key = PROVEN_PREFIX + b"%08d" % number
            body = b"".join(at + output for at, output in items[start : start + RECORD_MAX])
            batch[key] = digest(b"symjam-proven", body) + body
            self._keys.append(key)
            number += 1
        while len(self._keys) > _RECORDS_MAX:
            batch[self._keys.pop(0)] = None
        return tuple(batch.items())


def is_record(value: bytes) -> bool:
    """Whether a record holds what was written."""
    return digest(b"symjam-proven", value[32:]) == value[:32] and len(value[32:]) % _ITEM_BYTES == 0


def _read(value: bytes) -> Iterator[tuple[bytes, bytes]]:
    body = value[32:]
    if is_record(value):
        for at in range(0, len(body), _ITEM_BYTES):
            yield body[at : at + HASH_BYTES], body[at + HASH_BYTES : at + _ITEM_BYTES]
