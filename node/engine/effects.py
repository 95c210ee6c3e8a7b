"""What the engine asks its shell to do, in order.

`Persist.then` holds what may happen only once the batch is written (and synced, if it says so): save first, then
speak. Effects outside it do not wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from consensus.events import Event
from crdt.errors import Reason
from crdt.types import BlockId, DocumentName, EntryId, PlayerId, Seq, SessionId, Window


class Signed(NamedTuple):
    """The record to sync before a ledger entry leaves: the last thing signed in a document."""

    document: DocumentName
    seq: Seq
    entry: EntryId
    author: PlayerId


@dataclass(frozen=True, slots=True)
class Send:
    """Give a frame to a linked peer."""

    player: PlayerId
    frame: bytes


@dataclass(frozen=True, slots=True)
class Persist:
    """Write a batch atomically; `None` deletes. Then, and only then, do `then`."""

    batch: tuple[tuple[bytes, bytes | None], ...]
    sync: bool = False
    signed: Signed | None = None
    then: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirm:
    """Tell the engine (`Confirmed`) that a ledger entry is synced: only now may peers have it, in any way."""

    signed: Signed


@dataclass(frozen=True, slots=True)
class Hint:
    """Publish a few bytes to whoever listens beyond the direct links."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Publish:
    """Gossip a frame of entries to whoever listens without a link."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class Refuse:
    """Disconnect a peer and refuse it for a time."""

    player: PlayerId
    reason: Reason
    for_s: int


@dataclass(frozen=True, slots=True)
class Declined:
    """The answer to an `ElementGiven` that was not taken in."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Work:
    """Compute something long away from where music is carried, and hand the result back as `Worked`.

    `task` is pure and reads only what the engine leaves alone until then; there is one at a time.
    """

    ticket: int
    task: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Heard:
    """Events became part of a session's document here; `entries` of them were signed by `player`."""

    player: PlayerId
    session: SessionId
    events: tuple[Event, ...]
    entries: int


@dataclass(frozen=True, slots=True)
class BoardChanged:
    """Somebody edited what a jam shares: title, tempo, chart, parts, chat."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class BlockChanged:
    """A block is new, or its verdict or reward has changed."""

    block: BlockId


@dataclass(frozen=True, slots=True)
class WindowJudged:
    """A window that somebody played in at this node has been proposed or refused."""

    window: Window
    player: PlayerId


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """Another session is current, or none."""

    session: SessionId | None


News = Heard | BoardChanged | BlockChanged | WindowJudged | SessionChanged
Effect = Send | Persist | Confirm | Hint | Publish | Refuse | Declined | Work | News
