"""The node as one guest's page sees it: this guest's own notes, windows and coins, and what everybody may watch.

Whatever else `Backend` can do is refused here as well as at the door (node/guests/allow.py): a mistake there alone
lets nobody in.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import Any, Final, Never

from crdt.errors import OperatingFailure
from crdt.limits import GUEST_EVENTS_BURST_MAX, GUEST_EVENTS_PER_S_MAX
from crdt.types import PlayerId
from jam.board import Change
from node.api.backend import Backend, ChartWish, Doc, Library, Played, SessionWish
from node.api.errors import NOT_FOR_GUESTS
from node.api.notices import Board, Feed
from node.engine.budget import Budget
from node.engine.inputs import Played as EnginePlayed
from node.shell import purse, views
from node.shell.history import history
from node.shell.node import Node
from node.shell.pump import Pump
from node.shell.scorer import Scorer
from wallet.wishes import AnyWish

# Of a status: what a guest may know. What is not named here stays with the owner.
SHOWN: Final = (
    "schema", "version", "preset", "network", "now_us", "window", "window_s", "window_ends_us", "epoch", "ledger",
    "guests",
)  # fmt: skip
PEER_SHOWN: Final = (
    "player", "rtt_us", "loss_permille", "transport", "clock", "synced", "behind_entries", "links", "since_us",
)  # fmt: skip
TOO_FAST: Final = OperatingFailure(
    "too much at once", f"a guest plays {GUEST_EVENTS_PER_S_MAX} events a second", "Play slower."
)


class GuestBackend:
    """node.api.backend.Backend for one guest. `owner`: the node's own; `status`: its status, perhaps a moment old."""

    def __init__(self, player: PlayerId, node: Node, owner: Backend, status: Callable[[], Doc]) -> None:
        self.player = player
        self.board = Board()
        self._node = node
        self._owner = owner
        self._status = status
        self._duties = node.engine.seats.of(player).duties
        self._events = Budget(GUEST_EVENTS_PER_S_MAX, GUEST_EVENTS_BURST_MAX, node.clock.now_us())
        engine, now_us = node.engine, node.clock.now_us
        sign = partial(node.play_now, guest=player)
        self.pump = Pump(sign, lambda: not engine.peers, lambda: engine.can_place(now_us()))
        self.scorer = Scorer(self._duties, self.board.publish)

    # what a guest may do

    async def play(self, events: Sequence[Played]) -> Doc:
        """Sign, save and send events; returns once they are saved."""
        if not self._events.affords(len(events), self.now_us()):
            raise TOO_FAST
        played = tuple(EnginePlayed(e.at_us, e.kind, e.lane, e.pitch, e.velocity) for e in events)
        await self.pump.play(played)
        return {"count": len(played), "entries": 1}

    # what a guest may see

    def now_us(self) -> int:
        """The node's clock."""
        return self._node.clock.now_us()

    def status(self) -> Doc:
        """`symjam.status/1`, as far as a guest may know it."""
        whole, now_us = self._status(), self.now_us()
        return {
            **{name: whole[name] for name in SHOWN},
            "player": self.player.hex(),
            "host": whole["player"],
            "peers": [{name: peer.get(name) for name in PEER_SHOWN} for peer in whole["peers"]],
            "session": self.session(),
            "riff": views.riff(self._node.engine, now_us, self.player),
            "score": self.scorer.latest,
        }

    def session(self) -> dict[str, Any] | None:
        """The jam that is on; it is never a guest's."""
        now_us = self.now_us()
        return views.session(self._node.engine.current_session(now_us), self.player, now_us)

    def blocks(self, limit: int) -> Sequence[Doc]:
        """As for anybody."""
        return self._owner.blocks(limit)

    def blocks_like(self, begins: str) -> Sequence[Doc]:
        """As for anybody."""
        return self._owner.blocks_like(begins)

    def windows(self, limit: int) -> Sequence[Doc]:
        """Of this guest."""
        return [views.window(outcome) for outcome in list(self._duties.outcomes.values())[::-1][:limit]]

    def wallet(self) -> Doc:
        """Of this guest."""
        return purse.wallet(self._node.engine, self.player)

    def history(self, limit: int, before: int | None) -> Doc:
        """Of this guest."""
        return history(self._node.engine, self.now_us(), limit, before, self.player)

    def jam(self) -> Doc:
        """The session and its board."""
        return {**self._owner.jam(), "session": self.session()}

    def chart(self) -> Doc:
        """As for anybody."""
        return self._owner.chart()

    def subscribe(self) -> Feed:
        """A watcher's queue."""
        return self.board.subscribe()

    # what is the owner's

    def _refuse(self) -> Never:
        raise NOT_FOR_GUESTS

    @property
    def library(self) -> Library:
        """Refused."""
        self._refuse()

    def plan(self, wish: AnyWish) -> Doc:
        """Refused."""
        self._refuse()

    async def sign(self, wish: AnyWish, passphrase: str | None, number: bytes | None = None) -> Doc:
        """Refused."""
        self._refuse()

    async def requested(self, number: bytes) -> Doc:
        """Refused."""
        self._refuse()

    def operation(self, entry: str) -> Doc:
        """Refused."""
        self._refuse()

    def vouches(self) -> Doc:
        """Refused."""
        self._refuse()

    def document(self, name: str) -> bytes | None:
        """Refused."""
        self._refuse()

    def metrics(self) -> bytes:
        """Refused."""
        self._refuse()

    def store(self) -> AsyncGenerator[bytes, None]:
        """Refused."""
        self._refuse()

    async def open_session(self, wish: SessionWish) -> Doc:
        """Refused."""
        self._refuse()

    async def close_session(self) -> Doc:
        """Refused."""
        self._refuse()

    async def edit(self, change: Change) -> Doc:
        """Refused."""
        self._refuse()

    async def share_chart(self, wish: ChartWish, raw: bytes) -> Doc:
        """Refused."""
        self._refuse()

    async def begin_chart(self) -> Doc:
        """Refused."""
        self._refuse()

    def recording(self, session: str | None) -> Doc:
        """Refused."""
        self._refuse()

    def midi(self, session: str | None) -> bytes:
        """Refused."""
        self._refuse()

    def guests(self) -> Doc:
        """Refused."""
        self._refuse()

    async def invite(self) -> Doc:
        """Refused."""
        self._refuse()

    async def show_out(self) -> Doc:
        """Refused."""
        self._refuse()

    def stop(self) -> None:
        """Refused."""
        self._refuse()
