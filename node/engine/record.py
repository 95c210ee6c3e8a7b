"""Two records in the store: the final checkpoint (its digest, then its content), and the rules of the network.

What does not fit its digest is not believed; the rules' digest is the network's id. They are there so that a store can
be read and its ledger folded by whoever has nothing but the store.
"""

from __future__ import annotations

from typing import Final

from consensus.content import digest_of, unpack
from consensus.params import PRESETS, Params, network_id
from crdt.canonical import Canonical
from crdt.errors import Violation
from crdt.limits import RULES_MAX_BYTES
from crdt.store.keys import meta_key
from crdt.types import Digest, NetworkId

CHECKPOINT_KEY: Final = meta_key("checkpoint")
RULES_KEY: Final = meta_key("rules")

_rules: Canonical[Params] = Canonical(Params, RULES_MAX_BYTES)


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


def rules_item(params: Params) -> tuple[bytes, bytes]:
    """The (key, value) that saves a network's rules."""
    return RULES_KEY, _rules.encode(params)


def rules_in(network: NetworkId, value: bytes | None) -> Params | None:
    """The rules of a network in a saved record; without one, those of a preset, where they are the network's."""
    if value is None:
        return next((params for params in PRESETS.values() if network_id(params) == network), None)
    try:
        params = _rules.decode(value)
    except Violation:
        return None
    return params if network_id(params) == network else None
