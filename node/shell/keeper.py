"""The store of a running node, read out at one moment while the music goes on (docs/store.md, Backup).

A LevelDB iterator shows the moment of its first step whatever is written meanwhile. So the first step is taken when
nothing waits to be saved, together with the ledger's root of that moment; the rest is read a piece at a time in a
thread, with a pause after each that is as long as the reading took, and only as fast as somebody takes it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from itertools import chain
from typing import Final

import trio

from crdt.errors import OperatingFailure
from crdt.limits import SNAPSHOTS_MAX
from crdt.store.records import Item, pieces
from node.keep.frames import PIECE, End, Head, failed, frame, said
from node.shell.node import Node

PAUSE_MIN_S: Final = 0.001


class Keeper:
    """Hands out snapshots of one node's store, a few at once."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._open = 0

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """All records as of now, as node/keep/frames.py says. OperatingFailure before the first one only."""
        if self._open >= SNAPSHOTS_MAX:
            why = f"{SNAPSHOTS_MAX} backups or checks of it are under way"
            raise OperatingFailure("the store is not read out", why, "Wait for one of them to end.")
        self._open += 1
        try:
            while not self._node.hands.is_settled:
                await self._node.hands.settled()
            head, items = self._snapshot()
            yield said(head)
            count = 0
            source = pieces(items)
            while True:
                since = trio.current_time()
                piece = await trio.to_thread.run_sync(next, source, None)
                if piece is None:
                    break
                await trio.sleep(max(PAUSE_MIN_S, trio.current_time() - since))
                count += 1
                yield frame(PIECE, piece)
            yield said(End(count))
        except OperatingFailure as failure:
            yield said(failed(failure))
        finally:
            self._open -= 1

    def _snapshot(self) -> tuple[Head, Iterator[Item]]:
        """Head and records of this very moment: nothing else runs in between."""
        node, engine = self._node, self._node.engine
        items = _begun(node.records())
        head = Head(
            name=node.config.store_path.name,
            network=engine.documents.network.hex(),
            preset=node.config.preset,
            player=engine.player.hex(),
            root=engine.ledger.root().hex(),
            entries=sum(replica.entry_count for replica in engine.documents.replicas.values()),
        )
        return head, items


def _begun(items: Iterator[Item]) -> Iterator[Item]:
    """The same, the first step taken already; a failure in it shows when it is read."""
    try:
        first = next(items)
    except StopIteration:
        return items
    except OperatingFailure as failure:
        return map(_fail, (failure,))
    return chain((first,), items)


def _fail(failure: OperatingFailure) -> Item:
    raise failure
