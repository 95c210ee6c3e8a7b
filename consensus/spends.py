"""What players do with their coins: transfers, stakes and unstakes, by author and epoch, in the order of its log.

Whether one is funded is not said here but worked out (consensus/accounts.py).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter

from consensus.chains import Source
from consensus.ops import LotRef, Spend, Transfer
from crdt.types import Epoch, PlayerId


class Spends:
    """The index. `say` and `unsay` are inverse; `has_place` is asked first."""

    def __init__(self) -> None:
        self.changed: dict[tuple[Epoch, PlayerId], int] = {}  # from which place in its order on
        self._said: dict[tuple[Epoch, PlayerId], list[tuple[Source, Spend]]] = {}

    def has_place(self, author: PlayerId, op: Spend) -> bool:
        """Whether an operation makes sense: lots ascend, each block once, and nobody pays oneself."""
        return is_ascending(op.lots) and not (isinstance(op, Transfer) and op.to == author)

    def say(self, source: Source, op: Spend) -> None:
        """Take in an operation. In the order of its log it goes to the end."""
        key = (source.epoch, source.author)
        said = self._said.setdefault(key, [])
        at = len(said) if not said or said[-1][0] < source else bisect_left(said, source, key=itemgetter(0))
        said.insert(at, (source, op))
        self.changed[key] = min(at, self.changed.get(key, at))

    def unsay(self, source: Source, op: Spend) -> None:
        """Take an operation back."""
        key = (source.epoch, source.author)
        at = self._said[key].index((source, op))
        del self._said[key][at]
        if not self._said[key]:
            del self._said[key]
        self.changed[key] = min(at, self.changed.get(key, at))

    def of(self, author: PlayerId, epoch: Epoch) -> Sequence[tuple[Source, Spend]]:
        """What an author did in an epoch, in the order of its log. The index's own list: not to be changed."""
        return self._said.get((epoch, author), ())


def is_ascending(lots: Sequence[LotRef]) -> bool:
    """Whether lots ascend strictly by block."""
    return len(lots) < 2 or all(lots[i].block < lots[i + 1].block for i in range(len(lots) - 1))
