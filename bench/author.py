"""Somebody who signs entries of the ledger, for the parts of the bench that fold them."""

from __future__ import annotations

from consensus import vrf
from consensus.ops import AnyOp, encode_ops
from consensus.params import MAIN, network_id
from crdt.canonical import digest
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.keys import Identity
from crdt.types import NO_ENTRY, NO_NONCE, Epoch, NetworkId, PlayerId, ledger_document

NETWORK = network_id(MAIN)


class Author:
    """A player with its keys, by number, and its ledger in a network."""

    def __init__(self, number: int, network: NetworkId = NETWORK) -> None:
        self._network = network
        self.identity = Identity(digest(b"bench", number.to_bytes(8, "big")))
        self.player: PlayerId = self.identity.player
        self.vrf_seed = self.identity.vrf_seed()
        self.vrf_key = vrf.public_key(self.vrf_seed)
        self._last: Entry | None = None

    def write(self, epoch: Epoch, *ops: AnyOp) -> Entry:
        """The next entry of its ledger, in the document of an epoch."""
        document, payload, last = ledger_document(epoch), encode_ops(ops), self._last
        if last is not None and last.body.document == document:
            body = next_body(last, payload)
        else:
            prev = NO_ENTRY if last is None else last.id
            body = first_body(self._network, document, LogKey(self.player, NO_NONCE), payload, prev)
        self._last = sign(self.identity, self._network, body)
        return self._last
