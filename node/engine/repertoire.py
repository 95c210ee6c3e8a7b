"""What has been played before: the windows of all blocks in the ledger, for judging originality.

Proposer and verifiers must compare with the same recordings, or their findings would differ; so only what a block in
the ledger names is known, never what this node alone has heard. Whoever has not fetched all of it yet waits, but not
for ever: a log that cannot be had by its own block's vote deadline is not waited for any more, or one absent player
would keep everyone from voting. What a fork of its author cuts off the ledger was heard in time by some and by others
never, so then all let go of it; so they do of what a fork cuts off a jam's log, once the block of it is rejected. It
was paid nothing, and is like any recording that nobody has published; what was accepted stays known.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from consensus.blocks import slice_of
from consensus.chains import Position
from consensus.events import onsets
from consensus.ops import Block, block_id
from consensus.params import Params
from consensus.quality.replay import ReplayIndex
from consensus.verdict import Standing
from crdt.canonical import encode
from crdt.entry import Entry, LogKey
from crdt.types import BlockId, DocumentName, PlayerId, Seq, Window
from node.engine.documents import Documents

WAITING_MAX: Final = 1_024
TAKEN_PER_LOOK: Final = 16
TAKEN_KNOWN_MAX: Final = 65_536


class _Taken(NamedTuple):
    """A recording in the index, and whose block it is of."""

    proposer: PlayerId
    take: bytes
    window: Window


class Repertoire:
    """The replay index, and the blocks whose entries have not come yet."""

    def __init__(self, params: Params, documents: Documents) -> None:
        self.params = params
        self.documents = documents
        self.index = ReplayIndex()
        self.is_being_read = False  # by a judgement under way: nothing is taken in until it is done
        self._floor = Window(-1)  # blocks up to here were too many
        self._waiting: dict[BlockId, tuple[PlayerId, Block]] = {}
        self._taken: OrderedDict[BlockId, _Taken] = OrderedDict()
        self._cuts: dict[PlayerId, Position] = {}
        self._doubtful: set[BlockId] = set()  # taken in, and their logs have been cut since

    def add(self, proposer: PlayerId, block: Block) -> None:
        """Learn of a block; its onsets are taken in once its entries are held. Of too many the newest are kept."""
        if len(self._waiting) >= WAITING_MAX:
            if block.window <= self._floor:
                return
            oldest = min(self._waiting, key=lambda known: self._waiting[known][1].window)
            self._floor = self._waiting.pop(oldest)[1].window
        self._waiting[block_id(proposer, block)] = (proposer, block)

    def forked(self, key: LogKey, document: DocumentName, seq: Seq) -> None:
        """A log of a jam has been cut there."""
        theirs = [known for known, one in self._taken.items() if one.proposer == key.author]
        for state in filter(None, map(self.documents.ledger.block, theirs)):
            if (state.op.document, state.op.nonce) == (document, key.nonce) and state.op.last >= seq:
                self._doubtful.add(state.id)

    def is_complete_before(self, window: Window, now_us: int) -> bool:
        """Whether everything that blocks of earlier windows name is known, as far as it can still be expected."""
        self._take_in()
        kept = self.params.window_at(now_us) - self.params.keep_windows
        for old in [known for known, (_, block) in self._waiting.items() if block.window < kept]:
            del self._waiting[old]  # its entries are asked of nobody any more
        given_up = self.params.window_at(max(0, now_us - self.params.vote_deadline_ms * 1_000))
        return not any(given_up <= block.window < window for _, block in self._waiting.values())

    def _take_in(self) -> None:
        if self.is_being_read:
            return
        self._let_go()
        taken = 0
        for known, (proposer, block) in list(self._waiting.items()):
            if taken == TAKEN_PER_LOOK:  # after a start there is much to take in, and music to carry meanwhile
                break
            entries = entries_around(self.documents, proposer, block)
            session = self.documents.ledger.session(block.session)
            if session is None or not entries or entries[-1].body.seq < block.last:
                continue
            del self._waiting[known]
            taken += 1
            cut = slice_of(self.params, session, block.window, entries)
            if cut is not None:
                take = encode((proposer, block.session))
                self.index.add(take, block.window, onsets(cut.events))
                self._taken[known] = _Taken(proposer, take, block.window)
                if len(self._taken) > TAKEN_KNOWN_MAX:
                    self._doubtful.discard(self._taken.popitem(last=False)[0])

    def _let_go(self) -> None:
        """Of players who have forked, what no block of the ledger names any more."""
        ledger = self.documents.ledger
        cuts = ledger.cuts()
        if cuts != self._cuts:
            moved = {player for player, place in cuts.items() if self._cuts.get(player) != place}
            self._cuts = cuts
            for known, one in list(self._taken.items()):
                if one.proposer in moved and ledger.block(known) is None:
                    self._drop(known)
        for known in list(self._doubtful):
            state = ledger.block(known)
            if state is None or state.standing is Standing.REJECTED:
                self._drop(known)
        for known, (proposer, _) in list(self._waiting.items()):
            if proposer in cuts and ledger.block(known) is None:
                del self._waiting[known]

    def _drop(self, known: BlockId) -> None:
        self._doubtful.discard(known)
        one = self._taken.pop(known, None)
        if one is not None:
            self.index.forget(one.take, one.window)


def entries_around(documents: Documents, proposer: PlayerId, block: Block, margin: int = 64) -> Sequence[Entry]:
    """The entries a block names, as far as they are held, with some on either side."""
    replica = documents.replicas.get(block.document)
    log = replica.logs.get(LogKey(proposer, block.nonce)) if replica else None
    if log is None:
        return ()
    return log.entries[max(0, block.first - margin) : block.last + 1 + margin]
