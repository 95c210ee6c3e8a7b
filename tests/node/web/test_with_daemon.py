"""What people do on their first evening, in a real browser on real nodes: one pair of them for all, in this order.

A first visit, a chart shared and played together, a window with its riff that becomes a block and pays, the network
lost, somebody who comes late, a node that is killed. Keys are real; where their times matter they are stamped.
"""

from __future__ import annotations

import base64
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import trio
from pycrdt import Array, Doc

from consensus.events import Event, Kind, decode_events
from crdt.entry import open_entry
from crdt.types import NetworkId
from jam.synthetic import make
from node.commands.processes import Process
from tests.browser import Chromium, Page, open_page
from tests.conftest import own_directories
from tests.jam.test_chart import band
from tests.node.web.conftest import CLICK, HAND_OVER, TYPE, needs_chromium

pytestmark = needs_chromium

LANE_KEYS = "asdfghjkl;"
LISTEN = """(player) => { window.told = []; symjam.app.world.addEventListener("event", ({detail: d}) => {
  if (d.player === player) told.push(...d.events.filter((e) => e[1] === 0).map((e) => e[2])); }); }"""
in_thread = trio.to_thread.run_sync


class Pair(NamedTuple):
    """Two nodes of one room."""

    a: Process
    b: Process


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    root: Path = tmp_path_factory.mktemp("pair")
    made = Pair(*(Process(name, root / name, room=f"test-{root.parent.name}") for name in "ab"))
    with pytest.MonkeyPatch.context() as patch:
        own_directories(root, patch)
        try:
            for node in made:
                node.begin()
            for node in made:
                node.await_ready()
            yield made
        finally:
            for node in made:
                node.stop()


@pytest.fixture(scope="module")
def late(pair: Pair) -> Iterator[Process]:
    """A third, who comes when the jam has been on for a while."""
    node = Process("c", pair.a.data_dir.parent / "c", room=pair.a.room)
    try:
        node.start()
        yield node
    finally:
        node.stop()


async def visit(page: Page, node: Process, others: int = 1) -> None:
    """Open a node's page; returns once it knows the time and the others."""
    await page.go((await in_thread(node.client)).address.page_url)
    await page.until(f"window.symjam && symjam.app.clock.ready && symjam.app.world.players.length === {others + 1}", 60)


def played(node: Process) -> list[Event]:
    """Note-ons of the node's own player in its jam documents, read back as any Yjs client reads them."""
    found: list[Event] = []
    status = node.client().status()
    network = NetworkId(bytes.fromhex(status["network"]))
    for document in status["documents"]:
        if not document["name"].startswith("jam/"):
            continue
        doc = Doc()
        doc.apply_update(node.client().document(document["name"]))
        if f"log:{node.player}" in doc.keys():  # noqa: SIM118 - a Doc is no mapping
            for element in doc.get(f"log:{node.player}", type=Array):
                payload = open_entry(network, bytes(element)).body.payload
                found.extend(decode_events(payload))
    return sorted((e for e in found if e.kind == Kind.NOTE_ON), key=lambda e: e.t_us)


async def lanes_played(node: Process, count: int) -> list[int]:
    """The lanes in the node's log, once there are so many."""
    with trio.fail_after(20):
        while len(lanes := [event.lane for event in await in_thread(played, node)]) < count:
            await trio.sleep(0.1)
    return lanes


async def test_from_the_first_visit_to_the_first_sound(pair: Pair, browser: Chromium, nursery: trio.Nursery) -> None:
    async with open_page(browser, nursery) as page:
        await visit(page, pair.a)
        hint = await page.until("document.querySelector('.hint').textContent")
        assert "Press any of the ten keys" in hint
        await page.value(
            """window.sounds = []; for (const kind of [OscillatorNode, AudioBufferSourceNode]) {
              const start = kind.prototype.start;
              kind.prototype.start = function (at, ...rest) {
                const {currentTime: now, state} = this.context;
                if (this.context instanceof AudioContext) sounds.push([state, at - now]);
                return start.call(this, at, ...rest); }; }"""
        )
        for key in "asdf":  # a browser lets nothing sound before the first touch, and takes a moment to begin
            await page.press(key)
        await page.until("symjam.app.audio.running")
        await page.press("g")
        state, wait_s = await page.until("sounds.at(-1)")
        assert state == "running" and wait_s < 0.01
        assert await lanes_played(pair.a, 5) == [0, 1, 2, 3, 4]
        assert page.errors == []


