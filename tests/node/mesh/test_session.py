"""The byte stream under a connection: nothing torn, nothing out of order, credit given and windows kept."""

from __future__ import annotations

import random
import socket
import struct
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing
from libp2p.io.exceptions import ConnectionClosedError, IncompleteReadError
from libp2p.network.connection.exceptions import RawConnError
from noise.connection import NoiseConnection

from crdt.limits import SESSION_UNSENT_BYTES
from node.mesh.session import Session

WINDOW = 262_144
HEADER = struct.Struct("!BBHII")
EXPRESS, ORDINARY = 3, 5


def noise_pair() -> tuple[NoiseConnection, NoiseConnection]:
    """Two ends of a finished handshake."""
    one, other = (NoiseConnection.from_name(b"Noise_NN_25519_ChaChaPoly_SHA256") for _ in range(2))
    one.set_as_initiator()
    other.set_as_responder()
    one.start_handshake()
    other.start_handshake()
    other.read_message(one.write_message())
    one.read_message(other.write_message())
    return one, other


def session_over(sock: socket.socket, noise: NoiseConnection) -> Session:
    """A session over one end of a socket pair."""
    sock.setblocking(False)
    secured: Any = SimpleNamespace(
        local_peer=None,
        local_private_key=None,
        remote_peer=None,
        remote_permanent_pubkey=None,
        is_initiator=True,
        conn=SimpleNamespace(noise_state=noise),
    )
    session = Session(secured, trio.SocketStream(trio.socket.from_stdlib_socket(sock)))
    session.is_muxed = True
    return session


