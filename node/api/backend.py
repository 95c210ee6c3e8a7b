"""What the API asks of a node, and the values it hands over.

The daemon implements `Backend` around its engine; the tests do so around a list in memory. The API holds no state of
the node's own: documents (the shapes of docs/api.md) pass through it as the backend built them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta

from consensus.events import LANES
from crdt.errors import Violation
from crdt.follower import Follower
from crdt.limits import CHART_PARTS_MAX
from crdt.types import DocumentName
from crdt.yupdate import Item
from jam.board import Change
from node.api.bell import Bell
from node.api.notices import Feed
from wallet.keyfile import PASSPHRASE_MAX_BYTES
from wallet.wishes import AnyWish

Doc = Mapping[str, Any]  # one JSON document


class Played(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """One thing played, as a client reports it: a moment on the node's clock, then as in consensus/events."""

    at_us: Annotated[int, Meta(ge=0, le=2**53 - 1)]  # what JavaScript counts exactly
    kind: Annotated[int, Meta(ge=0, le=63)]
    lane: Annotated[int, Meta(ge=0, le=LANES - 1)]
    pitch: Annotated[int, Meta(ge=0, le=127)]
    velocity: Annotated[int, Meta(ge=0, le=127)]


class SessionWish(msgspec.Struct, frozen=True):
    """A session somebody wants to open. Bounds as in consensus/ops.SessionOpen."""

    title: Annotated[str, Meta(max_length=80)] = ""
    tempo_mbpm: Annotated[int, Meta(ge=20_000, le=400_000)] = 120_000
    beats_per_bar: Annotated[int, Meta(ge=1, le=32)] = 4
    subdivision: Annotated[int, Meta(ge=1, le=12)] = 4
    tags: Annotated[tuple[Annotated[str, Meta(max_length=24)], ...], Meta(max_length=8)] = ()


class ChartWish(msgspec.Struct, frozen=True):
    """How a MIDI file is to become a chart (jam/chart.py)."""

    title: Annotated[str, Meta(max_length=80)] = ""
    lanes: Annotated[int, Meta(ge=4, le=LANES)] = LANES
    players: Annotated[int, Meta(ge=1, le=CHART_PARTS_MAX)] = 1
    level: Literal["easy", "medium", "hard"] = "medium"


class SignWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to sign, and the passphrase of the key that signs it, if there is one. Never prints that.

    `request`: a random number by which it can be asked for again, and is signed once.
    """

    wish: AnyWish
    passphrase: Annotated[str, Meta(max_length=PASSPHRASE_MAX_BYTES)] | None = None
    request: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")] | None = None

    def __repr__(self) -> str:
        return f"SignWish({self.wish}, passphrase hidden)"


class Library(Protocol):
    """A node's documents, seen from the door for Yjs clients. Names have been checked."""

    @property
    def grown(self) -> Bell:
        """Rung whenever something was saved."""

    def clocks(self, name: DocumentName) -> Mapping[int, int]:
        """What the node holds of a document: clocks by Yjs client id."""

    def follow(self, name: DocumentName, clocks: Mapping[int, int]) -> Follower:
        """What brings a client that holds `clocks` up to a document, held or not."""

    def elements(self, update: bytes) -> Iterator[Item]:
        """An update's elements. Violation, counted, for what no log can contain."""

    def give(self, name: DocumentName, element: Item) -> None:
        """Take an element in, if it is an entry where its author signed it. Else Violation, counted."""

    def blame(self, violation: Violation) -> None:
        """Count what a client did."""


class Backend(Protocol):
    """A node, seen from its API. Every method may raise OperatingFailure or Violation: the client is told why."""

    def now_us(self) -> int:
        """The node's clock, Unix microseconds: the one that `play` and `event` times are on."""

    def status(self) -> Doc:
        """`symjam.status/1`."""

    def blocks(self, limit: int) -> Sequence[Doc]:
        """Block documents, newest first."""

    def blocks_like(self, begins: str) -> Sequence[Doc]:
        """The blocks whose ids begin with these hexadecimal digits; two at most."""

    def windows(self, limit: int) -> Sequence[Doc]:
        """OwnWindow documents, newest first."""

    def wallet(self) -> Doc:
        """`symjam.wallet/1`."""

    def history(self, limit: int, before: int | None) -> Doc:
        """`symjam.history/1`, newest first; those with a number below `before`, if it is given."""

    def plan(self, wish: AnyWish) -> Doc:
        """`symjam.plan/1`: what would be signed for a wish now. Refused, as `sign`, when nothing would."""

    async def sign(self, wish: AnyWish, passphrase: str | None, number: bytes | None = None) -> Doc:
        """Sign what is wished; returns `symjam.operation/1` once it is saved. Refused when it would not count, or
        when the key is under another passphrase. A request of a known number signs nothing and is answered alike."""

    def operation(self, entry: str) -> Doc:
        """`symjam.operation/1`: what became of an entry of this player's own, by how its id begins."""

    async def requested(self, number: bytes) -> Doc:
        """`symjam.operation/1`: what was signed for a request. Refused when nothing was."""

    def vouches(self) -> Doc:
        """`symjam.vouches/1`: this player's web of trust."""

    def document(self, name: str) -> bytes | None:
        """A document as one Yjs update (v1); None when the node does not hold it."""

    def metrics(self) -> bytes:
        """Prometheus text."""

    def store(self) -> AsyncGenerator[bytes, None]:
        """All records of the store as of now, in frames (node/keep/frames.py): the first may raise OperatingFailure,
        what fails later is a frame itself. To be closed by whoever asked."""

    async def play(self, events: Sequence[Played]) -> Doc:
        """Sign and save events; opens a default session when none is. Returns `{"count", "entries"}` once saved."""

    async def open_session(self, wish: SessionWish) -> Doc:
        """Open a session; returns its document once the entry is saved."""

    async def close_session(self) -> Doc:
        """Close the session that this node opened; returns its document."""

    def jam(self) -> Doc:
        """`symjam.session/1`: the session that is on, and its board."""

    async def edit(self, change: Change) -> Doc:
        """Change the board of the session that is on; returns the board once the entry is saved."""

    def chart(self) -> Doc:
        """`symjam.chart/1`: the chart on the board of the session that is on."""

    async def share_chart(self, wish: ChartWish, raw: bytes) -> Doc:
        """Make a chart of a MIDI file's bytes and put it on the board; returns `symjam.chart/1` once it is saved."""

    async def begin_chart(self) -> Doc:
        """Let the chart begin again, two bars from now."""

    def recording(self, session: str | None) -> Doc:
        """`symjam.recording/1`: what was played in a session; None for the one that is on, or the newest."""

    def midi(self, session: str | None) -> bytes:
        """The same as a Standard MIDI File."""

    def guests(self) -> Doc:
        """`symjam.guests/1`: whether guests are let in, the invitation, and who is here."""

    async def invite(self) -> Doc:
        """Let guests in; returns `symjam.guests/1` once the door for them is open."""

    async def show_out(self) -> Doc:
        """End the invitation and let go of the guests; returns `symjam.guests/1`."""

    def stop(self) -> None:
        """Begin to end the daemon; returns at once."""

    @property
    def library(self) -> Library:
        """Its documents."""

    def subscribe(self) -> Feed:
        """A bounded stream of what happens from now on (see node/api/notices)."""
