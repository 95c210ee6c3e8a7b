"""Where windows and blocks are measured, for everybody who plays at this node: its owner and the guests.

Measuring takes some hundredths of a second (docs/quality.md), more than a note may wait. So it is handed out as
`Work`, one at a time, and a duty whose finding is not back yet is simply taken up again at a later look. A block is
judged once, whoever of them has to vote on it: they know the same, so they find the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from consensus.ops import Block, Pulse, block_id
from consensus.params import Params
from crdt.types import BlockId, EntryId, PlayerId, Window
from node.engine.documents import Documents
from node.engine.effects import Work
from node.engine.repertoire import WAITING_MAX, Repertoire

SEEN_MAX: Final = 4_096
PULSES_HEARD_MAX: Final = 4  # of one player in one window: more than one is a fork already
JOB_TIMEOUT_US: Final = 30_000_000

T = TypeVar("T")


class OwnWindow(NamedTuple):
    """A window that one of this node's players played in."""

    player: PlayerId
    window: Window


Subject = BlockId | OwnWindow


class _Job(NamedTuple):
    """The work under way: what for, and until when it is waited for."""

    ticket: int
    subject: Subject
    until_us: int


class Bench:
    """What this node has noticed and worked out. `started_us`: since when it looks on."""

    def __init__(self, params: Params, documents: Documents, now_us: int) -> None:
        self.repertoire = Repertoire(params, documents)
        self.started_us = now_us
        self._seen_us: OrderedDict[BlockId, int] = OrderedDict()
        self._heard: OrderedDict[tuple[Window, PlayerId], dict[EntryId, Pulse]] = OrderedDict()  # cut since then or not
        self._findings: OrderedDict[Subject, object] = OrderedDict()
        self._job: _Job | None = None
        self._tickets = 0
        self._work: list[Work] = []
        for state in documents.ledger.blocks()[-WAITING_MAX:]:
            self.repertoire.add(state.proposer, state.op)

    def saw(self, proposer: PlayerId, block: Block, now_us: int) -> None:
        """A block has come; when it came decides whether it was in time."""
        self.repertoire.add(proposer, block)
        self._seen_us.setdefault(block_id(proposer, block), now_us)
        if len(self._seen_us) > SEEN_MAX:
            self._seen_us.popitem(last=False)

    def seen_us(self, block: BlockId) -> int | None:
        """When a block came; None when it was there at the start, or long ago."""
        return self._seen_us.get(block)

    def heard(self, player: PlayerId, entry: EntryId, pulse: Pulse) -> None:
        """A pulse has come. Who rested a riff on it did so in good faith, even if its author has forked."""
        said = self._heard.setdefault((pulse.window, player), {})
        if len(said) < PULSES_HEARD_MAX:
            said[entry] = pulse
        if len(self._heard) > SEEN_MAX:
            self._heard.popitem(last=False)

    def pulses(self, window: Window, player: PlayerId) -> Mapping[EntryId, Pulse] | None:
        """A player's pulses heard in a window, by their entries; None when there was none."""
        return self._heard.get((window, player))

    def finding(self, subject: Subject, now_us: int, task: Callable[[], T], kind: type[T]) -> T | None:
        """What a task came to; None until it is done, and handed out unless another is under way."""
        found = self._findings.get(subject)
        if isinstance(found, kind):
            return found
        if self._job is None or self._job.until_us <= now_us:
            self._tickets += 1
            self._job = _Job(self._tickets, subject, now_us + JOB_TIMEOUT_US)
            self._work.append(Work(self._tickets, task))
            self.repertoire.is_being_read = True
        return None

    def take_work(self) -> tuple[Work, ...]:
        """What is to be handed out, once."""
        work, self._work = self._work, []
        return tuple(work)

    def worked(self, ticket: int, result: object) -> bool:
        """A judgement is done. False for one that came after it was given up: it is not wanted any more."""
        if self._job is None or self._job.ticket != ticket:
            return False
        self._findings[self._job.subject] = result
        if len(self._findings) > SEEN_MAX:
            self._findings.popitem(last=False)
        self._job = None
        self.repertoire.is_being_read = False
        return True
