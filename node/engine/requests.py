"""Which entry was signed for which request, so that a command whose answer was lost can be given again.

Whoever asks chooses a random number for it. What is remembered is in the same synced batch as the entry: after kill -9
or a power cut either both are there or neither, and so the same number either gets the same entry again or nothing had
been signed. Remembered are the newest REQUESTS_MAX; what was asked is remembered as a hash, lest one number be taken
for two different things (RFC 9110, 9.2.2 on repeating; the number is what others call an idempotency key).

    m "request " + 32 digits   canonical [order, document, entry, hash of what was asked]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, encode
from crdt.entry import Entry
from crdt.errors import Violation
from crdt.limits import REQUESTS_MAX
from crdt.store.keys import meta_key
from crdt.types import Digest, DigestField, DocumentField, EntryIdField

NUMBER_BYTES: Final = 16
REQUEST_PREFIX: Final = meta_key("request ")


class Request(NamedTuple):
    """The number that somebody chose for something, and the hash of what."""

    number: bytes
    asked: Digest


class Remembered(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What was signed for a request. `order` counts up."""

    order: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    document: DocumentField
    entry: EntryIdField
    asked: DigestField


_records: Canonical[Remembered] = Canonical(Remembered, 256)

Item = tuple[bytes, bytes | None]


class Requests:
    """Remembered requests by number, oldest first. `stored`: what the store holds under REQUEST_PREFIX.

    A record that cannot be read is left out: the store's checksums vouch for the others.
    """

    def __init__(self, stored: Iterable[tuple[bytes, bytes]] = ()) -> None:
        found = [(record, number) for key, value in stored for number, record in _read(key, value)]
        self._known = {number: record for record, number in sorted(found, key=lambda item: item[0].order)}

    def known(self, number: bytes) -> Remembered | None:
        """What was signed for a request, None when nothing is known to have been."""
        return self._known.get(number)

    def remember(self, request: Request, entry: Entry) -> tuple[Item, ...]:
        """Remember what is signed for a request; the items to save together with the entry."""
        last = next(reversed(self._known.values()), None)
        record = Remembered(last.order + 1 if last else 0, entry.body.document, entry.id, request.asked)
        forgotten = list(self._known)[: max(0, len(self._known) + 1 - REQUESTS_MAX)]
        for number in forgotten:
            del self._known[number]
        self._known[request.number] = record
        return (_key(request.number), encode(record)), *((_key(number), None) for number in forgotten)


def is_record(key: bytes, value: bytes) -> bool:
    """Whether this is one of these records."""
    return bool(_read(key, value))


def _key(number: bytes) -> bytes:
    return REQUEST_PREFIX + number.hex().encode()


def _read(key: bytes, value: bytes) -> Iterable[tuple[bytes, Remembered]]:
    try:
        number = bytes.fromhex(key[len(REQUEST_PREFIX) :].decode("ascii"))
        return [(number, _records.decode(value))] if len(number) == NUMBER_BYTES else []
    except (ValueError, Violation):
        return []
