"""The node's documents as Yjs clients get them, around a real engine and store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from crdt.errors import Reason, Violation
from crdt.types import DocumentName
from crdt.yupdate import decode_update
from node.api.backend import SessionWish
from tests.node.shell.test_backend import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.node.close()


def ledger_of(scene: Scene) -> DocumentName:
    return next(name for name in scene.engine.documents.names() if name.startswith("ledger/"))


def shown(scene: Scene, name: DocumentName) -> list[int]:
    """Entries that a client of the API sees, a newcomer at the door, and what the node holds."""
    library = scene.backend.library
    update, first = library.update(name), library.follow(name, {}).next_update()
    assert update is not None
    return [
        *(sum(len(item.values) for item in decode_update(one).items) for one in (update, first or b"\0\0")),
        sum(library.clocks(name).values()),
    ]


async def test_a_ledger_entry_is_shown_to_nobody_before_it_is_synced(scene: Scene, nursery: trio.Nursery) -> None:
    nursery.start_soon(scene.backend.open_session, SessionWish("tune"))
    await trio.testing.wait_all_tasks_blocked()
    name = ledger_of(scene)
    assert shown(scene, name) == [0, 0, 1]
    with scene.backend.library.grown.listening() as ear:
        scene.run(nursery)
        with trio.fail_after(5):
            await ear.wait()
    assert shown(scene, name) == [1, 1, 1]
    nursery.cancel_scope.cancel()


async def test_what_no_log_can_contain_is_counted(scene: Scene) -> None:
    library = scene.backend.library
    with pytest.raises(Violation):
        library.elements(b"\x01\x02")
    library.blame(Violation(Reason.UNEXPECTED, "a message of kind 9"))
    assert scene.engine.refused == {Reason.TRUNCATED: 1, Reason.UNEXPECTED: 1}


async def test_a_document_that_is_not_held_is_none_but_can_be_followed(scene: Scene) -> None:
    library = scene.backend.library
    name = DocumentName("ledger/7")
    assert library.update(name) is None
    assert (library.clocks(name), library.follow(name, {}).next_update()) == ({}, None)