async def test_two_pages_share_a_chart_hear_each_other_and_keep_the_same_recording(
    pair: Pair, browser: Chromium, nursery: trio.Nursery
) -> None:
    async with open_page(browser, nursery) as here, open_page(browser, nursery) as there:
        await visit(here, pair.a)
        await visit(there, pair.b)
        await here.value("location.hash = '#/jam'")
        await here.value(f"({HAND_OVER})('{base64.b64encode(band()).decode()}')")
        await here.value(f"({TYPE})('Parts', '3')")
        await here.value(f"({CLICK})('Share with the jam')")
        await there.value("location.hash = '#/jam'")
        await there.until("document.querySelectorAll('.parts button').length === 3", 30)
        await there.value("document.querySelector('.parts button').click()")
        await here.until(f"symjam.app.chart.parts[0]?.player === '{pair.b.player}'", 30)
        await here.value(f"({LISTEN})('{pair.b.player}')")
        await there.value(f"({LISTEN})('{pair.a.player}')")
        for key in "hjk":
            await here.press(key)
            await there.press(key)
        await here.until("new Set(told).size === 3", 30)
        await there.until("new Set(told).size === 3", 30)
        await here.until("symjam.app.world.score?.events > 0", 30)
        await export(here, pair)
        assert here.errors == there.errors == []


async def export(page: Page, pair: Pair) -> None:
    """Take the recording home by the button; it is what both nodes have."""
    with trio.fail_after(30):  # the ends of the notes may still be on their way
        while (file := await in_thread(pair.a.client().midi)) != await in_thread(pair.b.client().midi):
            await trio.sleep(0.1)
    await page.value(
        """window.saved = null; const address = URL.createObjectURL;
        URL.createObjectURL = (file) => { window.file = file; return address.call(URL, file); };
        HTMLAnchorElement.prototype.click = async function () {
          saved = [this.download, [...new Uint8Array(await window.file.arrayBuffer())]]; }; 0"""
    )
    await page.value(f"({CLICK})('Export as MIDI')")
    name, raw = await page.until("saved")
    assert name.endswith(".mid") and bytes(raw) == file


async def test_a_window_with_its_riff_becomes_a_block_that_pays_while_one_looks(
    pair: Pair, browser: Chromium, nursery: trio.Nursery
) -> None:
    async with open_page(browser, nursery) as page:
        await visit(page, pair.a)
        await page.value(
            """window.states = []; window.riffs = []; const {connection, world} = symjam.app;
            connection.addEventListener("message", ({detail: m}) => {
              if (m.type === "block" && m.block.proposer === world.me) states.push([m.block.window, m.block.state]); });
            world.addEventListener("score", () => riffs.push([world.score.window, world.score.riff]))"""
        )
        window = await play_in_time(page)
        await page.press("3")
        await page.until("location.hash === '#/ledger'")
        mine = f"states.filter(([window]) => window === {window}).map(([, state]) => state)"
        await page.until(f"({mine}).at(-1) === 'local'", 40)
        assert "pending" in await page.value(mine)
        assert await page.until("document.querySelectorAll('.blocks .pill.local').length > 0")
        reward = "symjam.app.world.blocks.find((b) => b.proposer === symjam.app.world.me).reward"
        assert await page.value(f"{reward}.riff_q16") == 65_536
        share = await page.value(f"{reward}.proposer_micro")
        formula = await page.until("document.querySelector('.formula')?.innerText")
        assert share > 0 and "1.000000" in formula and "riff" in formula.lower()
        await page.press("4")
        await page.until(f"document.querySelector('.balance')?.textContent.startsWith('{share // 1_000_000}.')")
        assert page.errors == []


async def play_in_time(page: Page) -> int:
    """Play a window with its riff; the next one where a busy machine had not taken it all in by the window's end."""
    for _ in range(4):
        window = await play_a_window(page)
        own = f"symjam.app.world.windows.find((one) => one.window === {window})"
        with trio.move_on_after(20):
            outcome = await page.until(f"{own}?.outcome", 30)
            if outcome == "proposed" and await page.value(f"riffs.some(([one, played]) => one === {window} && played)"):
                return window
    raise AssertionError(f"no block with its riff in four windows: {await page.value(own)}")


