"""A headless Chromium driven over the DevTools protocol: open pages, press keys, read values, take pictures.

A `Chromium` is started once (it takes a second) with a profile of its own and no networking in the background; each
`open_page` is a context of its own in it, with its own storage.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import trio
from trio_websocket import WebSocketConnection, open_websocket_url, wrap_client_stream

FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Each page stands for one in front of its own player, and only one window can be in front here.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--autoplay-policy=user-gesture-required",
    "--remote-debugging-port=0",
]
# key -> (code, Windows virtual key code): what Chromium needs to make a real key event
KEYS: Final = {letter: (f"Key{letter.upper()}", ord(letter.upper())) for letter in "abcdefghijklmnopqrstuvwxyz"}
KEYS.update({str(digit): (f"Digit{digit}", ord(str(digit))) for digit in range(10)})
KEYS.update({";": ("Semicolon", 186), "ArrowRight": ("ArrowRight", 39), "ArrowLeft": ("ArrowLeft", 37)})
_START_TIMEOUT_S: Final = 20
_CALL_TIMEOUT_S: Final = 60  # only what hangs takes so long
_MESSAGE_MAX_BYTES: Final = 64_000_000


def chromium() -> str | None:
    """The browser's path, None where there is none."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


class BrowserError(Exception):
    """The page or the protocol reported an error."""


class Page:
    """One tab. `errors` collects uncaught exceptions and console errors of the page."""

    def __init__(self, websocket: WebSocketConnection) -> None:
        self._websocket = websocket
        self._session: dict[str, str] = {}
        self._next_id = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._unwanted: set[int] = set()  # answers that nobody waits for
        self._answered = trio.Event()
        self.errors: list[str] = []

    async def post(self, method: str, **params: Any) -> None:
        """One DevTools command whose answer nobody waits for."""
        await self._send(method, params, wanted=False)

    async def _send(self, method: str, params: dict[str, Any], wanted: bool = True) -> int:
        self._next_id += 1
        mine = self._next_id
        if not wanted:
            self._unwanted.add(mine)
        command = {"id": mine, "method": method, "params": params, **self._session}
        await self._websocket.send_message(json.dumps(command))
        return mine

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One DevTools command."""
        mine = await self._send(method, params)
        with trio.fail_after(_CALL_TIMEOUT_S):
            while mine not in self._answers:
                await self._answered.wait()
        answer = self._answers.pop(mine)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def attach(self) -> str:
        """Make a new context with one tab and speak to that from now on; returns the context's id."""
        context: str = (await self.call("Target.createBrowserContext"))["browserContextId"]
        target = await self.call("Target.createTarget", url="about:blank", browserContextId=context)
        session = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = {"sessionId": session["sessionId"]}
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        return context

    async def detach(self, context: str) -> None:
        """Close the context and all in it."""
        self._session = {}
        await self.call("Target.disposeBrowserContext", browserContextId=context)

    async def listen(self, task_status: Any) -> None:
        """Take in answers and events until cancelled (a background task)."""
        with trio.CancelScope() as scope:
            task_status.started(scope)
            while True:
                self._take(json.loads(await self._websocket.get_message()))

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("id") in self._unwanted:
            self._unwanted.discard(message["id"])
        elif "id" in message:
            self._answers[message["id"]] = message
            self._answered.set()
            self._answered = trio.Event()
        elif message["method"] == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:2_000])
        elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.errors.append(json.dumps(message["params"]["entry"])[:2_000])

    async def go(self, url: str) -> None:
        """Open an address."""
        await self.call("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression; promises are awaited."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"])[:2_000])
        return answer["result"].get("value")

    async def until(self, expression: str, timeout_s: float = 15) -> Any:
        """Wait until an expression is truthy; returns its value."""
        with trio.fail_after(timeout_s):
            while True:
                try:
                    if found := await self.value(expression):
                        return found
                except BrowserError:
                    pass  # asked between two documents
                await trio.sleep(0.03)

    async def key(
        self, kind: str, key: str, *, repeat: bool = False, modifiers: int = 0, at_s: float | None = None
    ) -> None:
        """A real key event: kind is keyDown or keyUp. `at_s`: when the key moved, Unix seconds; then the page is not
        waited for."""
        code, number = KEYS[key]
        text: dict[str, Any] = {"text": key} if kind == "keyDown" and len(key) == 1 and not modifiers else {}
        if at_s is not None:
            text["timestamp"] = at_s
        await (self.call if at_s is None else self.post)(
            "Input.dispatchKeyEvent",
            type=kind,
            key=key,
            code=code,
            windowsVirtualKeyCode=number,
            autoRepeat=repeat,
            modifiers=modifiers,
            **text,
        )

    async def press(self, key: str, hold_s: float = 0.02) -> None:
        """A key down and up."""
        await self.key("keyDown", key)
        await trio.sleep(hold_s)
        await self.key("keyUp", key)

    async def size(self, width: int, height: int, *, phone: bool = False) -> None:
        """The window's size; a phone also has a touch screen and a denser display."""
        scale = 2 if phone else 1
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )
        await self.call("Emulation.setTouchEmulationEnabled", enabled=phone, maxTouchPoints=5)

    async def laid_out(self, width: int) -> None:
        """Wait until the page that is open has taken a width and is drawn with it."""
        await self.until(f"innerWidth === {width} && document.readyState === 'complete'")
        await self.value("new Promise((ok) => requestAnimationFrame(() => requestAnimationFrame(() => ok(true))))")

    async def touch(self, x: float, y: float, hold_s: float = 0.05) -> None:
        """A finger down and up."""
        await self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        await trio.sleep(hold_s)
        await self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    async def screenshot(self, path: Path) -> None:
        """A PNG of what is seen."""
        answer = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))


