"""SymJam as a row of a benchmark of peers: a process that is told by lines of JSON what to write, and counts arrivals.

Its API is node/embed.py, its store LevelDB, its links libp2p over loopback; every event is written by itself. The five
fields of the benchmark's event go into a note: velocity and the lane's number as they are, time, number and the lane's
name in its data; the author is who signed it.

Commands on standard input: connect, warm, go, expect, report, quit. Answers: ready, connected, warmed, wrote, done,
prog, report. The one argument is a JSON object: id, n, dir, latency.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

import trio

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from consensus.events import Event, Kind
from crdt.types import PlayerId
from node.embed import EmbeddedNode, open_node
from node.engine.effects import Heard
from node.engine.inputs import Played
from node.shell.config import Config

_DATA = struct.Struct(">qi")  # time in nanoseconds, number; then the lane's name without its number
_now = time.monotonic_ns
Message = dict[str, Any]


def say(ev: str, **more: object) -> None:
    """One answer."""
    sys.stdout.write(json.dumps({"ev": ev, **more}) + "\n")
    sys.stdout.flush()


class Arrivals:
    """What this replica holds of the others' events, and when it came."""

    def __init__(self, keeps_latency: bool) -> None:
        self._keeps_latency = keeps_latency
        self._seen: dict[str, set[int]] = {}
        self.lat: list[int] = []
        self.got = self.dup = self.last = 0
        self.expect: float = float("inf")
        self._done = False

    def observe(self, event: Message) -> None:
        """One event as its author wrote it."""
        if event["seq"] < 0:  # written to warm up
            return
        at = _now()
        seqs = self._seen.setdefault(event["author"], set())
        if event["seq"] in seqs:
            self.dup += 1
            return
        seqs.add(event["seq"])
        self.got += 1
        self.last = at
        if self._keeps_latency:
            self.lat.append(round((at - event["t"]) / 1_000))
        self.check()

    def check(self) -> None:
        """Say so when all that was expected is here."""
        if not self._done and self.got >= self.expect:
            self._done = True
            say("done", got=self.got, tLast=self.last)


class Bench:
    """One node of the benchmark."""

    def __init__(self, cfg: Message, node: EmbeddedNode) -> None:
        self.author = f"n{cfg['id']}".ljust(32, "0")
        self.node = node
        self.arrivals = Arrivals(cfg["latency"])
        self.connected_at = 0
        self.names: dict[PlayerId, str] = {}

    @property
    def addr(self) -> str:
        """What others need to reach this node and to know its name."""
        return json.dumps([self.author, self.node.player.hex(), self.node.addresses[0]])

    async def listen(self) -> None:
        """Hand every event that is heard to the counter, as the author wrote it."""
        async with self.node.listening() as listener:
            while True:
                for what in await listener.take():
                    if isinstance(what, Heard) and what.player != self.node.player:
                        author = self.names[what.player]
                        for event in what.events:
                            self.arrivals.observe(event_of(event, author))

    async def connect(self, message: Message) -> None:
        """Dial who is to be dialled, and learn everyone's name."""
        self.connected_at = _now()
        peers = [json.loads(addr) for addr in message["all"]]
        self.names.update({PlayerId(bytes.fromhex(key)): author for author, key, _ in peers})
        for number in message["dial"]:
            self.node.connect(peers[number][2])
        wanted = {PlayerId(bytes.fromhex(peers[number][1])) for number in message["dial"]}
        while not wanted <= set(self.node.peers()):
            await trio.sleep(0.001)
        say("connected")

    async def write(self, message: Message, first: int, step: int) -> Message:
        """Events on a fixed schedule (a late writer catches up), at most one per turn of the loop."""
        t0, count = _now(), 0
        while count < message["count"] and (_now() - t0) / 1e9 < message["maxS"]:
            await trio.sleep(max(0.0, count * message["gapMs"] / 1e3 - (_now() - t0) / 1e9))
            lane = f"drums/snare/{count % 8}"
            event = {"t": _now(), "lane": lane, "velocity": count % 128, "author": self.author}
            await self.node.send(note_of({**event, "seq": first + count * step}, self.node.now_us()))
            count += 1
        return {"n": count, "t0": t0, "t1": _now()}

    async def command(self, message: Message) -> None:
        """One line from the benchmark's runner."""
        match message["cmd"]:
            case "connect":
                await self.connect(message)
            case "warm":
                await self.write(message, -1, -1)
                say("warmed")
            case "go":
                self.arrivals.expect = message["expect"]
                self.arrivals.check()
                if message["count"]:
                    say("wrote", **await self.write(message, 0, 1))
            case "expect":
                self.arrivals.expect = message["n"]
                self.arrivals.check()
            case "report":
                a = self.arrivals
                say("report", got=a.got, dup=a.dup, tConnect=self.connected_at, tLast=a.last, lat=a.lat)
            case "quit":
                os._exit(0)

    async def tell_progress(self) -> None:
        """Once a second."""
        while True:
            await trio.sleep(1)
            say("prog", got=self.arrivals.got)


def note_of(event: Message, at_us: int) -> Played:
    """The benchmark's event as a note, all of it."""
    name, _, number = event["lane"].rpartition("/")
    data = _DATA.pack(event["t"], event["seq"]) + name.encode()
    return Played(at_us, Kind.NOTE_ON, int(number), 60, event["velocity"], data)


def event_of(event: Event, author: str) -> Message:
    """The benchmark's event again."""
    assert event.data is not None
    t, seq = _DATA.unpack_from(event.data)
    lane = f"{event.data[_DATA.size :].decode()}/{event.lane}"
    return {"t": t, "lane": lane, "velocity": event.velocity, "author": author, "seq": seq}


async def main() -> None:
    """Run until told to quit."""
    cfg = json.loads(sys.argv[1])
    config = Config(Path(cfg["dir"]) / "data", room="bench", interfaces=("127.0.0.1",), mdns=False)
    async with open_node(config) as node, trio.open_nursery() as nursery:
        bench = Bench(cfg, node)
        nursery.start_soon(bench.listen)
        nursery.start_soon(bench.tell_progress)
        say("ready", addr=bench.addr)
        # the thread ends with the process: the runner always says quit, or closes the pipe
        while line := await trio.to_thread.run_sync(sys.stdin.readline):
            nursery.start_soon(bench.command, json.loads(line))
        os._exit(0)


if __name__ == "__main__":
    trio.run(main)
