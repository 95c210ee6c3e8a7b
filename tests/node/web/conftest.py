"""A browser on the page of a real server around the node in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import trio

from node.api.server import serve
from tests.browser import Chromium, Page, chromium, open_page
from tests.node.api.conftest import TOKEN
from tests.node.api.memory_node import MemoryNode

needs_chromium = pytest.mark.skipif(chromium() is None, reason="needs Chromium, which is not installed here")
# What is asked for is drawn a moment after what it follows from, and later on a busy machine: both wait for it.
_FOUND = """const found = async (look) => {
  for (let tries = 0; tries < 1500; tries++) {
    const one = look();
    if (one) return one;
    await new Promise((go) => setTimeout(go, 10));
  }
  throw new Error("it never came");
};"""
TYPE = f"""async (label, value) => {{ {_FOUND}
  const one = await found(() => [...document.querySelectorAll(".field")].find((f) => f.textContent.startsWith(label)));
  one.querySelector("input, select").value = value;
}}"""
CLICK = f"""async (text) => {{ {_FOUND}
  (await found(() => [...document.querySelectorAll("button")].find((b) => b.textContent === text))).click();
}}"""
HAND_OVER = """(raw) => {
  const files = new DataTransfer();
  files.items.add(new File([Uint8Array.from(atob(raw), (c) => c.charCodeAt(0))], "On the roof.mid"));
  document.querySelector("input[type=file]").files = files.files;
}"""


@dataclass
class Shown:
    """A page open on a node, and the server that can be taken away from it."""

    node: MemoryNode
    page: Page
    port: int
    nursery: trio.Nursery
    server: trio.CancelScope

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def restart(self, token: str = TOKEN) -> None:
        """Start the server again on its port."""
        self.server, port = await self.nursery.start(_serve, self.node, self.port, token)
        assert port == self.port


async def _serve(node: MemoryNode, port: int, token: str, task_status: trio.TaskStatus) -> None:  # type: ignore[name-defined,unused-ignore]
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            wish = port
            bound = await nursery.start(
                lambda task_status: serve(node, port=wish, token=token, task_status=task_status)
            )
            task_status.started((scope, bound))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One browser for all tests; each has a context of its own in it."""
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
async def shown(browser: Chromium, nursery: trio.Nursery) -> AsyncIterator[Shown]:
    """The page, connected and with its clock found."""
    node = MemoryNode()
    scope, port = await nursery.start(_serve, node, 0, TOKEN)
    async with open_page(browser, nursery) as page:
        await page.size(1280, 800)
        await page.go(f"http://127.0.0.1:{port}/#token={TOKEN}")
        await page.until("window.symjam && symjam.app.clock.ready && symjam.app.world.status", 60)
        yield Shown(node, page, port, nursery, scope)