async def play_a_window(page: Page) -> int:
    """Play what a person might, and the riff, until near the end of the window; its number. Every key has its time,
    also where a busy machine is behind."""
    await page.until("(({riff, window}) => riff?.window === window)(symjam.app.world.status)", 30)
    status: dict[str, Any] = await page.value("symjam.app.world.status")
    t0_us, riff, chance = status["session"]["t0_at_us"], status["riff"], Random(7)
    ends_us = status["window_ends_us"] - t0_us
    begins_us = ends_us - status["window_s"] * 1_000_000
    bar_us = 2_000_000
    notes = [(note.t_us, note.lane) for note in make(5, 12_000_000, 120_000).events if note.kind == 0]
    notes = [(begins_us // bar_us * bar_us + t_us, lane) for t_us, lane in notes]
    notes = [n for n in notes if begins_us + 300_000 < n[0] < ends_us - 1_500_000][::3]  # what fingers can do
    notes = [n for n in notes if all(abs(n[0] - t_us) > 240_000 for t_us in riff["t_us"])]
    notes += [(t_us + chance.randrange(20_000), lane) for t_us, lane in zip(riff["t_us"], riff["lanes"], strict=True)]
    for t_us, lane in sorted(notes):
        at_s = (t0_us + t_us) / 1_000_000
        await trio.sleep(max(0, at_s - time.time()))
        await page.key("keyDown", LANE_KEYS[lane], at_s=at_s)
        await page.key("keyUp", LANE_KEYS[lane], at_s=at_s + 0.03)
    return int(status["window"])


@contextmanager
def frozen(node: Process) -> Iterator[None]:
    pid = node.client().address.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_the_network_is_lost_and_comes_back_and_what_was_missed_is_there(
    pair: Pair, browser: Chromium, nursery: trio.Nursery
) -> None:
    """A frozen node is for its page, and for the other node, what a network is that carries nothing any more."""
    async with open_page(browser, nursery) as here, open_page(browser, nursery) as there:
        await visit(here, pair.a)
        await visit(there, pair.b)
        with frozen(pair.b):
            await there.until("document.body.dataset.state === 'gone'", 20)
            await there.press("l")  # sounds, and is not kept: the page says so
            await there.until("document.querySelector('.hint').textContent.includes('nothing is kept')")
            await here.until("symjam.app.world.players.length === 1", 20)
            for key in "as":
                await here.press(key)
        await there.until("symjam.app.connection.state === 'live' && symjam.app.clock.ready", 20)
        await there.value(f"({LISTEN})('{pair.a.player}')")
        await here.press("d")
        await there.until("told.includes(2)", 20)
        missed = f"""symjam.app.connection.get('/api/session/recording').then(({{takes}}) =>
          takes.find((take) => take.player === '{pair.a.player}').events.filter((e) => e[1] === 0).map((e) => e[2]))"""
        assert (await there.value(missed))[-3:] == [0, 1, 2]
        assert here.errors == []


async def test_who_comes_late_has_it_all_and_is_heard(
    pair: Pair, late: Process, browser: Chromium, nursery: trio.Nursery
) -> None:
    async with open_page(browser, nursery) as here, open_page(browser, nursery) as there:
        await visit(here, pair.a, 2)
        await visit(there, late, 2)
        await there.until("symjam.app.world.session?.clock && symjam.app.world.t0AtUs !== null", 30)
        await there.until("symjam.app.chart.parts.length === 3", 30)
        same = "JSON.stringify([symjam.app.world.session.id, symjam.app.chart.id])"
        assert await there.value(same) == await here.value(same)
        times = "[performance.timeOrigin, symjam.app.world.status.now_us, symjam.app.world.session.t_us]"
        (_, now_here, t_here), (_, now_there, t_there) = await here.value(times), await there.value(times)
        assert abs((now_here - t_here) - (now_there - t_there)) < 5_000  # one time for all
        whole = (
            "symjam.app.connection.get('/api/session/recording').then((r) => r.takes.flatMap((t) => t.events).length)"
        )
        enough = await here.value(whole)
        with trio.fail_after(20):
            while await there.value(whole) < enough:
                await trio.sleep(0.1)
        await here.value(f"({LISTEN})('{late.player}')")
        for key in "gh":
            await there.press(key)
        await here.until("new Set(told).size === 2", 20)
        assert here.errors == there.errors == []


async def test_a_killed_node_is_found_again_with_all_that_it_acknowledged(
    pair: Pair, late: Process, browser: Chromium, nursery: trio.Nursery
) -> None:
    async with open_page(browser, nursery) as page:
        await visit(page, late, 2)
        before = len(await in_thread(played, late))
        for key in "asdf":
            await page.press(key)
        lanes = await lanes_played(late, before + 4)
        await in_thread(late.kill)
        await page.until("document.body.dataset.state === 'gone'")
        await in_thread(late.start)
        await page.until("symjam.app.connection.state === 'live' && symjam.app.clock.ready", 30)
        assert await lanes_played(late, before + 4) == lanes
        await page.press("j")
        assert (await lanes_played(late, before + 5))[-1] == 6
        assert all("net::ERR" in error for error in page.errors)  # only the browser's own words on the lost node
