from __future__ import annotations

import trio

from node.api.bell import Bell


async def test_everyone_who_listens_wakes_once_however_often_it_rang() -> None:
    bell = Bell()
    with bell.listening() as one, bell.listening() as other:
        assert len(bell) == 2
        bell.ring()
        bell.ring()
        with trio.fail_after(1):
            await one.wait()
            await other.wait()
        with trio.move_on_after(0.01) as patience:
            await one.wait()
        assert patience.cancelled_caught
        other.wake()
        await other.wait()
    assert len(bell) == 0
    bell.ring()


async def test_what_rings_while_a_listener_works_is_not_lost(nursery: trio.Nursery) -> None:
    bell = Bell()
    woken = []

    async def work(task_status: trio.TaskStatus[None]) -> None:
        with bell.listening() as ear:
            task_status.started()
            while len(woken) < 3:
                await ear.wait()
                woken.append(trio.current_time())
                await trio.sleep(0.01)

    await nursery.start(work)
    for _ in range(3):
        before = len(woken)
        bell.ring()
        with trio.fail_after(1):
            while len(woken) == before:
                await trio.sleep(0.001)
