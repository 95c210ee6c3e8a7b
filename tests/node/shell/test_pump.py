"""Who signs together with whom: at once when at rest, shared when in a hurry, bounded, and nobody pays for another."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from crdt.errors import Misuse, OperatingFailure
from crdt.limits import EVENTS_PER_ENTRY_MAX, PLAY_QUEUE_MAX
from node.engine.inputs import Played
from node.shell.pump import Pump


def note(lane: int = 1) -> Played:
    return Played(1_000, 0, lane, 60, 100)


class Scene:
    """A pump whose entries are kept; signing one takes `cost_s` of its clock, and lane 9 is refused."""

    def __init__(self, clock: trio.testing.MockClock) -> None:
        self.clock = clock
        self.entries: list[tuple[Played, ...]] = []
        self.times: list[float] = []
        self.cost_s = 0.001
        self.alone = False
        self.knows_time = True
        self.pump = Pump(self._sign, lambda: self.alone, lambda: self.knows_time)

    def _sign(self, events: tuple[Played, ...]) -> None:
        if any(event.lane == 9 for event in events):
            raise Misuse("lane 9")
        self.entries.append(events)
        self.times.append(trio.current_time())
        self.clock.jump(self.cost_s)


@pytest.fixture
def scene(mock_clock: trio.testing.MockClock) -> Scene:
    return Scene(mock_clock)


async def test_an_event_at_rest_is_signed_at_once(
    scene: Scene, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    scene = Scene(autojump_clock)
    nursery.start_soon(scene.pump.run_forever)
    began = trio.current_time()
    await scene.pump.play([note()])
    assert scene.times == [began]
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("cost_s", "alone", "gap_s"), [(0.001, False, 0.004), (0.05, False, 0.07), (0.001, True, 0.021)]
)
async def test_what_comes_while_the_pump_rests_shares_the_next_entry(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock, cost_s: float, alone: bool, gap_s: float
) -> None:
    scene = Scene(autojump_clock)
    scene.cost_s, scene.alone = cost_s, alone
    nursery.start_soon(scene.pump.run_forever)
    await scene.pump.play([note(0)])
    async with trio.open_nursery() as players:
        for lane in range(1, 5):
            players.start_soon(scene.pump.play, [note(lane)])
    assert [len(entry) for entry in scene.entries] == [1, 4]
    assert scene.times[1] - scene.times[0] == pytest.approx(gap_s)
    nursery.cancel_scope.cancel()


async def test_one_refused_event_refuses_its_own_sender_only(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    scene = Scene(autojump_clock)
    refused: list[str] = []

    async def bad() -> None:
        with pytest.raises(OperatingFailure) as caught:
            await scene.pump.play([note(9)])
        refused.append(caught.value.why)

    async with trio.open_nursery() as players:
        players.start_soon(scene.pump.play, [note(1)])
        players.start_soon(bad)
        players.start_soon(scene.pump.play, [note(2)])
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(scene.pump.run_forever)
    assert refused == ["lane 9"]
    assert sorted(event.lane for entry in scene.entries for event in entry) == [1, 2]
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("count", [0, EVENTS_PER_ENTRY_MAX + 1])
async def test_too_few_or_too_many_at_once_are_refused(scene: Scene, count: int) -> None:
    with pytest.raises(OperatingFailure):
        await scene.pump.play([note()] * count)


async def test_what_waits_is_bounded_and_an_entry_holds_no_more_than_it_may(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    scene = Scene(autojump_clock)
    for _ in range(PLAY_QUEUE_MAX):
        await scene.pump.send(note())
    with pytest.raises(OperatingFailure) as caught:
        await scene.pump.play([note()])
    assert caught.value.what == "too much at once"
    with trio.move_on_after(1) as patience:
        await scene.pump.send(note())
    assert patience.cancelled_caught
    nursery.start_soon(scene.pump.run_forever)
    await scene.pump.send(note())  # now there is room
    while sum(len(entry) for entry in scene.entries) < PLAY_QUEUE_MAX + 1:
        await trio.sleep(0.1)
    assert max(len(entry) for entry in scene.entries) == EVENTS_PER_ENTRY_MAX
    nursery.cancel_scope.cancel()


async def test_what_is_played_before_the_jams_time_is_known_waits_for_it(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    scene = Scene(autojump_clock)
    scene.knows_time = False
    nursery.start_soon(scene.pump.run_forever)
    for lane in range(3):
        await scene.pump.send(note(lane))
    await trio.sleep(2)
    assert scene.entries == []
    scene.knows_time = True
    await scene.pump.play([note(3)])
    assert [event.lane for entry in scene.entries for event in entry] == [0, 1, 2, 3]  # none lost, in order
    nursery.cancel_scope.cancel()


async def test_where_nobody_knows_the_time_that_is_said(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    scene = Scene(autojump_clock)
    scene.knows_time = False
    nursery.start_soon(scene.pump.run_forever)
    with pytest.raises(OperatingFailure) as caught:
        await scene.pump.play([note()])
    assert "time of this jam" in caught.value.why and "another jam" in caught.value.remedy
    assert scene.entries == []
    scene.knows_time = True
    await scene.pump.play([note(2)])
    assert len(scene.entries) == 1
    nursery.cancel_scope.cancel()


async def test_what_could_not_be_saved_is_not_acknowledged(nursery: trio.Nursery) -> None:
    failure = OperatingFailure("the store cannot save", "No space left on device", "Make room")

    def sign(_events: tuple[Played, ...]) -> None:
        raise failure

    pump = Pump(sign, lambda: False)
    nursery.start_soon(pump.run_forever)
    with pytest.raises(OperatingFailure) as caught:
        await pump.play([note()])
    assert caught.value is failure
