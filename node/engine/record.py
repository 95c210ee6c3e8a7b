"""The final checkpoint in the store: its digest, then its content. What does not fit its digest is not believed."""

from __future__ import annotations

from typing import Final

from consensus.content import digest_of, unpack
from crdt.errors import Violation
from crdt.store.keys import meta_key
from crdt.types import Digest, NetworkId

CHECKPOINT_KEY: Final = meta_key("checkpoint")


def checkpoint_item(digest: Digest, raw: bytes) -> tuple[bytes, bytes]:
    """The (key, value) that saves a checkpoint's content."""
    return CHECKPOINT_KEY, digest + raw


def checkpoint_in(network: NetworkId, value: bytes | None) -> bytes | None:
    """The content in a saved record; None when there is none, or one that is damaged or not to be read any more."""
    if value is None or digest_of(network, value[32:]) != value[:32]:
        return None
    try:
        unpack(value[32:])
    except Violation:
        return None
    return value[32:]
