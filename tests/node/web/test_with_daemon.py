"""The page on a real node process: what is pressed is in the node's log, and both survive a kill -9 between them."""

from __future__ import annotations

import json
import sys
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
from tests.jam.test_chart import band
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


async def test_two_pages_on_two_nodes_share_a_chart_and_hear_each_other(
    node: Process, tmp_path: Path, browser: Chromium, nursery: trio.Nursery
) -> None:
    """A chart comes in by the command line at one node, is seen at the other and its part taken there; a note played
    here is told there, its score here, and the recording is the same file at both."""
    in_thread = trio.to_thread.run_sync
    other = Process("B", tmp_path / "b", room=f"test-{tmp_path.name}")
    song = tmp_path / "song.mid"
    song.write_bytes(band())
    try:
        await in_thread(other.start)
        command = [sys.executable, "-m", "node", "jam", "--data", str(node.data_dir), "--chart", str(song), "--json"]
        shared = json.loads((await trio.run_process(command, capture_stdout=True)).stdout)
        async with open_page(browser, nursery) as here, open_page(browser, nursery) as there:
            for page, process in ((here, node), (there, other)):
                await page.go((await in_thread(process.client)).address.page_url)
                await page.until("window.symjam && symjam.app.clock.ready && symjam.app.world.players.length === 2", 60)
                await page.until(f"symjam.app.chart.chart && symjam.app.chart.id === '{shared['id']}'", 60)
            await there.value(
                """window.told = [];
                symjam.app.world.addEventListener("event", ({detail: d}) =>
                  told.push(...d.events.filter((e) => e[1] === 0).map((e) => e[2])));
                location.hash = "#/jam" """
            )
            await there.until("document.querySelector('.parts button') !== null")
            await there.value("document.querySelector('.parts button').click()")
            await here.until("symjam.app.chart.parts[0].player === symjam.app.world.players[1]", 30)
            for key in "asd":
                await here.press(key)
            await there.until("new Set(told).size === 3", 60)
            await here.until("symjam.app.world.score?.events > 0", 60)
            assert await here.value("symjam.app.world.score.why") == "too_few_events"
            assert here.errors == there.errors == []
        ours, theirs = await in_thread(node.client), await in_thread(other.client)
        with trio.fail_after(30):  # the ends of the notes may still be on their way
            while await in_thread(ours.midi) != await in_thread(theirs.midi):
                await trio.sleep(0.1)
    finally:
        await in_thread(other.stop)
