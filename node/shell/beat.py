"""How often the engine is given a tick: often while things happen, seldom while nothing does.

A tick folds what came, asks for what is missing and does what is due. While somebody plays or entries come that has to
be soon. In an idle room such ticks were half of what a node costs (`python -m bench.idle`), and all that falls due
there, a window that ends, a hint, a request that was not answered, falls due by the second.
"""

from __future__ import annotations

from typing import Final

import trio

TICK_S: Final = 0.02
QUIET_TICK_S: Final = 0.1
LIVELY_S: Final = 2.0  # for so long after something happened ticks are close


class Beat:
    """The waits between ticks."""

    def __init__(self) -> None:
        self._stirred = trio.Event()
        self._lively_until_s = float("-inf")

    def stir(self) -> None:
        """Something has happened: the next tick is soon, and so are those after it."""
        self._stirred.set()

    async def wait(self) -> None:
        """Until the next tick is due."""
        if self._stirred.is_set():
            self._stirred = trio.Event()
            self._lively_until_s = trio.current_time() + LIVELY_S
        if trio.current_time() < self._lively_until_s:
            await trio.sleep(TICK_S)
            return
        with trio.move_on_after(QUIET_TICK_S):
            await self._stirred.wait()
