"""SymJam's row in the benchmark of peers: nothing of an event is lost on the way, and the row speaks the protocol."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.peers.node import event_of, note_of
from consensus.events import Event
from crdt.types import Micros

ROOT = Path(__file__).resolve().parents[2]
EVENTS = 300


@pytest.mark.parametrize("seq", [0, -50, 99_999])
def test_every_field_of_an_event_arrives(seq: int) -> None:
    event = {"t": 2**62 + 1, "lane": f"drums/snare/{abs(seq) % 8}", "velocity": 127, "author": "n0", "seq": seq}
    note = note_of(event, 1_000)
    heard = Event(Micros(note.at_us), note.kind, note.lane, note.pitch, note.velocity, note.data)
    assert event_of(heard, "n0") == event


class Row:
    """One process of the row."""

    def __init__(self, number: int, folder: Path) -> None:
        folder.mkdir()
        cfg = {"id": number, "n": 2, "dir": str(folder), "hub": None, "opts": {}, "latency": True}
        command = [sys.executable, "node.py", json.dumps(cfg)]
        self._process = subprocess.Popen(
            command, cwd=ROOT / "bench" / "peers", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addr = self.answer("ready")["addr"]

    def tell(self, cmd: str, **more: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"cmd": cmd, **more}) + "\n")
        self._process.stdin.flush()

    def answer(self, ev: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said: dict[str, Any] = json.loads(line)
            if said["ev"] == ev:
                return said
        raise AssertionError(f"ended without saying {ev}")

    def end(self) -> None:
        if self._process.poll() is None:
            self.tell("quit")
        assert self._process.wait(10) == 0


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[list[Row]]:
    rows = [Row(number, tmp_path / str(number)) for number in range(2)]
    yield rows
    for row in rows:
        row.end()


def test_the_row_writes_and_hears_all(rows: list[Row]) -> None:
    for number, row in enumerate(rows):
        row.tell("connect", all=[one.addr for one in rows], dial=list(range(number)))
        row.answer("connected")
    rows[0].tell("warm", count=5, gapMs=1, maxS=5)
    rows[0].answer("warmed")
    rows[1].tell("go", count=0, gapMs=0, maxS=5, expect=EVENTS)
    rows[0].tell("go", count=EVENTS, gapMs=0, maxS=20, expect=10**9)
    assert rows[0].answer("wrote")["n"] == EVENTS
    assert rows[1].answer("done")["got"] == EVENTS
    rows[1].tell("report")
    report = rows[1].answer("report")
    assert (report["got"], report["dup"], len(report["lat"])) == (EVENTS, 0, EVENTS)
