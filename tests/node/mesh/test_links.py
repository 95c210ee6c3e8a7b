"""Live links between real hosts: order, bounds, violations, refusals, returns."""

from __future__ import annotations

import contextlib
import secrets
from typing import Any

import pytest
import trio
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError

from crdt.errors import Misuse, Reason
from crdt.limits import FRAME_MAX_BYTES, OUTBOX_BYTES_MAX, OUTBOX_FRAMES_MAX
from node.mesh import links as links_module
from node.mesh import watchdog
from node.mesh.framing import encode
from node.mesh.links import Outbox
from node.mesh.port import MeshEvents
from tests.node.mesh.helpers import Node, Owner, pair, started, until
from tests.node.mesh.rawpeer import LIVE, RawPeer


async def test_frames_arrive_whole_and_in_order_both_ways() -> None:
    async with pair() as (a, b):
        sizes = [1, 2, 1_000, FRAME_MAX_BYTES, 7, FRAME_MAX_BYTES - 1] + [50] * 300
        frames = [secrets.token_bytes(size) for size in sizes]
        for frame in frames:
            assert a.mesh.send(b.player, frame)
            assert b.send(a.player, frame)
        a.mesh.flush()
        await until(lambda: len(a.owner.frames) == len(b.owner.frames) == len(frames), "all frames")
        assert [frame for _, frame in b.owner.frames] == frames
        assert {player for player, _ in a.owner.frames} == {b.player}
        assert a.mesh.counters["writes"] < len(frames) / 2  # what waits goes together


async def test_joined_once_before_any_frame_and_left_once() -> None:
    async with started(a := Node()) as nursery:
        b = Node(peers=[a.address])
        await nursery.start(b.run)
        await until(lambda: a.player in b.mesh.links(), "the link")
        b.send(a.player, b"one")
        await until(lambda: a.owner.frames, "the frame")
        b.stop()
        await until(lambda: a.owner.told(b.player)["left"], "the end")
        assert [what for what, _ in a.owner.log] == ["joined", "frame", "left"]
        assert b.owner.told(a.player) == {"joined": 1, "left": 1}
        assert a.mesh.links() == {}


async def test_what_a_link_shows() -> None:
    async with pair() as (a, b):
        await until(lambda: a.mesh.links()[b.player].rtt_us is not None, "the first ping")
        link = a.mesh.links()[b.player]
        assert link.peer_id == b.mesh.peer_id
        assert link.address.startswith("/ip4/127.0.0.1/tcp/")
        assert link.address.endswith(f"/p2p/{b.mesh.peer_id}")
        assert link.queued == 0
        assert b.mesh.links()[a.player].address == a.address == b.owner.addresses[a.player]
        assert b.mesh.reachable() == [a.address]


