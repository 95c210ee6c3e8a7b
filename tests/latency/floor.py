"""What the browser takes of the way from page to page: two pages that do nothing but send a key on and hear of it.

Between them is a relay that hands each message on as it is, in this process. No sound, no picture, no node: what is
left of the crossing (keys.py) when everything that is ours is taken away, measured in the same sitting.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, NamedTuple

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket

from node.commands.processes import Process
from tests.browser import KEYS, Chromium, Page, open_page
from tests.latency.figures import Spread, spread
from tests.latency.watched import LANE_KEYS

GAP_S = (0.06, 0.16)
READY_S = 20
_PAGE = """(port) => new Promise((ok) => {
  window.came = []; window.gone = [];
  const line = new WebSocket(`ws://127.0.0.1:${port}`);
  line.onmessage = () => came.push(performance.now());
  addEventListener("keydown", (event) => { gone.push(event.timeStamp); line.send("key"); });
  line.onopen = () => ok(true);
})"""


class Floor(NamedTuple):
    """Key on one empty page to a message on another's."""

    keys: int
    missing: int
    latency: Spread

    def faults(self) -> list[str]:
        """None: nothing here is ours."""
        return []


class _Relay:
    def __init__(self) -> None:
        self._lines: list[WebSocketConnection] = []

    async def serve(self, request: WebSocketRequest) -> None:
        line = await request.accept()
        self._lines.append(line)
        try:
            while True:
                message = await line.get_message()
                for other in self._lines:
                    if other is not line:
                        await other.send_message(message)
        except ConnectionClosed:
            self._lines.remove(line)


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p>nothing</p>")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def _blank_page() -> Iterator[str]:
    """Served from the loopback too: a browser lets no page from elsewhere speak to it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


async def _prepared(page: Page, url: str, port: int) -> float:
    """When its clock began, on the machine's counter, milliseconds; its line to the relay is open."""
    await page.size(360, 480)
    await page.go(url)
    await page.until("document.body.textContent === 'nothing'", READY_S)
    await page.call("Performance.enable")
    metrics: list[dict[str, Any]] = (await page.call("Performance.getMetrics"))["metrics"]
    await page.value(f"({_PAGE})({port})")
    return float(next(one["value"] for one in metrics if one["name"] == "NavigationStart")) * 1_000


async def floor(browser: Chromium, _: Sequence[Process], keys: int, seed: int) -> Floor:
    """Press so many keys on the first page, and see them come on the second."""
    chance = Random(seed)
    async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
        url = stack.enter_context(_blank_page())
        servers = await nursery.start(serve_websocket, _Relay().serve, "127.0.0.1", 0, None)
        here, there = [await stack.enter_async_context(open_page(browser, nursery)) for _ in range(2)]
        origins = [await _prepared(page, url, servers.port) for page in (here, there)]
        for _number in range(keys):
            key = LANE_KEYS[chance.randrange(len(LANE_KEYS))]
            code, virtual = KEYS[key]
            about = {"key": key, "code": code, "windowsVirtualKeyCode": virtual}
            await here.post("Input.dispatchKeyEvent", type="keyDown", text=key, **about)
            await trio.sleep(0.03)
            await here.post("Input.dispatchKeyEvent", type="keyUp", **about)
            await trio.sleep(chance.uniform(*GAP_S))
        await trio.sleep(0.5)
        gone, came = await here.value("gone"), await there.value("came")
        nursery.cancel_scope.cancel()
    taken = [c + origins[1] - g - origins[0] for g, c in zip(gone, came, strict=False)]
    return Floor(keys, keys - len(came), spread(taken))
