"""A node's part in checkpoints: to vote when their time has come, and to go on from what is final (docs/rules.md, 9).

    a round begins      the state `checkpoint_lag` epochs back, or what the rules say instead, is prepared
    enough prepared     the same is committed to
    enough committed    it is final: the ledger begins with its content, documents up to it are past

All that this node has signed is in the ledger, so nothing is signed twice across restarts. A content that is final
and not this node's own, or that more than two thirds of the voters whom it knows go on from, is fetched
(node/engine/fetching.py); so is the one that its user names.
"""

from __future__ import annotations

from typing import Final

from consensus.checkpoint import NO_BASE, NO_VALUE, Value, is_enough, to_commit, to_prepare
from consensus.content import digest_of, pack, unpack
from consensus.ops import Checkpoint, Stage
from consensus.params import Params
from crdt.limits import CONTENTS_KEPT_MAX
from crdt.types import Digest, Epoch, PlayerId, Window
from node.engine.documents import Documents
from node.engine.effects import Effect, Persist
from node.engine.record import checkpoint_item

LOOK_EVERY_US: Final = 250_000
SETTLE_SHARE: Final = 8  # of a round at its beginning, in which the last votes of the round before still spread


class Checkpointing:
    """Votes and adopts. `wanted` is a content that this node has to fetch before it can go on."""

    def __init__(self, params: Params, documents: Documents, trusted: Digest | None = None) -> None:
        self.params, self.documents = params, documents
        self.ledger = documents.ledger
        self.wanted: Digest | None = None
        self._trusted = trusted
        self._contents: dict[Digest, bytes] = {}  # of states that this node has worked out lately
        self._before: tuple[Digest, bytes | None] = (NO_BASE, None)
        self._own: tuple[Epoch, Value | None] | None = None  # in which round, and what this node proposes in it
        self._next_look_us = 0
        self._next_vote_us: dict[PlayerId, int] = {}

    def content(self, digest: Digest) -> bytes | None:
        """The bytes of a content that this node has: the final one, the one before, or one that it has voted for.

        The one before is for newcomers: until the next round begins, nobody's vote names the last one.
        """
        if digest == self.ledger.base.digest:
            return self.documents.checkpoint
        return self._before[1] if digest == self._before[0] else self._contents.get(digest)

    # voting

    def due(self, now_us: int, player: PlayerId) -> tuple[Checkpoint, ...]:
        """What a player of this node signs about checkpoints now."""
        is_early = now_us < self._next_vote_us.get(player, 0)
        if is_early or player not in self.ledger.voters or self.wanted is not None:
            return ()
        self._next_vote_us[player] = now_us + LOOK_EVERY_US
        count, round_ = self.ledger.count(), self.params.epoch_of(self.params.window_at(now_us))
        votes = []
        if now_us >= self._settled_us(round_):
            value = to_prepare(count, player, round_, self._proposal(round_))
            if value is not None:
                votes.append(self._vote(value, Stage.PREPARE))
        value = to_commit(count, player, round_)
        if value is not None:
            votes.append(self._vote(value, Stage.COMMIT))
        return tuple(votes)

    def _vote(self, value: Value, stage: Stage) -> Checkpoint:
        return Checkpoint(value.epoch, value.digest, self.ledger.base.digest, stage)

    def _settled_us(self, round_: Epoch) -> int:
        length_us = self.params.epoch_windows * self.params.window_us
        return self.params.window_start_us(Window(round_ * self.params.epoch_windows)) + length_us // SETTLE_SHARE

    def _proposal(self, round_: Epoch) -> Value | None:
        """What this node has worked out itself for a round: once, whatever comes in later."""
        if self._own is None or self._own[0] != round_:
            epoch = Epoch(round_ - self.params.checkpoint_lag)
            is_new = epoch > self.ledger.base.epoch
            self._own = round_, self._work_out(epoch) if is_new else None
        return self._own[1]

    def _work_out(self, epoch: Epoch) -> Value | None:
        """The state at the end of an epoch, kept for those who ask; None when too few of the voters were there."""
        content = self.ledger.content_at(epoch)
        there = sum(self.ledger.voters.get(somebody.player, 0) for somebody in content.present)
        if not is_enough(there, sum(self.ledger.voters.values())):
            return None
        raw = pack(content)
        digest = digest_of(self.documents.network, raw)
        self._contents[digest] = raw
        while len(self._contents) > CONTENTS_KEPT_MAX:
            del self._contents[next(iter(self._contents))]
        return Value(epoch, digest)

    # going on

    def advance(self, now_us: int) -> list[Effect]:
        """Begin with what has become final, if this node has it; else it is wanted."""
        if now_us < self._next_look_us or not self.params.founders:
            return []
        self._next_look_us = now_us + LOOK_EVERY_US
        final = self.ledger.count().final()
        self.wanted = self._missing(final)
        if final is None or self.wanted is not None:
            return []
        return self.adopt(self._contents[final.digest])

    def _missing(self, final: Value | None) -> Digest | None:
        if final is not None:
            if final.digest not in self._contents and final.epoch > self.ledger.base.epoch:
                self._work_out(final.epoch)
            if final.digest in self._contents:
                return None
        if self._trusted is not None and self.ledger.base == NO_VALUE:
            return self._trusted
        # Whoever came when entries below it were dropped may count votes for one that nobody holds any more.
        return self.ledger.named_base() or (final.digest if final is not None else None)

    def adopt(self, raw: bytes) -> list[Effect]:
        """Begin with a content that is final or trusted. Raises Violation when it is none, or an older one."""
        content = unpack(raw)
        digest = digest_of(self.documents.network, raw)
        if content.epoch > self.ledger.base.epoch:
            self._before = self.ledger.base.digest, self.documents.checkpoint
            self.documents.begin(content, raw)
        self.wanted = self._trusted = self._own = None
        self._contents.clear()
        return [Persist((checkpoint_item(digest, raw),))]
