"""A restored key in a network: in which epoch it was first here, so that no start of the node puts that off.

file = canonical [mark of the restoration, epoch]
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical
from crdt.errors import Violation
from crdt.store.atomic import read_small, replace_file
from crdt.types import Epoch
from node.shell.config import Config
from wallet.keystore import MARK_BYTES, restored_mark

_MAX_BYTES: Final = 64


class _Since(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    mark: Annotated[bytes, Meta(min_length=MARK_BYTES, max_length=MARK_BYTES)]
    epoch: Annotated[Epoch, Meta(ge=0, le=2**40)]


_sinces: Canonical[_Since] = Canonical(_Since, _MAX_BYTES)


def restored_until(config: Config, now: Epoch) -> Epoch | None:
    """Up to which epoch the key may have signed in this network elsewhere; None when it was made here.

    That is the epoch in which a node first ran with it here after it was restored: by then it no longer runs elsewhere.
    """
    mark = restored_mark(config.keys_path)
    if mark is None:
        return None
    try:
        known = _sinces.decode(read_small(config.restored_path) or b"")
        if known.mark == mark:
            return known.epoch
    except Violation:
        pass  # damaged, or never written: from now on, which is only more careful
    replace_file(config.restored_path, _sinces.encode(_Since(mark.ljust(MARK_BYTES, b"\0")[:MARK_BYTES], now)))
    return now