async def test_frames_of_a_peer_that_cannot_be_answered_are_not_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames come after `joined`, so without it they do not come."""
    monkeypatch.setattr(links_module, "_UNJOINED_WAIT_S", 0.05)
    async with pair() as (a, _), RawPeer(a.address, linked=False) as raw:
        await raw.live(encode(b"hello"))
        await until(lambda: a.mesh.counters["frames-unjoined"], "the end of patience")
        assert raw.player not in {player for player, _ in a.owner.frames}
        assert a.owner.told(raw.player) == {}


async def test_frames_that_come_before_joined_are_delivered_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with started(a := Node()):
        opened = a.mesh.tcp.host.open_stream

        async def slow(*args: Any) -> Any:
            await trio.sleep(0.2)
            return await opened(*args)

        monkeypatch.setattr(a.mesh.tcp.host, "open_stream", slow)
        async with RawPeer(a.address) as raw:
            await raw.live(encode(b"early"))
            await until(lambda: a.owner.frames, "the early frame")
            assert [what for what, _ in a.owner.log] == ["joined", "frame"]


@pytest.mark.parametrize(
    ("data", "close", "reason"),
    [
        (b"\xff\xff\xff\xff", False, Reason.OVERSIZE),
        ((FRAME_MAX_BYTES + 1).to_bytes(4, "big"), False, Reason.OVERSIZE),
        (b"\x00\x00\x00\x00", False, Reason.GARBAGE),
        (encode(b"whole frame")[:-1], True, Reason.TRUNCATED),
        (b"\x00\x00", True, Reason.TRUNCATED),
        (secrets.token_bytes(200_000), False, Reason.OVERSIZE),
    ],
    ids=["huge", "one too many", "empty", "cut frame", "cut length", "noise"],
)
async def test_a_broken_stream_is_a_violation(data: bytes, close: bool, reason: Reason) -> None:
    async with pair() as (a, b), RawPeer(a.address) as raw:
        await raw.live(encode(b"good") + data, close=close)
        await until(lambda: a.owner.violations, "the violation")
        assert a.owner.violations == [(raw.player, reason)]
        assert (raw.player, b"good") in a.owner.frames
        assert b.player in a.mesh.links()


async def test_a_connection_cut_inside_a_frame_is_nobodys_fault() -> None:
    async with started(a := Node()):
        async with RawPeer(a.address) as raw:
            await raw.live(encode(b"whole") + encode(b"cut off")[:-2])
            await until(lambda: a.owner.frames, "the whole frame")
        await until(lambda: a.owner.told(raw.player)["left"], "the end")
        await trio.sleep(0.1)
        assert a.owner.violations == []


async def test_inbound_live_streams_are_bounded() -> None:
    async with pair() as (a, _), RawPeer(a.address) as raw:
        await until(lambda: raw.player in a.mesh.links(), "the link")
        with contextlib.suppress(BaseLibp2pError):  # a refusal may come while the stream is being agreed upon
            for _ in range(10):
                await raw.open(LIVE)
        await until(lambda: a.mesh.counters["live-refused"], "the refusal")


async def test_sending_to_nobody_is_refused_and_impossible_frames_are_misuse() -> None:
    async with pair() as (a, b):
        assert not a.send(a.player, b"x")
        for frame in (b"", bytes(FRAME_MAX_BYTES + 1)):
            with pytest.raises(Misuse):
                a.send(b.player, frame)
        for hint in (b"", bytes(4_097)):
            with pytest.raises(Misuse):
                a.mesh.publish(hint)


def test_an_outbox_is_bounded_in_frames_and_in_bytes() -> None:
    small, large = Outbox(), Outbox()
    while small.put(encode(b"x")):
        pass
    assert len(small) == OUTBOX_FRAMES_MAX
    while large.put(encode(bytes(FRAME_MAX_BYTES))):
        pass
    assert OUTBOX_BYTES_MAX - FRAME_MAX_BYTES < len(large) * (FRAME_MAX_BYTES + 4) <= OUTBOX_BYTES_MAX
    while len(small):
        assert 0 < len(small.take()) <= FRAME_MAX_BYTES + 4
    assert small.put(encode(b"room again"))


async def test_a_peer_that_does_not_read_is_dropped_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: a write that is cancelled half-way breaks every stream of its connection. So writes are shielded, and
    one that takes too long costs the connection."""
    monkeypatch.setattr(links_module, "WRITE_TIMEOUT_S", 1.0)

    async def deaf(stream: Any) -> None:
        await trio.sleep_forever()

    async with pair() as (a, b):
        raw = RawPeer(a.address, linked=False)
        raw.host.set_stream_handler(TProtocol(LIVE), deaf)
        async with raw:
            await until(lambda: raw.player in a.mesh.links(), "the link")
            refused = 0
            with trio.move_on_after(10):
                while a.owner.told(raw.player)["left"] == 0:
                    refused += not a.send(raw.player, bytes(FRAME_MAX_BYTES))
                    a.send(b.player, b"meanwhile")
                    await trio.sleep(0.002)
            assert a.mesh.counters["writes-timed-out"] == 1
            assert refused
        count = len(b.owner.frames)
        assert a.send(b.player, b"still here")
        await until(lambda: len(b.owner.frames) > count and b.owner.frames[-1][1] == b"still here", "the honest peer")
        assert b.owner.told(a.player)["left"] == 0


async def test_cancelling_a_mesh_with_writes_in_progress_ends_it() -> None:
    async with pair() as (a, b):
        for _ in range(40):
            a.send(b.player, bytes(FRAME_MAX_BYTES))
        await trio.sleep(0)
        a.stop()
        await until(lambda: b.owner.told(a.player)["left"], "the end")


async def test_a_refused_player_stays_out_for_its_time() -> None:
    async with started(a := Node()) as nursery:
        b = Node(peers=[a.address])
        await nursery.start(b.run)
        await until(lambda: b.player in a.mesh.links(), "the link")
        a.mesh.refuse(b.player, 2.0)
        await until(lambda: a.owner.told(b.player)["left"], "the disconnection")
        await until(lambda: a.mesh.counters["connections-refused"], "an attempt to come back")
        assert b.player not in a.mesh.links()
        assert a.owner.told(b.player)["joined"] == 1
        await until(lambda: b.player in a.mesh.links(), "the return")


