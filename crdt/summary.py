"""What a node says that it holds of one document: one digest, a digest for each share of its logs, the logs' heads.

Logs are shared out by the first six bits of their author's key. An entry more makes one share's digest anew, and two
nodes that hold different logs of a few authors find by the shares whose heads to name to each other. So comparing costs
as much as there is to tell, and not as much as there are players: in a mesh where somebody always plays, no two nodes
ever hold the same for long, and each names its heads to each neighbour every few seconds.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from crdt.canonical import digest, encode
from crdt.entry import LogKey
from crdt.limits import SHARE_DIGEST_BYTES, SHARES
from crdt.log import Head, Log
from crdt.types import Digest, DocumentName, PlayerId

ALL_SHARES: Final = range(SHARES)
_NOTHING: Final = bytes(SHARE_DIGEST_BYTES)


def share_of(author: PlayerId) -> int:
    """Which share a player's logs are in."""
    return author[0] * SHARES // 256


class _Share:
    """The logs of some authors: their keys, sorted, and what is remembered of them."""

    __slots__ = ("digest", "heads", "keys")

    def __init__(self) -> None:
        self.keys: list[LogKey] = []
        self.heads: tuple[Head, ...] | None = None
        self.digest: bytes = b""


class Summary:
    """Heads and digests of a document's logs, each remembered until one of its logs changes."""

    def __init__(self, document: DocumentName, logs: Mapping[LogKey, Log]) -> None:
        self._document = document
        self._logs = logs
        self._shares: dict[int, _Share] = {}
        self._digest: Digest | None = None

    def began(self, key: LogKey) -> None:
        """A log more."""
        insort(self._shares.setdefault(share_of(key.author), _Share()).keys, key)
        self.changed(key)

    def ended(self, key: LogKey) -> None:
        """A log less."""
        number = share_of(key.author)
        self._shares[number].keys.remove(key)
        self.changed(key)
        if not self._shares[number].keys:
            del self._shares[number]

    def changed(self, key: LogKey) -> None:
        """A log reaches further, or less far, or is frozen."""
        share = self._shares[share_of(key.author)]
        share.heads, share.digest, self._digest = None, b"", None

    def keys(self, shares: Iterable[int] = ALL_SHARES) -> list[LogKey]:
        """Of the logs in some shares, sorted."""
        return [key for number in shares if number in self._shares for key in self._shares[number].keys]

    def heads(self, shares: Iterable[int] = ALL_SHARES) -> tuple[Head, ...]:
        """Of the logs in some shares, sorted."""
        return tuple(head for number in shares if number in self._shares for head in self._heads(self._shares[number]))

    def digest(self) -> Digest:
        """Hash of all shares: equal on two nodes exactly when they hold the same entries of this document."""
        if self._digest is None:
            self._digest = _together(self._document, {n: self._hash(self._shares[n]) for n in sorted(self._shares)})
        return self._digest

    def digests(self) -> bytes:
        """Of each share the first bytes of its digest, zeros for an empty one."""
        if len(self._shares) == SHARES:
            return b"".join(self._hash(self._shares[n])[:SHARE_DIGEST_BYTES] for n in ALL_SHARES)
        hashes = {number: self._hash(share)[:SHARE_DIGEST_BYTES] for number, share in self._shares.items()}
        return b"".join(hashes.get(number, _NOTHING) for number in ALL_SHARES)

    def differing(self, theirs: bytes) -> tuple[int, ...]:
        """The shares in which another node's digests are not one's own; all of them when it has not told them."""
        if len(theirs) != SHARES * SHARE_DIGEST_BYTES:
            return tuple(ALL_SHARES)
        ours, size = self.digests(), SHARE_DIGEST_BYTES
        return tuple(n for n in ALL_SHARES if ours[n * size : n * size + size] != theirs[n * size : n * size + size])

    def _heads(self, share: _Share) -> tuple[Head, ...]:
        if share.heads is None:
            share.heads = tuple(self._logs[key].summary() for key in share.keys)
        return share.heads

    def _hash(self, share: _Share) -> bytes:
        if not share.digest:
            share.digest = _hash_of(self._heads(share))
        return share.digest


def digest_of(document: DocumentName, heads: Collection[Head]) -> Digest:
    """The digest of a document with these heads, worked out from nothing."""
    shares: dict[int, list[Head]] = {}
    for head in sorted(heads):
        shares.setdefault(share_of(head.author), []).append(head)
    return _together(document, {number: _hash_of(inside) for number, inside in shares.items()})


def _hash_of(heads: Collection[Head]) -> bytes:
    return digest(b"symjam-share", encode(heads))


def _together(document: DocumentName, hashes: Mapping[int, bytes]) -> Digest:
    return Digest(digest(b"symjam-replica", encode((document, list(hashes.items())))))


def bits_of(shares: Iterable[int]) -> bytes:
    """Some shares as a frame names them: one bit each, the first share's the lowest."""
    return sum(1 << number for number in shares).to_bytes(SHARES // 8, "little")


def shares_in(bits: bytes) -> tuple[int, ...]:
    """The shares that a frame names."""
    word = int.from_bytes(bits, "little")
    return tuple(number for number in ALL_SHARES if word >> number & 1)
