"""The bounded queue of one watcher."""

from __future__ import annotations

import json

import trio
import trio.testing

from node.api.notices import Board


async def test_notices_come_in_order_and_only_from_now_on() -> None:
    board = Board()
    board.publish({"n": 0})
    with board.subscribe() as feed:
        for n in (1, 2, 3):
            board.publish({"n": n})
        batch = await feed.take()
        assert [json.loads(text)["n"] for text in batch.texts] == [1, 2, 3] and not batch.resync
    assert len(board) == 0


async def test_overflow_by_number_or_bytes_drops_all_and_says_so() -> None:
    for board, notice in ((Board(3, 10_000), {"n": 1}), (Board(1_000, 100), {"x": "y" * 60})):
        with board.subscribe() as feed:
            for _ in range(4):
                board.publish(notice)
            assert await feed.take() == (True, ())
            board.publish(notice)
            batch = await feed.take()
            assert len(batch.texts) == 1 and not batch.resync


async def test_take_waits_and_a_slow_watcher_harms_no_other() -> None:
    board = Board(5, 10_000)
    heard: list[str] = []
    async with trio.open_nursery() as nursery:
        with board.subscribe() as slow, board.subscribe() as quick:

            async def read() -> None:
                while len(heard) < 20:
                    heard.extend((await quick.take()).texts)

            nursery.start_soon(read)
            for n in range(20):
                board.publish({"n": n})
                await trio.testing.wait_all_tasks_blocked()
            assert [json.loads(text)["n"] for text in heard] == list(range(20))
            assert (await slow.take()).resync
