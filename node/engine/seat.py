"""A seat at this node: a player whose key it holds, and who plays, proposes, votes and earns here.

The owner has one, and so has each guest (docs/guests.md). All seats share the documents, the links and the bench; what
each has of its own is the key, the record of what that key signed last, and what it owes. So a guest costs the node a
signature for each of its entries, and nothing of the store, the sync or the replay index again.
"""

from __future__ import annotations

from dataclasses import dataclass

from crdt.types import PlayerId
from node.engine.authoring import Authoring
from node.engine.duties import Duties


@dataclass
class Seat:
    """One player's pen and duties.

    A guest who is not here signs no pulse, while its blocks are still proposed and its votes cast. One who has left,
    too, until `ends_us`: what it played is not lost. Then it signs nothing more, and the seat goes when all that was
    signed on it is synced.
    """

    authoring: Authoring
    duties: Duties
    is_here: bool = True
    ends_us: int | None = None  # once the guest has left

    @property
    def has_left(self) -> bool:
        """Whether nobody plays on it any more."""
        return self.ends_us is not None

    def has_ended(self, now_us: int) -> bool:
        """Whether nothing more is signed on it."""
        return self.ends_us is not None and now_us >= self.ends_us

    @property
    def player(self) -> PlayerId:
        """Whose it is."""
        return self.authoring.identity.player
