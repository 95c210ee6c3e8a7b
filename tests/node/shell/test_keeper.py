"""A running node hands out its store as of one moment, to a few at once."""

from __future__ import annotations

import io
from contextlib import aclosing
from pathlib import Path

import pytest
import trio

from crdt.errors import OperatingFailure
from crdt.limits import SNAPSHOTS_MAX
from crdt.store.keys import ENTRY
from crdt.store.records import items_in
from node.keep.frames import read
from tests.node.shell.test_backend import Scene


async def test_all_of_one_moment_whatever_is_written_meanwhile(tmp_path: Path, nursery: trio.Nursery) -> None:
    scene = Scene(tmp_path)
    scene.run(nursery)
    await scene.backend.play([scene.note()])
    await scene.node.hands.settled()
    before = dict(scene.node.records())
    async with aclosing(scene.backend.store()) as frames:
        stream = await anext(frames)
        root = scene.engine.ledger.root().hex()
        await scene.backend.play([scene.note(2)])
        async for frame in frames:
            stream += frame
    came = read(io.BytesIO(stream).read)
    assert dict(item for piece in came.pieces for item in items_in(piece)) == before
    assert (came.head.root, came.head.name) == (root, scene.node.config.store_path.name)
    assert came.head.entries == sum(key[:1] == ENTRY for key in before)
    assert len(dict(scene.node.records())) > len(before)
    scene.node.close()
    nursery.cancel_scope.cancel()


async def test_a_few_at_once_and_what_is_given_up_is_free_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for _ in range(2):
        begun = [scene.backend.store() for _ in range(SNAPSHOTS_MAX)]
        for frames in begun:
            await anext(frames)
        with pytest.raises(OperatingFailure, match="under way"):
            await anext(scene.backend.store())
        for frames in begun:
            await frames.aclose()
    scene.node.close()