class Place(Protocol):
    """Where a browser runs, when not here: a network namespace (tests/lan/wires.py)."""

    def command(self, *arguments: str) -> tuple[str, ...]:
        """The command line that runs something there."""

    def call(self, function: Callable[[], socket.socket]) -> socket.socket:
        """Make a socket there."""


class Chromium:
    """A browser process. A context manager; only the process started here is ended."""

    def __init__(self, profile: Path, place: Place | None = None) -> None:
        self.place = place
        self._profile = profile
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    def __enter__(self) -> Chromium:
        program = chromium()
        assert program is not None, "ask chromium() first"
        command = [program, *FLAGS, f"--user-data-dir={self._profile}", "about:blank"]
        if self.place is not None:
            command = [*self.place.command(*command)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self.address:
            assert self._process.poll() is None, "the browser ended at once"
            assert time.monotonic() < deadline, "the browser does not start"
            time.sleep(0.05)
            self.address = self._find()
        return self

    def _find(self) -> str:
        """The browser writes the port it chose, and a secret path, into its profile."""
        try:
            lines = (self._profile / "DevToolsActivePort").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) == 2 else ""

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@asynccontextmanager
async def _connected(browser: Chromium, nursery: trio.Nursery) -> AsyncIterator[WebSocketConnection]:
    if browser.place is None:
        async with open_websocket_url(browser.address, max_message_size=_MESSAGE_MAX_BYTES) as websocket:
            yield websocket
        return
    address = urlsplit(browser.address)
    there = (address.hostname, address.port)
    made = browser.place.call(lambda: socket.create_connection(there))
    made.setblocking(False)
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(made))
    connection = await wrap_client_stream(
        nursery, stream, address.netloc, address.path, max_message_size=_MESSAGE_MAX_BYTES
    )
    async with connection as websocket:
        yield websocket


@asynccontextmanager
async def open_page(browser: Chromium, nursery: trio.Nursery) -> AsyncIterator[Page]:
    """A new page in a context of its own; closed with the block."""
    async with _connected(browser, nursery) as websocket:
        page = Page(websocket)
        scope: trio.CancelScope = await nursery.start(page.listen)
        context = await page.attach()
        try:
            yield page
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 5):
                await page.detach(context)
            scope.cancel()
