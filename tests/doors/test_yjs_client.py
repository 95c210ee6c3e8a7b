"""`/yjs/<document>`: an unmodified Yjs client in Node.js at a real node."""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from consensus.params import SMALL, network_id
from crdt.entry import Entry, LogKey, client_id, first_body, next_body, root_name, sign
from crdt.keys import Identity
from crdt.types import NO_NONCE, DocumentName
from crdt.yupdate import encode_append
from node.api import door
from node.api import yjs as protocol
from node.commands.processes import Process
from node.feed import open_feed
from node.shell.config import Config
from tests.doors.conftest import Start
from tests.doors.npm import Program, needs_npm

pytestmark = needs_npm

LASTS_S = 10.0  # longer than any trial here
STRANGER = Identity(b"\x07" * 32)
KEY = LogKey(STRANGER.player, NO_NONCE)
ROOT = root_name(KEY)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def begin_in_an_epoch(seconds: float) -> None:
    """Wait, if need be, until an epoch has so long to go: with the next one a jam goes on in another document."""
    epoch_s = SMALL.epoch_windows * SMALL.window_s
    left_s = epoch_s - time.time() % epoch_s
    if left_s < seconds:
        time.sleep(left_s)


class Room:
    """A node with a jam open, and what a stranger has signed in it."""

    def __init__(self, node: Process) -> None:
        self.node = node
        begin_in_an_epoch(LASTS_S)
        self.session = node.client().open_session({"title": "doors"})["id"]
        self.document = DocumentName(f"jam/{self.session}/0")
        self.client_id = client_id(self.document, KEY)
        self.network = network_id(Config(node.data_dir, preset="small", room=node.room).params)
        assert self.network.hex() == node.client().status()["network"]

    def question(self, **more: Any) -> dict[str, Any]:
        address = self.node.client().address
        url = f"ws://127.0.0.1:{address.port}/yjs"
        return {"url": url, "name": self.document, "token": address.token, "again": False, **more}

    def signed(self, count: int, label: bytes = b"", after: Entry | None = None) -> list[Entry]:
        out: list[Entry] = []
        for number in range(count):
            payload = b"%s/%d" % (label, number)
            first = after is None
            body = first_body(self.network, self.document, KEY, payload) if first else next_body(after, payload)  # type: ignore[arg-type]
            after = sign(STRANGER, self.network, body)
            out.append(after)
        return out

    def update(self, entries: list[Entry]) -> str:
        return b64(encode_append(ROOT, self.client_id, entries[0].body.seq, [entry.raw for entry in entries]))

    def play(self, count: int) -> None:
        async def run() -> None:
            async with trio.open_nursery() as nursery, open_feed(self.node.client().address, nursery) as feed:
                for number in range(count):
                    await feed.play([(feed.node_us(), 0, number % 10, 60, 100)])
                    await feed.drain()

        trio.run(run)

    def refused(self) -> Counter[str]:
        return Counter(self.node.client().status()["refused"])

    def held(self) -> bytes:
        return self.node.client().document(self.document)


@pytest.fixture
def room(node: Process) -> Iterator[Room]:
    yield Room(node)
    node.client().close_session()


@pytest.fixture
def early(node: Process) -> None:
    """To be asked for before `room` by tests that play: a jam goes on in another document when the epoch ends."""
    while True:
        status = node.client().status()
        windows_after = SMALL.epoch_windows - 1 - status["window"] % SMALL.epoch_windows
        left_us = status["window_ends_us"] + windows_after * status["window_s"] * 1_000_000 - status["now_us"]
        if left_us > 12_000_000:
            return
        time.sleep(left_us / 1_000_000 + 0.1)


def synced(start: Start, folder: Path, room: Room, **more: Any) -> Program:
    client = start(folder, "client.mjs", **room.question(**more))
    client.next("synced")
    return client


def test_entries_are_seen_live_and_the_document_comes_back_byte_for_byte(
    early: None, room: Room, yjs: Path, start: Start
) -> None:
    client = synced(start, yjs, room)
    assert client.ask(do="state")["arrays"] == {}
    room.play(12)
    mine = f"log:{room.node.player}"
    state = client.ask_until(lambda state: b64(room.held()) == state["update"], do="state")
    assert list(state["arrays"]) == [mine] and len(state["arrays"][mine]) >= 1
    assert state["pending"] == [None, None]
    entries = next(d["entries"] for d in room.node.client().status()["documents"] if d["name"] == room.document)
    assert len(state["arrays"][mine]) == entries
    late = synced(start, yjs, room)
    assert late.ask(do="state")["update"] == state["update"]


def test_the_ledger_can_be_followed_too(room: Room, yjs: Path, start: Start) -> None:
    ledger = next(d["name"] for d in room.node.client().status()["documents"] if d["name"].startswith("ledger/"))
    client = synced(start, yjs, room, name=ledger)
    state = client.ask(do="state")
    assert [len(values) > 0 for values in state["arrays"].values()] == [True]


