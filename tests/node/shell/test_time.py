"""Two real nodes in one process: whoever joins a jam soon knows its creator's clock, and how well."""

from __future__ import annotations

from pathlib import Path

import trio

from consensus.events import Kind
from node.embed import EmbeddedNode, open_node
from node.engine.inputs import Played
from node.engine.timing import Shown
from node.shell.config import Config
from node.shell.views import session

READING_US = 50  # the two clocks are read one after the other


def _config(path: Path) -> Config:
    return Config(path, room="time", interfaces=("127.0.0.1",), mdns=False)


def _clock(node: EmbeddedNode) -> Shown | None:
    placed = node.node.engine.current_session(node.now_us())
    return placed.clock if placed else None


async def test_the_creators_clock_is_known_within_its_bound_and_shown(tmp_path: Path) -> None:
    async with open_node(_config(tmp_path / "a")) as a, open_node(_config(tmp_path / "b")) as b:
        b.connect(a.addresses[0])
        with trio.fail_after(20):
            while not b.peers():
                await trio.sleep(0.01)
            await a.play(Played(a.now_us(), Kind.NOTE_ON, 1, 60, 100))
            while (shown := _clock(b)) is None or not b.node.engine.peers[a.player].clock.measurements:
                await trio.sleep(0.01)
        shown = _clock(b)
        assert shown is not None and shown.via is None
        assert abs(shown.offset_us - (a.now_us() - b.now_us())) <= shown.uncertainty_us + READING_US
        placed = b.node.engine.current_session(b.now_us())
        document = session(placed, b.player, b.now_us())
        assert document is not None and document["clock"]["via"] is None
        assert set(document["clock"]) == {"offset_us", "uncertainty_us", "via"}
        assert _clock(a) == Shown(0, 0, None)
