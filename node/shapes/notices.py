"""What the live WebSocket tells a page, message by message."""

from __future__ import annotations

import msgspec

from node.shapes.common import Hex, Shape
from node.shapes.jam import Board, Event, Score, Session
from node.shapes.ledger import Block, OwnWindow
from node.shapes.status import Status

Id = int | str | None


class ToldHello(Shape, frozen=True, tag_field="type", tag="hello"):
    """First, and after `resync`: how things are, with the newest 60 blocks and windows."""

    status: Status
    blocks: list[Block]
    windows: list[OwnWindow]


class ToldStatus(Shape, frozen=True, tag_field="type", tag="status"):
    """Every second."""

    status: Status


class ToldEvents(Shape, frozen=True, tag_field="type", tag="event"):
    """Something was played; each event's last number is the moment on the node's clock."""

    player: Hex
    session: Hex
    t0_at_us: int | None
    entries: int
    events: list[Event]


class ToldBlock(Shape, frozen=True, tag_field="type", tag="block"):
    """A block has changed."""

    block: Block


class ToldWindow(Shape, frozen=True, tag_field="type", tag="window"):
    """One of this player's windows was judged."""

    window: OwnWindow


class ToldScore(Shape, frozen=True, tag_field="type", tag="score"):
    """While this player plays."""

    score: Score


class ToldSession(Shape, frozen=True, tag_field="type", tag="session"):
    """A session opened, changed or closed; with `id` the answer to `open` and `close`."""

    session: Session | None
    id: Id | msgspec.UnsetType = msgspec.UNSET


class ToldBoard(Shape, frozen=True, tag_field="type", tag="board"):
    """Somebody changed the board of a session."""

    session: Hex
    board: Board


class ToldEdited(Shape, frozen=True, tag_field="type", tag="edited"):
    """The change of that `say` or `edit` is saved."""

    id: Id
    board: Board


class ToldPlayed(Shape, frozen=True, tag_field="type", tag="played"):
    """The events of that `play` are saved."""

    id: Id
    count: int
    entries: int


class ToldPong(Shape, frozen=True, tag_field="type", tag="pong"):
    """At once."""

    id: Id
    node_us: int


class ToldError(Shape, frozen=True, tag_field="type", tag="error"):
    """A message was refused; the connection goes on."""

    what: str
    why: str
    remedy: str
    id: Id | msgspec.UnsetType = msgspec.UNSET


class ToldResync(Shape, frozen=True, tag_field="type", tag="resync"):
    """This client read too slowly, and notices were dropped."""


Notice = (
    ToldHello
    | ToldStatus
    | ToldEvents
    | ToldBlock
    | ToldWindow
    | ToldScore
    | ToldSession
    | ToldBoard
    | ToldEdited
    | ToldPlayed
    | ToldPong
    | ToldError
    | ToldResync
)