def test_what_a_client_relays_is_admitted_and_saved_and_reaches_everyone(
    room: Room, yjs: Path, start: Start, tmp_path: Path
) -> None:
    other = Process("B", tmp_path / "b", room=room.node.room)
    try:
        other.start()
        giver, reader = synced(start, yjs, room), synced(start, yjs, room)
        entries = room.signed(40)
        giver.tell(do="apply", update=room.update(entries[:3]))
        giver.tell(do="apply", update=room.update(entries))
        reader.ask_until(lambda state: len(state["arrays"].get(ROOT, [])) == 40, do="state")
        client = other.client()
        there = synced(start, yjs, room, url=f"ws://127.0.0.1:{client.address.port}/yjs", token=client.address.token)
        there.ask_until(lambda state: len(state["arrays"].get(ROOT, [])) == 40, do="state")
        room.node.kill()
        room.node.start()
        again = synced(start, yjs, room)
        assert len(again.ask(do="state")["arrays"][ROOT]) == 40
    finally:
        other.stop()


FORGERIES: dict[str, tuple[int, dict[str, Any]]] = {
    "garbage": (door.REFUSED, {"do": "push", "root": ROOT, "values": ["a note"]}),
    "bad-elements": (door.REFUSED, {"do": "pushBytes", "root": ROOT, "values": [b64(bytes(90))]}),
    "map": (door.REFUSED, {"do": "set", "root": "m", "key": "k", "value": {"a": [1, None, 2.5]}}),
    "deletes": (door.REFUSED, {"do": "remove", "root": ROOT, "index": 1}),
    "malformed": (door.MALFORMED, {"do": "send", "message": b64(b"\x00\x02\x7fshort")}),
    "unknown": (door.MALFORMED, {"do": "send", "message": b64(b"\x0b\x00")}),
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_forgeries_end_the_connection_and_nothing_of_them_is_merged(
    room: Room, yjs: Path, start: Start, kind: str
) -> None:
    code, command = FORGERIES[kind]
    bystander, client = synced(start, yjs, room), synced(start, yjs, room)
    entries = room.signed(4)
    client.tell(do="apply", update=room.update(entries[:3]))
    bystander.ask_until(lambda state: len(state["arrays"].get(ROOT, [])) == 3, do="state")
    before, refused = room.held(), room.refused()
    client.tell(**command)
    warned = client.next("warned")
    closed = client.next("closed")
    assert (closed["code"], closed["reason"] in warned["text"]) == (code, True)
    assert room.held() == before
    assert (room.refused() - refused).total() == 1
    third = synced(start, yjs, room)
    third.tell(do="apply", update=room.update(entries))
    bystander.ask_until(lambda state: len(state["arrays"][ROOT]) == 4, do="state")


def test_an_altered_signature_is_refused(room: Room, yjs: Path, start: Start) -> None:
    client, refused = synced(start, yjs, room), room.refused()
    good = room.signed(2)
    forged = good[1].raw[:-1] + bytes([good[1].raw[-1] ^ 1])
    update = encode_append(ROOT, room.client_id, 0, [good[0].raw, forged])
    client.tell(do="apply", update=b64(update))
    closed = client.next("closed")
    assert closed["code"] == door.REFUSED and closed["reason"].startswith("bad-signature")
    assert room.refused() - refused == {"bad-signature": 1}
    fresh = synced(start, yjs, room)
    assert fresh.ask(do="state")["arrays"] == {ROOT: [b64(good[0].raw)]}


def test_a_fork_tears_a_client_off_and_a_new_document_is_well(room: Room, yjs: Path, start: Start) -> None:
    reader, giver = synced(start, yjs, room), synced(start, yjs, room)
    entries = room.signed(4)
    giver.tell(do="apply", update=room.update(entries))
    reader.ask_until(lambda state: len(state["arrays"].get(ROOT, [])) == 4, do="state")
    forger = start(yjs, "client.mjs", **room.question(again=True))
    forger.next("synced")
    fork = room.signed(1, b"other", after=entries[1])
    forger.tell(do="send", message=b64(protocol.news(base64.b64decode(room.update(fork)))))
    for client in (reader, giver, forger):
        assert client.next("closed")["code"] == door.TORN
    fresh = synced(start, yjs, room)
    assert len(fresh.ask(do="state")["arrays"][ROOT]) == 2
    assert room.node.client().status()["equivocations"] == 1


def test_a_client_comes_back_by_itself_after_the_node_was_killed(
    early: None, room: Room, yjs: Path, start: Start
) -> None:
    client = synced(start, yjs, room, again=True)
    client.tell(do="presence", state={"user": {"name": "somebody"}})
    room.node.kill()
    client.next("closed")
    room.node.start()
    client.next("synced")
    room.play(3)
    client.ask_until(lambda state: b64(room.held()) == state["update"], do="state")


@pytest.mark.parametrize("token", [None, "wrong"])
def test_nobody_enters_without_the_token(room: Room, yjs: Path, start: Start, token: str | None) -> None:
    client = start(yjs, "client.mjs", **room.question(token=token))
    assert "401" in client.next("error")["message"]