def pair() -> tuple[Session, Session]:
    """Two sessions that talk to each other over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    one, other = noise_pair()
    return session_over(near, one), session_over(far, other)


def unwanted(data: bytes) -> None:
    """A sink that is given nothing."""
    pytest.fail(f"{len(data)} bytes took the express lane")


def frame(stream_id: int, body: bytes, kind: int = 0, flags: int = 0) -> bytes:
    """A Yamux frame."""
    return HEADER.pack(0, kind, flags, stream_id, len(body)) + body


async def read_frame(session: Session) -> tuple[int, int, bytes]:
    """Kind, stream and body of the next frame, read as libp2p reads it."""
    _, kind, _, stream_id, length = HEADER.unpack(await session.read(12))
    body = await session.read(length) if kind == 0 and length else struct.pack("!I", length)
    return kind, stream_id, body


@pytest.mark.parametrize("seed", range(3))
async def test_bytes_arrive_whole_and_in_order_however_they_are_read(seed: int) -> None:
    chance = random.Random(seed)
    one, other = pair()
    one.is_muxed = other.is_muxed = False
    sent = b"".join(chance.randbytes(chance.choice([1, 2, 100, 70_000])) for _ in range(30))

    async def write() -> None:
        at = 0
        while at < len(sent):
            size = chance.choice([1, 12, 5_000, 200_000])
            await one.write(sent[at : at + size])
            at += size

    got = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        while len(got) < len(sent):
            got += await other.read(min(chance.choice([1, 12, 4_000, 90_000]), len(sent) - len(got)))
    assert got == sent


async def test_a_cancelled_write_tears_nothing() -> None:
    one, other = pair()
    block = bytes(range(256)) * 4_000
    written = 0
    for _ in range(8):
        with trio.move_on_after(0.02):
            written += 1
            await one.write(block)
    got = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.flush_forever)
        other.is_muxed = False
        while len(got) < written * len(block):
            got += await other.read(None)
        nursery.cancel_scope.cancel()
    assert got == block * written


async def test_frames_with_a_sink_take_the_express_lane_and_others_do_not(nursery: trio.Nursery) -> None:
    one, other = pair()
    nursery.start_soon(one.flush_forever)
    taken: list[bytes] = []
    other.attach(EXPRESS, taken.append, WINDOW)
    lookalike = frame(EXPRESS, b"inside another frame")
    parts = [frame(EXPRESS, b"a"), frame(ORDINARY, lookalike), frame(EXPRESS, b"b" * 70_000), frame(ORDINARY, b"z")]
    for part in parts:
        await one.write(part)
    assert await read_frame(other) == (0, ORDINARY, lookalike)
    assert taken == [b"a"]
    assert await read_frame(other) == (0, ORDINARY, b"z")
    assert b"".join(taken) == b"a" + b"b" * 70_000  # a long one in slices
    assert other.express_frames == 2
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("flags", [1, 2, 4, 8])
async def test_frames_that_say_more_than_data_go_the_ordinary_way(flags: int) -> None:
    one, other = pair()
    other.attach(EXPRESS, unwanted, WINDOW)
    await one.write(frame(EXPRESS, b"last words", flags=flags))
    assert await read_frame(other) == (0, EXPRESS, b"last words")


async def test_after_detaching_data_is_read_again_and_its_window_is_known() -> None:
    one, other = pair()
    other.attach(EXPRESS, lambda _: None, WINDOW)
    await one.write(frame(EXPRESS, bytes(1_000)) + frame(ORDINARY, b"x"))
    await read_frame(other)
    assert other.detach(EXPRESS) == WINDOW - 1_000
    assert other.detach(EXPRESS) is None
    await one.write(frame(EXPRESS, b"y"))
    assert await read_frame(other) == (0, EXPRESS, b"y")


async def test_credit_is_given_when_half_of_a_window_is_used(nursery: trio.Nursery) -> None:
    one, other = pair()
    nursery.start_soon(one.flush_forever)
    other.attach(EXPRESS, lambda _: None, WINDOW)
    for _ in range(3):
        await one.write(frame(EXPRESS, bytes(50_000)))
    await one.write(frame(ORDINARY, b"x"))
    await read_frame(other)
    assert await read_frame(one) == (1, EXPRESS, struct.pack("!I", 150_000))
    assert other.detach(EXPRESS) == WINDOW
    nursery.cancel_scope.cancel()


async def test_a_peer_that_sends_more_than_its_window_is_cut_off() -> None:
    one, other = pair()
    other.attach(EXPRESS, unwanted, WINDOW)
    await one.write(HEADER.pack(0, 0, 0, EXPRESS, WINDOW + 1))
    with pytest.raises(RawConnError):
        await other.read(12)


async def test_nothing_is_served_after_the_session_was_given_up() -> None:
    one, other = pair()
    taken: list[bytes] = []

    def give_up(data: bytes) -> None:
        taken.append(data)
        other.socket.close()

    other.attach(EXPRESS, give_up, WINDOW)
    await one.write(frame(EXPRESS, b"enough") + frame(EXPRESS, b"too much"))
    assert await read_frame(other) == (0, EXPRESS, b"too much")  # to libp2p, which finds the connection closed
    with pytest.raises(IncompleteReadError):
        await other.read(12)
    assert taken == [b"enough"]
    assert not other.post(b"x")
    with pytest.raises(ConnectionClosedError):
        await other.write(b"x")


async def test_what_is_posted_leaves_at_once_or_not_at_all() -> None:
    one, other = pair()
    posted = 0
    while one.post(bytes(50_000)):
        posted += 1
        assert posted < 1_000
    with trio.move_on_after(0.05) as patience:
        await one.write(bytes(SESSION_UNSENT_BYTES))  # who writes more waits
    assert patience.cancelled_caught
    other.is_muxed = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.flush_forever)
        await other.read(posted * 50_000 + SESSION_UNSENT_BYTES)
        await trio.testing.wait_all_tasks_blocked()
        assert one.post(b"room again")
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("damage", [b"\x00\x10" + bytes(16), b"\x00\x00", b"\x00\x05abcde"])
async def test_a_message_that_does_not_decrypt_ends_the_session(damage: bytes) -> None:
    one, other = pair()
    await one.socket.send(damage)
    with pytest.raises(RawConnError):
        await other.read(12)


@pytest.mark.parametrize("said", [b"", b"\x00", b"\x00\x20half a message"])
async def test_the_end_of_a_connection_is_an_incomplete_read(said: bytes) -> None:
    one, other = pair()
    if said:
        await one.socket.send(said)
    one.socket.close()
    with pytest.raises(IncompleteReadError):
        await other.read(12)


async def test_flushing_ends_when_the_peer_is_gone() -> None:
    one, other = pair()
    while one.post(bytes(50_000)):
        pass
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.flush_forever)
        await trio.testing.wait_all_tasks_blocked()
        other.socket.close()
    one, other = pair()
    while one.post(bytes(50_000)):
        pass
    one.socket.close()  # given up here, with bytes unsent
    with trio.fail_after(5):
        await one.flush_forever()