async def test_a_return_under_the_same_key_on_a_new_port() -> None:
    player = Node(seed=bytes(32)).player
    async with started(a := Node()) as nursery:
        for life in range(1, 4):
            b = Node(seed=bytes(32), peers=[a.address])
            await nursery.start(b.run)
            await until(lambda life=life: a.owner.told(player)["joined"] == life, f"life {life}")
            assert a.send(player, b"%d" % life)
            await until(lambda b=b: b.owner.frames, "the frame")
            b.stop()
            await until(lambda life=life: a.owner.told(player)["left"] == life, f"the end of life {life}")


async def test_the_static_peer_that_returns_is_redialled() -> None:
    seed = secrets.token_bytes(32)
    async with started(a := Node(seed=seed)) as nursery:
        port, b = a.mesh.tcp.host.port, Node(peers=[a.address])
        await nursery.start(b.run)
        await until(lambda: a.player in b.mesh.links(), "the link")
        a.stop()
        await until(lambda: b.owner.told(a.player)["left"], "the end")
        await trio.sleep(0.5)
        again = Node(seed=seed, port=port)
        await nursery.start(again.run)
        await until(lambda: again.owner.told(b.player)["joined"], "the return")


async def test_both_sides_dial_at_once() -> None:
    """Duplicate connections are tolerated: one link each, told of once, frames both ways."""
    async with started(a := Node(), b := Node()):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(a.mesh.tcp.host.dial, b.mesh.tcp.announced[0])
            nursery.start_soon(b.mesh.tcp.host.dial, a.mesh.tcp.announced[0])
        await until(lambda: b.player in a.mesh.links() and a.player in b.mesh.links(), "the links")
        assert len(a.mesh.tcp.host.connections(b.player)) == 2
        for n in range(50):
            assert a.send(b.player, b"%d" % n)
            assert b.send(a.player, b"%d" % n)
        await until(lambda: len(a.owner.frames) == len(b.owner.frames) == 50, "the frames")
        assert a.owner.told(b.player)["joined"] == b.owner.told(a.player)["joined"] == 1


async def test_a_spare_connection_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_SPARE_S", 0.0)
    monkeypatch.setattr(watchdog, "PING_EVERY_S", 0.1)
    async with pair() as (a, b):
        await a.mesh.tcp.host.dial(b.mesh.tcp.announced[0])
        await until(lambda: len(a.mesh.tcp.host.connections(b.player)) == 1, "one connection")
        await until(lambda: a.mesh.links() and b.mesh.links(), "the link")


async def test_a_dead_address_does_not_hold_up_a_good_one() -> None:
    """Trap: host.connect dials the first address only, and blocks the peer for 60 s after a failure."""
    async with started(a := Node()) as nursery:
        good = a.mesh.tcp.announced[0]
        dead = [str(good).replace(f"/tcp/{good.port}/", f"/tcp/{port}/") for port in (1, 2, 3)]
        b = Node(remembered=["rubbish", *dead, str(good)])
        await nursery.start(b.run)
        await until(lambda: a.player in b.mesh.links(), "the link")


def test_an_owner_fits_the_protocol() -> None:
    owner: MeshEvents = Owner()
    assert owner


async def test_ending_is_clean_and_quick(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed, no port and no thread is left; ten seconds would mean that something was waited out."""
    async with pair() as (a, b):
        port = a.mesh.tcp.host.port
        with trio.fail_after(10):
            a.stop()
            b.stop()
            await until(
                lambda: not a.mesh.tcp.host.swarm.listeners or a.mesh.tcp.host.swarm.manager.is_finished, "the end"
            )
    with pytest.raises(OSError):
        await trio.open_tcp_stream("127.0.0.1", port)
    assert capfd.readouterr() == ("", "")


async def test_a_change_of_network_makes_everybody_due() -> None:
    """A remembered peer that was away for an hour is tried once a minute; with a new Wi-Fi it is tried at once."""
    port, identity = 0, secrets.token_bytes(32)
    async with started(first := Node(seed=identity)):
        port, address = first.mesh.tcp.host.port, first.address
    async with started(b := Node(remembered=[address])) as nursery:
        await until(lambda: b.mesh.counters["dials-failed"] >= 2, "attempts")
        for known in b.mesh.tcp.book._known.values():
            for place in known.places.values():
                place.backoff_s, place.due_s = 60.0, trio.current_time() + 60.0
        again = Node(seed=identity, port=port)
        await nursery.start(again.run)
        await trio.sleep(0.5)
        assert not b.mesh.links()
        b.mesh.tcp._moved()
        await until(lambda: again.player in b.mesh.links(), "the link")
