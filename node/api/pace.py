"""How fast a client may speak: what comes faster waits, and so does whoever sends it."""

from __future__ import annotations

import trio


class Pace:
    """Lets through so many messages in each second; further ones wait for the next."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._since = trio.current_time()
        self._count = 0

    async def keep(self) -> None:
        """One message more."""
        if trio.current_time() >= self._since + 1:
            self._since, self._count = trio.current_time(), 0
        self._count += 1
        if self._count > self._per_s:
            await trio.sleep_until(self._since + 1)
