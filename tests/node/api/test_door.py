"""The door for Yjs clients over a real connection, with pycrdt as the client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from pycrdt import Array, Doc
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection, open_websocket_url

from crdt.entry import Entry, client_id, root_name
from crdt.errors import Reason
from crdt.lib0 import Reader, buffer
from crdt.limits import YJS_CLIENTS_MAX, YJS_MESSAGE_MAX_BYTES, YJS_MESSAGES_PER_S_MAX
from crdt.view import View
from crdt.yupdate import encode_append
from node.api import door, yjs
from tests.crdt.authors import ALICE, BOB, JAM, LEDGER, MALLORY, OTHER_JAM, chain, key_of
from tests.node.api.conftest import TOKEN, Served

ALICES = chain(ALICE, 6)
BOBS = chain(BOB, 4)
CLIENT, ROOT = client_id(JAM, key_of(ALICE)), root_name(key_of(ALICE))


def alices(entries: list[Entry]) -> bytes:
    return encode_append(ROOT, CLIENT, entries[0].body.seq, [entry.raw for entry in entries])


class Client:
    """A Yjs client as small as can be."""

    def __init__(self, websocket: WebSocketConnection) -> None:
        self.websocket = websocket
        self.doc: Doc[Array[bytes]] = Doc(client_id=9)
        self.answers = 0
        self.updates = 0
        self.keep_alives = 0
        self.why = ""

    async def ask(self) -> None:
        await self.websocket.send_message(b"\x00\x00" + buffer(self.doc.get_state()))

    async def give(self, update: bytes) -> None:
        await self.websocket.send_message(yjs.news(update))

    async def hear(self) -> None:
        message = await self.websocket.get_message()
        assert isinstance(message, bytes)
        if message == yjs.KEEP_ALIVE:
            self.keep_alives += 1
        elif message[0] == 2:
            self.why = Reader(message[2:]).buffer().decode()
        elif message[1] != 0:
            self.doc.apply_update(Reader(message[2:]).buffer())
            self.answers += message[1] == 1
            self.updates += message[1] == 2

    async def until_synced(self) -> None:
        before = self.answers
        with trio.fail_after(5):
            while self.answers == before:
                await self.hear()

    async def until(self, update: bytes) -> None:
        with trio.fail_after(5):
            while self.doc.get_update() != update:
                await self.hear()

    async def until_closed(self) -> int:
        with trio.fail_after(5), pytest.raises(ConnectionClosed) as closed:
            while True:
                await self.hear()
        assert closed.value.reason is not None
        return closed.value.reason.code


@asynccontextmanager
async def attached(
    served: Served, name: str = JAM, query: str = f"?token={TOKEN}", protocols: list[str] | None = None, **headers: str
) -> AsyncIterator[Client]:
    async with open_websocket_url(
        f"ws://127.0.0.1:{served.address.port}/yjs/{name}{query}",
        subprotocols=protocols,
        extra_headers=[(k.encode(), v.encode()) for k, v in headers.items()],
    ) as websocket:
        yield Client(websocket)


async def test_a_client_is_asked_and_brought_up_to_date_before_it_is_answered(served: Served) -> None:
    served.node.library.add(*ALICES, *BOBS)
    async with attached(served) as client:
        first = await client.websocket.get_message()
        assert first == yjs.ask(served.node.library.clocks(JAM))
        await client.ask()
        await client.until_synced()
        assert client.doc.get_update() == View(served.node.library.replicas[JAM]).update()
        assert client.updates == 1


async def test_what_is_new_comes_live_and_only_that(served: Served) -> None:
    served.node.library.add(*ALICES[:4])
    async with attached(served) as client:
        await client.ask()
        await client.until_synced()
        for entry in (ALICES[4], BOBS[0], ALICES[5]):
            served.node.library.add(entry)
            await client.until(View(served.node.library.replicas[JAM]).update())
        served.node.library.add(*chain(BOB, 3, document=OTHER_JAM))
        with trio.move_on_after(0.05):
            await client.hear()
        assert client.updates == 4


async def test_a_client_that_comes_back_gets_what_it_missed(served: Served) -> None:
    served.node.library.add(*ALICES[:2])
    async with attached(served) as client:
        await client.ask()
        await client.until_synced()
        served.node.library.add(*BOBS)
        await client.until(View(served.node.library.replicas[JAM]).update())
        doc = client.doc
    served.node.library.add(*ALICES[2:])
    async with attached(served) as again:
        again.doc = doc
        await again.ask()
        await again.until_synced()
        assert doc.get_update() == View(served.node.library.replicas[JAM]).update()


async def test_a_document_that_nobody_has_yet_can_be_waited_for(served: Served) -> None:
    async with attached(served, LEDGER) as client:
        await client.ask()
        await client.until_synced()
        assert (client.doc.get_update(), client.updates) == (yjs.NOTHING, 0)
        served.node.library.add(*chain(ALICE, 2, document=LEDGER))
        await client.until(View(served.node.library.replicas[LEDGER]).update())


async def test_signed_entries_are_taken_and_reach_the_other_clients(served: Served) -> None:
    async with attached(served) as giver, attached(served) as other:
        await other.ask()
        await giver.give(alices(ALICES[:3]))
        await giver.give(alices(ALICES[1:]))
        await other.until(alices(ALICES))
    assert not served.node.library.blamed


def _altered(entry: Entry) -> bytes:
    return entry.raw[:-1] + bytes([entry.raw[-1] ^ 1])


REFUSED = [
    (encode_append(ROOT, CLIENT, 2, [_altered(ALICES[2])]), Reason.BAD_SIGNATURE, door.REFUSED),
    (encode_append(ROOT, CLIENT, 2, [b"a note, unsigned".ljust(90)]), Reason.GARBAGE, door.REFUSED),
    (encode_append(ROOT, 77, 2, [ALICES[2].raw]), Reason.WRONG_CLIENT, door.REFUSED),
    (encode_append("log:elsewhere", CLIENT, 0, [ALICES[0].raw]), Reason.WRONG_PARENT, door.REFUSED),
    (encode_append(ROOT, CLIENT, 1, [ALICES[2].raw]), Reason.GAP, door.REFUSED),
    (alices(ALICES[4:]), Reason.GAP, door.REFUSED),
    (alices(chain(ALICE, 3, document=OTHER_JAM)[2:]), Reason.WRONG_DOCUMENT, door.REFUSED),
    (b"\x00\x01" + b"\x05\x01\x00\x01", Reason.DELETES, door.REFUSED),
    (b"\x01\x01\x05\x00\x04\x01\x01a\x01b\x00", Reason.GARBAGE, door.REFUSED),
    (b"\x01\x02", Reason.TRUNCATED, door.REFUSED),
    (
        alices(chain(ALICE, 2, label=b"other", after=chain(ALICE, 1, label=b"other")[0])[1:]),
        Reason.WRONG_PREV,
        door.TORN,
    ),
]


@pytest.mark.parametrize(("update", "reason", "code"), REFUSED)
async def test_what_is_not_a_signed_entry_in_its_place_ends_the_connection(
    served: Served, update: bytes, reason: Reason, code: int
) -> None:
    served.node.library.add(*ALICES[:2])
    before = View(served.node.library.replicas[JAM]).update()
    async with attached(served) as bystander:
        await bystander.ask()
        await bystander.until_synced()
        async with attached(served) as client:
            await client.give(update)
            assert await client.until_closed() == code
            assert str(reason) in client.why
        assert served.node.library.blamed == [reason]
        assert View(served.node.library.replicas[JAM]).update() == before
        served.node.library.add(ALICES[2])
        await bystander.until(View(served.node.library.replicas[JAM]).update())


async def test_what_was_signed_stays_when_a_forgery_follows_it(served: Served) -> None:
    async with attached(served) as client:
        await client.give(encode_append(ROOT, CLIENT, 0, [ALICES[0].raw, ALICES[1].raw, _altered(ALICES[2])]))
        assert await client.until_closed() == door.REFUSED
    assert served.node.library.clocks(JAM) == {CLIENT: 2}


@pytest.mark.parametrize("message", [b"", b"\x00", b"\x09\x00", b"\x00\x02\x7fabc", b"\x00\x00\x01\x05", "text", ""])
async def test_a_malformed_message_ends_that_connection_only(served: Served, message: bytes | str) -> None:
    async with attached(served) as bystander, attached(served) as client:
        await client.websocket.send_message(message)
        assert await client.until_closed() == door.MALFORMED
        served.node.library.add(*ALICES)
        await bystander.ask()
        await bystander.until_synced()
        assert bystander.doc.get_update() == alices(ALICES)
    assert len(served.node.library.blamed) == 1


async def test_a_message_too_long_ends_the_connection(served: Served) -> None:
    async with attached(served) as client:
        await client.websocket.send_message(b"\x00" * (YJS_MESSAGE_MAX_BYTES + 1))
        assert await client.until_closed() == 1009


async def test_a_fork_sends_those_away_who_saw_what_it_cut(served: Served) -> None:
    library = served.node.library
    library.add(*ALICES[:4])
    async with attached(served) as one, attached(served) as other:
        await one.ask()
        await one.until_synced()
        library.add(*chain(ALICE, 1, label=b"fork", after=ALICES[1]))
        assert await one.until_closed() == door.TORN
        await other.ask()
        await other.until_synced()
        assert other.doc.get_update() == alices(ALICES[:2])
    async with attached(served) as again:
        again.doc = one.doc
        await again.ask()
        assert await again.until_closed() == door.TORN


async def test_presence_is_tolerated_and_goes_nowhere(served: Served) -> None:
    async with attached(served) as one, attached(served) as other:
        await one.websocket.send_message(b"\x01" + buffer(b"\x01\x05\x01\x02{}"))
        await one.websocket.send_message(b"\x03")
        await one.ask()
        await one.until_synced()
        await other.ask()
        await other.until_synced()
        assert one.keep_alives == other.keep_alives == 0


async def test_a_client_that_says_and_hears_nothing_is_kept_alive(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "KEEP_ALIVE_S", 0.02)
    async with attached(served) as client:
        with trio.fail_after(5):
            while client.keep_alives < 3:
                await client.hear()


async def test_more_messages_than_the_rate_allows_wait(served: Served) -> None:
    async with attached(served) as client:
        began = trio.current_time()
        for _ in range(YJS_MESSAGES_PER_S_MAX + 1):
            await client.ask()
        for _ in range(YJS_MESSAGES_PER_S_MAX - 1):
            if client.answers:
                break
            await client.until_synced()
        await client.give(alices(ALICES))
        with trio.fail_after(5):
            while not served.node.library.replicas.get(JAM) or not served.node.library.replicas[JAM].logs:
                await trio.sleep(0.01)
        assert trio.current_time() - began > 0.9


@pytest.mark.parametrize(
    ("query", "protocols"),
    [
        ("", None),
        ("?token=", None),
        (f"?token={TOKEN}x", None),
        (f"?token={TOKEN}&token={TOKEN}", None),
        (f"?Token={TOKEN}", None),
        ("?" + "&".join(f"a{n}=1" for n in range(20)) + f"&token={TOKEN}", None),
        (f"?token={TOKEN}", ["symjam", "token.wrong"]),
        ("", ["symjam"]),
        ("", [f"token.{TOKEN}"]),
    ],
)
async def test_nobody_enters_without_the_token(served: Served, query: str, protocols: list[str] | None) -> None:
    with pytest.raises(ConnectionRejected) as refused:
        async with attached(served, query=query, protocols=protocols):
            pass
    assert refused.value.status_code == 401


async def test_the_token_may_come_as_a_subprotocol(served: Served) -> None:
    async with attached(served, query="", protocols=["symjam", f"token.{TOKEN}"]) as client:
        assert client.websocket.subprotocol == "symjam"
    async with attached(served, protocols=["symjam"]) as client:
        assert client.websocket.subprotocol == "symjam"
    async with attached(served) as client:
        assert client.websocket.subprotocol is None


@pytest.mark.parametrize("header", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}])
async def test_foreign_pages_stay_out(served: Served, header: dict[str, str]) -> None:
    with pytest.raises(ConnectionRejected) as refused:
        async with attached(served, **header):
            pass
    assert refused.value.status_code == 403


async def test_the_pages_own_socket_takes_no_token_from_its_address(served: Served) -> None:
    with pytest.raises(ConnectionRejected) as refused:
        async with open_websocket_url(f"ws://127.0.0.1:{served.address.port}/ws?token={TOKEN}"):
            pass
    assert refused.value.status_code == 401


@pytest.mark.parametrize("name", ["", "nothing", "jam/1/0", "ledger/01", "../../api/status"])
async def test_only_documents_can_be_attached_to(served: Served, name: str) -> None:
    with pytest.raises(ConnectionRejected) as refused:
        async with attached(served, name):
            pass
    assert refused.value.status_code == 404


async def test_clients_are_bounded(served: Served) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(YJS_CLIENTS_MAX):
            await nursery.start(_stay, served)
        with pytest.raises(ConnectionRejected) as refused:
            async with attached(served):
                pass
        assert refused.value.status_code == 503
        nursery.cancel_scope.cancel()
    with trio.fail_after(5):
        while len(served.node.library.grown):
            await trio.sleep(0.01)
    async with attached(served) as client:
        await client.ask()
        await client.until_synced()


async def _stay(served: Served, task_status: trio.TaskStatus[None]) -> None:
    async with attached(served):
        task_status.started()
        await trio.sleep_forever()


async def test_a_client_that_reads_nothing_slows_nobody_and_is_caught_up_later(served: Served) -> None:
    library = served.node.library
    big = chain(MALLORY, 300, size=16_000)
    async with attached(served) as slow, attached(served) as quick:
        await slow.ask()
        await quick.ask()
        await quick.until_synced()
        for start in range(0, 300, 50):
            library.add(*big[start : start + 50])
            await quick.until(View(library.replicas[JAM]).update())
        await slow.until(View(library.replicas[JAM]).update())
        assert slow.answers == 1


async def test_the_node_says_goodbye_when_it_stops() -> None:
    from node.api.server import serve
    from node.runtime import ApiAddress
    from tests.node.api.memory_node import MemoryNode

    async with trio.open_nursery() as nursery:
        node = MemoryNode()
        scope = trio.CancelScope()

        async def run(task_status: trio.TaskStatus[int]) -> None:
            with scope:
                await serve(node, token=TOKEN, task_status=task_status)

        port = await nursery.start(run)
        async with attached(Served(node, ApiAddress(port, TOKEN, 1))) as client:
            await client.ask()
            await client.until_synced()
            scope.cancel()
            assert await client.until_closed() == door.GOING_AWAY
