"""A page that is watched from inside: when its keys moved, when it let a note sound, what it was told and when.

Times are read off the page's own clock (`performance.now`, 5 us steps, for the page is isolated). Two pages of one
machine are compared by the counter that both read: the browser tells at which count each page's clock began.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import trio

from node.commands.processes import Process
from tests.browser import KEYS, Chromium, Page, open_page

LANE_KEYS: Final = "asdfghjkl;"
READY_S: Final = 90
_SEEN: Final = """(() => {
  const {connection, player, playout, world} = symjam.app;
  const seen = window.seen = {keyed: [], own: [], told: [], notes: 0, late: 0, unnoticed: 0, cut: 0};
  let key = null;
  addEventListener("keydown", (event) => { key = event.timeStamp; }, {capture: true});
  for (const kind of [OscillatorNode, AudioBufferSourceNode]) {
    const start = kind.prototype.start;
    kind.prototype.start = function (at = 0, ...rest) {
      if (key !== null && this.context instanceof AudioContext) {
        const waitMs = Math.max(0, at - this.context.currentTime) * 1000;
        seen.keyed.push([performance.now() - key + waitMs, this.context.baseLatency * 1000]);
        key = null;
      }
      return start.call(this, at, ...rest);
    };
  }
  player.addEventListener("own", ({detail: d}) => seen.own.push([d.off ? 1 : 0, d.lane, d.atMs]));
  world.addEventListener("event", ({detail: d}) => {
    const now = performance.now();
    seen.told.push(...d.events.map((e) => [d.player, e[0], e[1], e[2], now]));
  });
  connection.addEventListener("state", () => { if (connection.state === "gone") seen.cut++; });
  connection.addEventListener("message", ({detail: d}) => { if (d.type === "resync") seen.cut++; });
  const handed = [];
  playout.addEventListener("note", ({detail: d}) => handed.push([d, performance.now() - d.dueMs]));
  const count = () => {
    for (const [note, pastMs] of handed.splice(0)) {
      seen.notes++;
      if (note.late) seen.late++;
      else if (pastMs > 5) seen.unnoticed++;
    }
  };
  window.drain = () => (count(), {keyed: seen.keyed.splice(0), own: seen.own.splice(0), told: seen.told.splice(0),
    notes: seen.notes, late: seen.late, unnoticed: seen.unnoticed, cut: seen.cut, stale: playout.stale});
})()"""


class Watched:
    """A page on a node's Play view. Made by `watched`."""

    def __init__(self, page: Page, node: Process) -> None:
        self.page = page
        self.node = node
        self.origin_ms = 0.0  # when its clock began, on the machine's counter

    async def begin(self, players: int) -> None:
        """Open the node's page; returns when it knows the time and everybody, and its sound runs."""
        await self.page.size(360, 480)
        await self.page.go((await trio.to_thread.run_sync(self.node.client)).address.page_url)
        here = f"window.symjam && symjam.app.clock.ready && symjam.app.world.players.length === {players}"
        await self.page.until(here, READY_S)
        await self.page.call("Performance.enable")
        metrics = (await self.page.call("Performance.getMetrics"))["metrics"]
        self.origin_ms = next(one["value"] for one in metrics if one["name"] == "NavigationStart") * 1_000
        await self.page.press("ArrowLeft")  # a gesture, without which nothing may sound
        await self.page.until("symjam.app.audio.running", READY_S)
        await self.page.value(_SEEN)

    async def strike(self, lane: int, hold_s: float = 0.03) -> None:
        """Press a lane's key and let it go, waiting for nobody."""
        await self._move("keyDown", lane)
        await trio.sleep(hold_s)
        await self._move("keyUp", lane)

    async def _move(self, kind: str, lane: int) -> None:
        key = LANE_KEYS[lane]
        code, number = KEYS[key]
        text = {"text": key} if kind == "keyDown" else {}
        await self.page.post(
            "Input.dispatchKeyEvent", type=kind, key=key, code=code, windowsVirtualKeyCode=number, **text
        )

    async def drain(self) -> dict[str, Any]:
        """What was seen since this was asked last; of notes, late and unnoticed all so far."""
        found: dict[str, Any] = await self.page.value("drain()")
        return found

    async def heap_bytes(self) -> int:
        """What its heap holds, nothing of it garbage."""
        await self.page.call("HeapProfiler.collectGarbage")
        return int((await self.page.call("Runtime.getHeapUsage"))["usedSize"])


@asynccontextmanager
async def watched(browser: Chromium, node: Process, nursery: trio.Nursery, players: int) -> AsyncIterator[Watched]:
    """A page of its own, ready."""
    async with open_page(browser, nursery) as page:
        made = Watched(page, node)
        await made.begin(players)
        yield made
