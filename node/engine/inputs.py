"""What the shell tells the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from consensus.ops import AnyOp
from crdt.errors import Reason
from crdt.types import DocumentName, PlayerId
from crdt.yupdate import Item
from jam.board import Change
from node.engine.effects import Signed
from node.engine.requests import Request


class Played(NamedTuple):
    """One local event, stamped on the node's clock."""

    at_us: int
    kind: int
    lane: int
    pitch: int
    velocity: int
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class PeerJoined:
    """A direct link to a player is up; its key was proven by the transport."""

    player: PlayerId


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """The direct link is gone."""

    player: PlayerId


@dataclass(frozen=True, slots=True)
class PeerViolated:
    """The transport saw a violation below the level of frames."""

    player: PlayerId | None
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """One whole frame from a linked player."""

    player: PlayerId
    frame: bytes


@dataclass(frozen=True, slots=True)
class HintReceived:
    """Gossip, from anyone."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ElementGiven:
    """One element of a Yjs update, from a client at the door."""

    document: DocumentName
    element: Item


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. `listeners`: how many follow new entries by gossip."""

    listeners: int = 0


@dataclass(frozen=True, slots=True)
class Probing:
    """A moment to ask a peer for its clock, if one is due: given with a time that is as late as can be."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A ledger entry of this node's own is synced."""

    signed: Signed


@dataclass(frozen=True, slots=True)
class Worked:
    """What a `Work` came to."""

    ticket: int
    result: object


@dataclass(frozen=True, slots=True)
class Play:
    """The local player played, or a guest; all that waited while the last entry was being written comes together."""

    events: tuple[Played, ...]
    guest: PlayerId | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """The local player changes something on the board of the jam that is on."""

    change: Change


@dataclass(frozen=True, slots=True)
class OpenSession:
    """The local player starts a jam."""

    title: str
    tempo_mbpm: int
    beats_per_bar: int
    subdivision: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CloseSession:
    """The local player ends the jam it opened."""


@dataclass(frozen=True, slots=True)
class Sign:
    """The local player pays, stakes, vouches, reports or witnesses: one entry of these, if each would count.

    `request`: remembered with the entry. Whoever gives it has looked whether it is known (`Engine.requests`).
    """

    ops: tuple[AnyOp, ...]
    request: Request | None = None


Input = (
    PeerJoined
    | PeerLeft
    | PeerViolated
    | FrameReceived
    | HintReceived
    | ElementGiven
    | Tick
    | Probing
    | Confirmed
    | Worked
    | Play
    | Edit
    | OpenSession
    | CloseSession
    | Sign
)
