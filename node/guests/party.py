"""Who is let in: the invitation, and the guests that have come by it (docs/guests.md).

The invitation is a token of 256 bits in the link. It lets a browser in, once or again; what it gets for it is a secret
of its own, by which it is the same guest from then on. The invitation ends when guests are shown out, when the node
ends, and when the jam is over and no other follows: then everyone is out, and a new one begins for the next jam. Who
comes back by that one, with its secret, has its key again.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Any, Final

import trio

from crdt.errors import Misuse
from crdt.limits import GUESTS_MAX
from crdt.types import PlayerId
from node.api.backend import Backend, Doc
from node.api.errors import Refusal
from node.guests.backend import GuestBackend
from node.guests.guest import GONE_S, Guest
from node.guests.keys import GuestKey, GuestKeys
from node.mesh.doorman import Doorman
from node.shell.node import Node
from wallet.words import ENTROPY_BYTES

LOOK_EVERY_S: Final = 1.0
SCORE_EVERY_S: Final = 0.5  # of all guests together: each score takes a part of that
STATUS_KEPT_S: Final = 0.5
ROOM_AFTER_S: Final = 60.0  # without a page, after which somebody else may have a guest's seat


def ended() -> Refusal:
    """What a browser is told that was not invited, or not any more."""
    remedy = "Ask whoever invited you for a new one: their page and their terminal show it."
    return Refusal(401, "not invited", "this invitation has ended, or it is none", remedy)


class Party:
    """The guests of one node while they are let in. `run` it in a nursery."""

    def __init__(self, node: Node, owner: Backend, keys: GuestKeys, renewed: Callable[[], None]) -> None:
        self.token = secrets.token_urlsafe(32)
        self._node = node
        self._owner = owner
        self._keys = keys
        self._renewed = renewed
        self._guests: list[Guest] = []
        self._doorman = Doorman()
        self._joining = trio.Lock()
        self._had_jam = False
        self._whole: tuple[float, Doc] | None = None
        self._nursery: trio.Nursery

    async def run(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled; then everyone is out."""
        try:
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self._node.guard.forever, "guests", self._look_forever)
                self._nursery.start_soon(self._node.guard.forever, "guests", self._score_forever)
                task_status.started()
        finally:
            self._end_all()

    def of(self, secret: str) -> Guest | None:
        """The guest that has this secret and was let in; None for anybody else."""
        return next((guest for guest in self._guests if secret and guest.key.is_known_by(secret)), None)

    async def join(self, token: str, secret: str, host: str) -> tuple[Guest, str]:
        """Let a browser in, which may have been here before; the guest that it is, and its secret. Raises Refusal."""
        now_s = trio.current_time()
        if not self._doorman.lets_in(host, now_s):
            raise Refusal(429, "too many tries", "this device knocks too often", "Wait half a minute, then try again.")
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode()):
            self._doorman.offended(host, now_s)
            raise ended()
        async with self._joining:
            known = self.of(secret)
            if known is not None:
                return known, secret
            key = self._keys.of(secret) if secret else None
            if key is None:
                secret = secrets.token_urlsafe(32)
                entropy = secrets.token_bytes(ENTROPY_BYTES)
                seated = {guest.player for guest in self._guests} | set(self._node.engine.seats.guests)
                key = await trio.to_thread.run_sync(self._keys.make, entropy, secret, seated)
            identity = await trio.to_thread.run_sync(key.identity)
            if token != self.token:  # it ended meanwhile
                raise ended()
            self._make_room()
            try:
                self._node.admit(identity, key.signed_path(self._node.config.network_name))
            except Misuse as misuse:
                raise Refusal(503, "no seat is free", str(misuse), "Come back when somebody has left.") from misuse
            return self._seat(key), secret

    def _seat(self, key: GuestKey) -> Guest:
        backend = GuestBackend(key.player, self._node, self._owner, self._status)
        guest = Guest(key, backend, trio.current_time())
        self._guests.append(guest)
        self._nursery.start_soon(self._serve, guest)
        return guest

    async def _serve(self, guest: Guest) -> None:
        with guest.scope:
            await self._node.guard.forever("guest-pump", guest.backend.pump.run_forever)

    def leave(self, guest: Guest) -> None:
        """A guest goes: its pages close. A key that was taken home may be in use elsewhere, and signs nothing more."""
        guest.end()
        self._guests.remove(guest)
        self._node.dismiss(guest.player, at_once=guest.key.is_taken)

    def _make_room(self) -> None:
        """When all seats are taken, of the guests who have been gone for a while the longest gone makes room."""
        now_s = trio.current_time()
        gone = max(self._guests, key=lambda guest: guest.gone_s(now_s), default=None)
        if gone is not None and len(self._guests) >= GUESTS_MAX and gone.gone_s(now_s) >= ROOM_AFTER_S:
            self.leave(gone)

    def _end_all(self) -> None:
        for guest in list(self._guests):
            self.leave(guest)

    def _status(self) -> Doc:
        """The owner's status, not worked out for each guest anew."""
        now_s = trio.current_time()
        if self._whole is None or now_s - self._whole[0] >= STATUS_KEPT_S:
            self._whole = (now_s, self._owner.status())
        return self._whole[1]

    # time

    async def _look_forever(self) -> None:
        while True:
            await trio.sleep(LOOK_EVERY_S)
            self._look()

    def _look(self) -> None:
        now_s = trio.current_time()
        for guest in self._guests:
            self._node.engine.seats.of(guest.player).is_here = guest.gone_s(now_s) < GONE_S
            guest.sockets.tell_status_once()
        has_jam = self._node.engine.current_session(self._node.clock.now_us()) is not None
        is_over = self._had_jam and not has_jam
        self._had_jam = has_jam
        if is_over:
            self._end_all()
            self.token = secrets.token_urlsafe(32)
            self._renewed()

    async def _score_forever(self) -> None:
        while True:
            await trio.sleep(SCORE_EVERY_S)
            for guest in list(self._guests):
                if await guest.backend.scorer.look():
                    await trio.sleep(SCORE_EVERY_S)

    def shown(self) -> list[dict[str, Any]]:
        """The guests as `symjam.guests/1` has them."""
        now_s = trio.current_time()
        return [
            {"player": g.player.hex(), "here": g.gone_s(now_s) < GONE_S, "since_us": g.since_us} for g in self._guests
        ]

    def backends(self, player: PlayerId | None = None) -> list[GuestBackend]:
        """What the guests watch; one guest's only, if it says whose."""
        return [guest.backend for guest in self._guests if player in (None, guest.player)]
