"""The score while one plays: worked out in a thread, at most twice a second, and only when something was played."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import trio

from consensus.ops import WORDS, Why
from crdt.types import Window
from node.engine.duties import Duties
from node.engine.scoring import Score, score

EVERY_S: Final = 0.5

Doc = dict[str, Any]


class Scorer:
    """Follows what a player of this node plays. `publish` hears each new score as its document."""

    def __init__(self, duties: Duties, publish: Callable[[Doc], None]) -> None:
        self.latest: Doc | None = None
        self._duties = duties
        self._publish = publish
        self._touched: set[Window] = set()

    def heard(self, now_us: int) -> None:
        """The player has played something."""
        self._touched.add(self._duties.params.window_at(now_us))

    async def run_forever(self) -> None:
        """Score what was touched, until cancelled."""
        while True:
            await trio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> bool:
        """Score what was touched since the last look; False when nothing was."""
        windows, self._touched = sorted(self._touched), set()
        for window in windows:
            await self._score(window)
        return bool(windows)

    async def _score(self, window: Window) -> None:
        played = self._duties.most_played(window)
        if played is None:
            return
        asked = self._duties.riff(window)
        found = await trio.to_thread.run_sync(
            score, self._duties.params, played.session, window, tuple(played.entries), asked
        )
        if found is not None:
            self.latest = shown(found, self._duties.params.accuracy_cap_q16)
            self._publish({"type": "score", "score": self.latest})


def shown(found: Score, accuracy_cap_q16: int) -> Doc:
    """Score, of docs/api.md."""
    measures = {name: getattr(found.measures, name) for name in found.measures.__struct_fields__}
    return {
        "window": found.window,
        "session": found.session.hex(),
        "events": found.counted.events,
        "lanes": found.counted.lanes,
        "active_s": found.counted.active_s,
        "lag_us": found.lag_us,
        "chance_q16": found.chance_q16,
        "accuracy_cap_q16": accuracy_cap_q16,
        "measures": measures,
        "why": found.why.name.lower(),
        "words": WORDS[found.why] if found.why is not Why.FINE else "",
        "explain": list(found.words),
        "riff": found.riff,
    }
