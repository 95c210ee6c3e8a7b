"""One guest who has been let in: its key, what it sees of the node, and how it ends."""

from __future__ import annotations

from typing import Final

import trio

from crdt.limits import (
    GUEST_MESSAGES_PER_S_MAX,
    GUEST_REQUESTS_BURST_MAX,
    GUEST_REQUESTS_PER_S_MAX,
    GUEST_SOCKETS_MAX,
)
from crdt.types import PlayerId
from node.api.http import Http
from node.api.socket import Limits, Sockets
from node.engine.budget import Budget
from node.guests.allow import SPOKEN
from node.guests.backend import GuestBackend
from node.guests.keys import GuestKey

ENDED: Final = (4401, "this invitation has ended")  # how a guest's WebSocket closes: coming back does not help
_LIMITS: Final = Limits(SPOKEN, GUEST_MESSAGES_PER_S_MAX, GUEST_SOCKETS_MAX, ENDED)
GONE_S: Final = 5.0  # without a page, after which a guest is not here any more


class Guest:
    """Known by the secret that its browser offers, of which only the key's file knows the hash."""

    def __init__(self, key: GuestKey, backend: GuestBackend, now_s: float) -> None:
        self.key = key
        self.backend = backend
        self.scope = trio.CancelScope()  # of its tasks
        self._ended = trio.Event()
        self.sockets = Sockets(backend, self._ended, _LIMITS)
        self.http = Http(backend)
        self._requests = Budget(GUEST_REQUESTS_PER_S_MAX, GUEST_REQUESTS_BURST_MAX, backend.now_us())
        self.since_us = backend.now_us()
        self._last_here_s = now_s

    @property
    def player(self) -> PlayerId:
        """Under which key it plays."""
        return self.key.player

    def may_ask(self) -> bool:
        """Whether it may make a request now; counts it if so."""
        return self._requests.affords(1, self.backend.now_us())

    def gone_s(self, now_s: float) -> float:
        """For how long it has had no page open."""
        if self.sockets:
            self._last_here_s = now_s
        return now_s - self._last_here_s

    def end(self) -> None:
        """Close its pages and end its tasks."""
        self._ended.set()
        self.scope.cancel()
