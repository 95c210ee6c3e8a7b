"""Changing over to the express lane: no frame overtakes the one that libp2p has in its hands."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import trio
import trio.testing

from node.mesh.session import Session
from node.mesh.transport import BoundedYamux
from tests.node.mesh.test_session import EXPRESS, WINDOW, frame, pair, read_frame


def _muxed(session: Session, stream: Any) -> BoundedYamux:
    """The part of a connection that attaches, with one stream."""
    muxed = BoundedYamux.__new__(BoundedYamux)
    muxed.secured_conn = session
    muxed.streams, muxed.stream_buffers = {EXPRESS: stream}, {EXPRESS: bytearray()}
    muxed._attaching = {}
    return muxed


async def _libp2p(session: Session, muxed: BoundedYamux, taken: trio.Event, go_on: trio.Event) -> None:
    """Upstream's reader: takes a frame, waits for its lock, and only then puts the frame into the stream's buffer."""
    while True:
        _, stream_id, body = await read_frame(session)
        taken.set()
        await go_on.wait()
        muxed.stream_buffers[stream_id].extend(body)
        muxed.streams[stream_id].recv_window -= len(body)


async def test_a_frame_in_the_readers_hands_is_not_overtaken(nursery: trio.Nursery) -> None:
    """Seen in the soak as a frame before the hello: the hello was the one that was overtaken."""
    near, far = pair()
    stream = SimpleNamespace(stream_id=EXPRESS, recv_window=WINDOW)
    muxed, served = _muxed(far, stream), []
    taken, go_on = trio.Event(), trio.Event()
    for body in (b"hello", b"links", b"total"):
        await near.write(frame(EXPRESS, body))
    nursery.start_soon(_libp2p, far, muxed, taken, go_on)
    await taken.wait()
    muxed.attach(stream, served.append)
    go_on.set()
    with trio.fail_after(5):
        while len(served) < 3:
            await trio.testing.wait_all_tasks_blocked()
    assert served == [b"hello", b"links", b"total"]
    assert far.detach(EXPRESS) == WINDOW - 15


async def test_while_the_reader_waits_the_change_is_at_once(nursery: trio.Nursery) -> None:
    near, far = pair()
    stream = SimpleNamespace(stream_id=EXPRESS, recv_window=WINDOW)
    muxed, served = _muxed(far, stream), []
    nursery.start_soon(_libp2p, far, muxed, trio.Event(), trio.Event())
    await trio.testing.wait_all_tasks_blocked()
    muxed.stream_buffers[EXPRESS].extend(b"early")
    muxed.attach(stream, served.append)
    assert served == [b"early"]
    await near.write(frame(EXPRESS, b"late"))
    with trio.fail_after(5):
        while len(served) < 2:
            await trio.testing.wait_all_tasks_blocked()
    assert served == [b"early", b"late"]


async def test_who_has_had_enough_before_it_began_is_not_attached(nursery: trio.Nursery) -> None:
    near, far = pair()
    stream = SimpleNamespace(stream_id=EXPRESS, recv_window=WINDOW)
    muxed, served = _muxed(far, stream), []
    taken, go_on = trio.Event(), trio.Event()
    for body in (b"one", b"two"):
        await near.write(frame(EXPRESS, body))
    nursery.start_soon(_libp2p, far, muxed, taken, go_on)
    await taken.wait()
    muxed.attach(stream, served.append)
    muxed.detach(stream)
    go_on.set()
    await trio.testing.wait_all_tasks_blocked()
    assert served == [] and muxed.stream_buffers[EXPRESS] == b"onetwo"
