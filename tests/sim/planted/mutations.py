"""Five bugs, planted into the code that nodes run, and a peer that makes use of one of them.

Each is a context in which everything in this process has the bug. They are of the kinds that hide from a reader: a
check that is not made, a sync that does not happen, coins that are not taken back, an order that is nobody's, one vote
too few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from unittest.mock import patch

from consensus.books import Books
from consensus.facts import Facts
from consensus.ops import Attest, Pulse, encode_ops
from consensus.verdict import quorum
from crdt.canonical import encode
from crdt.entry import next_body
from crdt.store.base import Batch
from crdt.store.faulty import FaultyStore
from crdt.types import BlockId, Epoch, PlayerId, Window, ledger_epoch
from node.engine.effects import Effect, Send
from node.engine.frames import Entries, pack
from node.engine.inputs import Input, Tick
from sim.host import Host
from sim.people.policy import Policy


def skipped_signature_check() -> AbstractContextManager[object]:
    """Whatever stands before a body is taken for its author's signature."""
    return patch("crdt.entry.verify", lambda *_: True)


def lost_sync() -> AbstractContextManager[object]:
    """The store is asked to sync, and only writes."""
    write = FaultyStore.write

    def written(store: FaultyStore, batch: Batch, sync: bool) -> None:
        write(store, batch, False)

    return patch.object(FaultyStore, "write", written)


def double_mint() -> AbstractContextManager[object]:
    """Where a reward is shared anew, among more voters say, nobody gives back what they had."""
    mint = Books.mint

    def minted(books: Books, epoch: Epoch, player: PlayerId, block: BlockId, amount_micro: int) -> None:
        mint(books, epoch, player, block, max(0, amount_micro))

    return patch.object(Books, "mint", minted)


def order_of_arrival() -> AbstractContextManager[object]:
    """Votes are counted as they came, not sorted by who gave them."""
    votes_in = Facts.votes_in

    def votes(facts: Facts, slot: object) -> dict[PlayerId, list[Attest]]:
        found = votes_in(facts, slot)  # type: ignore[arg-type]
        came = list(facts._votes.get(slot, ()))  # type: ignore[call-overload]
        return {verifier: found[verifier] for verifier in came if verifier in found}

    return patch.object(Facts, "votes_in", votes)


@contextmanager
def quorum_less_one() -> Iterator[None]:
    """A vote fewer is enough, where more than one is needed."""
    with ExitStack() as stack:
        for module in ("consensus.verdict", "consensus.state"):
            stack.enter_context(patch(f"{module}.quorum", lambda *args: max(1, quorum(*args) - 1)))
        yield


class Forger(Policy):
    """Says, as others, that they are there: the next entry of their ledger log, signed by nobody."""

    def act(self, host: Host, event: Input, effects: list[Effect]) -> list[Effect]:
        """The engine's own, and what is forged."""
        return [*effects, *self._forged(host)] if isinstance(event, Tick) else effects

    def _forged(self, host: Host) -> Iterable[Effect]:
        for name, replica in host.engine.documents.replicas.items():
            for key, log in replica.logs.items():
                if key.author == host.player or ledger_epoch(name) is None:
                    continue
                pulse = Pulse(Window(host.engine.params.window_at(host.now_us) + 1), bytes(16), bytes(32))
                body = next_body(log.entries[-1], encode_ops((pulse,)))
                raw = bytes(64) + encode(body)
                for peer in host.engine.peers:
                    yield Send(peer, pack(Entries(name, (raw,), 0)))
