"""The page on a real node process: what is pressed is in the node's log, and both survive a kill -9 between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from pycrdt import Array, Doc

from consensus.events import Event, Kind, decode_events
from crdt.entry import open_entry
from crdt.types import NetworkId
from node.commands.processes import Process
from tests.browser import Chromium, open_page
from tests.node.web.conftest import needs_chromium

pytestmark = needs_chromium


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Process]:
    process = Process("A", tmp_path / "a", room=f"test-{tmp_path.name}")
    try:
        process.start()
        yield process
    finally:
        process.stop()


def played(node: Process) -> list[Event]:
    """Note-ons in the node's jam documents, read back as any Yjs client reads them."""
    found: list[Event] = []
    status = node.client().status()
    network = NetworkId(bytes.fromhex(status["network"]))
    for document in status["documents"]:
        if not document["name"].startswith("jam/"):
            continue
        doc = Doc()
        doc.apply_update(node.client().document(document["name"]))
        for root in doc.keys():  # noqa: SIM118 - a Doc is no mapping
            for element in doc.get(root, type=Array):
                found.extend(decode_events(open_entry(network, bytes(element)).body.payload))
    return sorted((e for e in found if e.kind == Kind.NOTE_ON), key=lambda e: e.t_us)


async def test_keys_reach_the_log_and_the_page_finds_a_killed_node_again(
    node: Process, browser: Chromium, nursery: trio.Nursery
) -> None:
    in_thread = trio.to_thread.run_sync
    async with open_page(browser, nursery) as page:
        await page.go((await in_thread(node.client)).address.page_url)
        await page.until("window.symjam && symjam.app.clock.ready && symjam.app.world.status", 30)
        for key in "asdf":
            await page.press(key)
        await page.until("document.querySelector('.beats').childElementCount === 4")
        lanes = [event.lane for event in await in_thread(played, node)]
        with trio.fail_after(10):
            while lanes != [0, 1, 2, 3]:
                await trio.sleep(0.1)
                lanes = [event.lane for event in await in_thread(played, node)]
        await in_thread(node.kill)
        await page.until("document.body.dataset.state === 'gone'")
        await in_thread(node.start)
        await page.until("symjam.app.connection.state === 'live' && symjam.app.clock.ready", 30)
        assert [event.lane for event in await in_thread(played, node)] == lanes  # nothing acknowledged is missing
        assert all("net::ERR" in error for error in page.errors)  # only the browser's own words on the lost node
