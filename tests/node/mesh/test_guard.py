"""Nothing but cancellation passes the guard."""

from collections import Counter

import pytest
import trio

from node.mesh import guard as guard_module
from node.mesh.guard import Guard


class Stream:
    def __init__(self) -> None:
        self.resets = 0

    async def reset(self) -> None:
        self.resets += 1
        raise ValueError("a reset that fails, too")


async def boom(*_: object) -> None:
    raise KeyError("boom")


async def test_an_error_is_counted_under_the_task_and_returned() -> None:
    guard = Guard(Counter())
    assert isinstance(await guard.run("job", boom), KeyError)
    assert guard.counts == {"job": 1}
    assert await guard.run("job", trio.sleep, 0) is None
    assert guard.counts == {"job": 1}


async def test_errors_of_a_nursery_are_caught_and_cancellation_passes() -> None:
    guard = Guard(Counter())

    async def both() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(boom)
            nursery.start_soon(trio.sleep_forever)

    assert isinstance(await guard.run("nursery", both), KeyError)
    with trio.CancelScope() as scope:
        scope.cancel()
        await guard.run("sleeper", trio.sleep_forever)
        pytest.fail("cancellation was swallowed")
    assert scope.cancelled_caught
    assert guard.counts == {"nursery": 1}


async def test_an_error_on_the_way_out_of_a_cancelled_task_does_not_escape() -> None:
    guard = Guard(Counter())

    async def stubborn() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("in the clean-up")

    with trio.move_on_after(0.01):
        await guard.run("stubborn", stubborn)
    assert guard.counts == {"stubborn": 1}


async def test_a_handler_that_fails_resets_its_stream() -> None:
    guard, stream = Guard(Counter()), Stream()
    await guard.handler("read", boom)(stream)
    assert stream.resets == 1
    assert guard.counts == {"read": 1, "reset": 1}


async def test_a_lasting_task_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "RESTART_S", 0.001)
    guard, lives = Guard(Counter()), []

    async def third_time_lucky() -> None:
        lives.append(1)
        if len(lives) < 3:
            raise OSError("not yet")

    await guard.forever("lasting", third_time_lucky)
    assert len(lives) == 3
    assert guard.counts == {"lasting": 2}


def test_a_callback_that_raises_is_counted() -> None:
    guard = Guard(Counter())
    guard.call("callback", lambda: 1 / 0)
    assert guard.counts == {"callback": 1}
