"""How much a ledger holds."""

from __future__ import annotations

from typing import NamedTuple


class Counts(NamedTuple):
    """How much the ledger holds. `misplaced` operations stood in a document where they do not count."""

    entries: int
    authors: int
    sessions: int
    pending: int
    local: int
    rejected: int
    skipped: int
    misplaced: int
    cut: int
