"""`symjam watch`: the jam in a terminal, for machines without a browser. It only listens.

With `--json` each message of the live WebSocket (docs/api.md) is one line.
"""

from __future__ import annotations

import json
import signal
from collections import deque
from pathlib import Path
from typing import Any, Final

import trio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text
from trio_websocket import ConnectionClosed

from crdt.errors import OperatingFailure
from node.commands.common import as_json_line, client, jam, short, step_of
from node.feed import open_socket
from node.runtime import ApiAddress

NOTES_SHOWN: Final = 8
BLOCKS_SHOWN: Final = 8
PLAYING_US: Final = 2_500_000
DRAWS_PER_S: Final = 8
LANE_KEYS: Final = "asdfghjkl;"

Doc = dict[str, Any]


def run(data: Path | None, as_json: bool) -> int:
    """Show what happens until interrupted or ended; OperatingFailure when the node ends."""
    return trio.run(_until_ended, client(data).address, as_json)


class Seen:
    """What has been told so far; bounded."""

    def __init__(self) -> None:
        self.status: Doc | None = None
        self.blocks: dict[str, Doc] = {}
        self.score: Doc | None = None
        self.notes: deque[tuple[str, int, int, int]] = deque(maxlen=NOTES_SHOWN)  # player, session time, lane, pitch
        self.heard_us: dict[str, int] = {}

    def take(self, message: Doc) -> None:
        """One message of the node."""
        match message["type"]:
            case "hello":
                self._status(message["status"])
                self.blocks = {block["id"]: block for block in message["blocks"][BLOCKS_SHOWN - 1 :: -1]}
            case "status":
                self._status(message["status"])
            case "block":
                block = message["block"]
                self.blocks.pop(block["id"], None)
                self.blocks[block["id"]] = block
                while len(self.blocks) > BLOCKS_SHOWN:
                    del self.blocks[next(iter(self.blocks))]
            case "score":
                self.score = message["score"]
            case "event":
                for t_us, kind, lane, pitch, velocity, at_us in message["events"]:
                    self.heard_us[message["player"]] = at_us
                    if kind == 0 and velocity > 0:
                        self.notes.append((message["player"], t_us, lane, pitch))

    def _status(self, status: Doc) -> None:
        self.status = status
        here = self.here()
        self.heard_us = {player: at_us for player, at_us in self.heard_us.items() if player in here}

    def here(self) -> list[str]:
        """The players that are here, this one first."""
        if self.status is None:
            return []
        peers = (peer["player"] for peer in self.status["peers"])
        return [self.status["player"], *peers, *(guest["player"] for guest in self.status["guests"] if guest["here"])]


def picture(seen: Seen) -> RenderableType:
    """All of it, to be drawn."""
    if seen.status is None:
        return Text("waiting for the node")
    return Group(_head(seen.status, seen.score), _people(seen), _blocks(seen), _notes(seen))


def _head(status: Doc, score: Doc | None) -> Text:
    session, left_s = status["session"], max(0, -(-(status["window_ends_us"] - status["now_us"]) // 1_000_000))
    lines = [f"window {status['window']} ends in {left_s} s"]
    if session is None:
        lines.append("no jam is on")
    else:
        tempo = f"{session['tempo_mbpm'] / 1000:g} BPM, {session['beats_per_bar']} beats a bar"
        clock = session["clock"]
        sure = f"clock within {clock['uncertainty_us'] / 1000:.2f} ms" if clock else "its time not known yet"
        since = f", {session['t_us'] / 1_000_000:.0f} s in" if clock else ""
        lines.append(f"jam {session['title'] or short(session['id'])}: {tempo}{since}, {sure}")
    if status["riff"] is not None:
        lines.append(f"riff of this window: {' '.join(LANE_KEYS[lane] for lane in status['riff']['lanes'])}")
    if score is not None and score["window"] == status["window"]:
        worth = f"{score['measures']['total'] / 65_536:.0%}" if score["why"] == "fine" else f"not yet: {score['words']}"
        lines.append(f"this window so far: {score['events']} notes, {worth}")
    return Text("\n".join(lines))


def _people(seen: Seen) -> Table:
    assert seen.status is not None
    table = Table("player", "doing", "round trip", "clock", "synced", box=None, pad_edge=False)
    now_us = seen.status["now_us"]
    peers = {peer["player"]: peer for peer in seen.status["peers"]}
    for player in seen.here():
        peer = peers.get(player)
        playing = now_us - seen.heard_us.get(player, -PLAYING_US) < PLAYING_US
        doing = "playing" if playing else "listening"
        if peer is None:
            name = "you" if player == seen.status["player"] else "guest"
            table.add_row(f"{short(player)} ({name})", doing, "", "", "")
            continue
        trip = f"{peer['rtt_us'] / 1000:.1f} ms" if peer["rtt_us"] is not None else "-"
        clock = f"± {peer['clock']['uncertainty_us'] / 1000:.2f} ms" if peer["clock"] else "-"
        table.add_row(short(player), doing, trip, clock, step_of(peer))
    return table


def _blocks(seen: Seen) -> Table:
    table = Table("block", "by", "window", "state", "votes", "paid", box=None, pad_edge=False)
    for block in reversed(seen.blocks.values()):
        votes = f"{sum(v['vote'] == 'yes' for v in block['votes'])} of {len(block['votes'])}"
        paid = jam(block["reward"]["paid_micro"]) if block["reward"] else ""
        table.add_row(short(block["id"]), short(block["proposer"]), str(block["window"]), block["state"], votes, paid)
    return table


def _notes(seen: Seen) -> Table:
    table = Table("at", "player", "lane", "pitch", box=None, pad_edge=False)
    for player, t_us, lane, pitch in reversed(seen.notes):
        table.add_row(f"{t_us / 1_000_000:.3f} s", short(player), LANE_KEYS[lane], str(pitch))
    return table


async def _until_ended(address: ApiAddress, as_json: bool) -> int:
    """The exit code. A signal ends it between two lines, never within one: whoever reads them takes each for whole."""
    ended: OperatingFailure | int = 0
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:

            async def end() -> None:
                nonlocal ended
                ended = 128 + await anext(signals)
                nursery.cancel_scope.cancel()

            nursery.start_soon(end)
            try:
                await _watch(address, as_json)
            except OperatingFailure as failure:
                ended = failure
                nursery.cancel_scope.cancel()
    if isinstance(ended, OperatingFailure):
        raise ended
    return ended


async def _watch(address: ApiAddress, as_json: bool) -> None:
    seen, console = Seen(), Console()
    async with open_socket(address) as websocket:
        try:
            if as_json:
                while True:
                    as_json_line(json.loads(await websocket.get_message()))
            with Live(picture(seen), console=console, auto_refresh=False) as live:
                drawn_s = 0.0
                while True:
                    seen.take(json.loads(await websocket.get_message()))
                    if trio.current_time() - drawn_s >= 1 / DRAWS_PER_S:
                        drawn_s = trio.current_time()
                        live.update(picture(seen), refresh=True)
        except ConnectionClosed:
            raise OperatingFailure(
                "the node is gone", "it closed the connection", "Start it with `symjam up`."
            ) from None
