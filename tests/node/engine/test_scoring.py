"""The score while one plays is what the window is found to be worth when it is over."""

from __future__ import annotations

from msgspec import structs

from consensus.ops import Why
from consensus.params import ONE_Q16, SMALL
from consensus.quality.grid import Grid
from crdt.types import Window
from jam.midi import Performance, quantised
from jam.synthetic import make
from node.engine.scoring import Score, score
from sim.world import Host
from tests.sim.room import SECOND, perform, room, settle


def scored(host: Host, window: Window) -> Score | None:
    played = host.engine.duties.most_played(window)
    asked = host.engine.duties.riff(window)
    return score(SMALL, played.session, window, played.entries, asked) if played else None


def scores_at_the_end_of_windows(performance: Performance) -> tuple[Host, dict[Window, Score]]:
    world, hosts = room(2)
    world.run_until(world.now_us + 3 * SECOND)
    ends_us = perform(world, hosts[0], performance)
    found: dict[Window, Score] = {}
    while world.now_us < ends_us:
        window = SMALL.window_at(world.now_us)
        over_us = SMALL.window_start_us(Window(window + 1))
        world.run_until(over_us - 1)
        seen = scored(hosts[0], window)
        if seen is not None:
            found[window] = seen
        world.run_until(over_us)
    settle(world)
    return hosts[0], found


def test_the_last_score_of_a_window_is_what_its_block_claims() -> None:
    host, found = scores_at_the_end_of_windows(make(3, 25 * SECOND, 100_000))
    proposed = [o for o in host.engine.duties.outcomes.values() if o.kind == "proposed"]
    assert proposed and {o.window for o in proposed} <= set(found)
    for outcome in proposed:
        seen, claimed = found[outcome.window], outcome.measures
        assert claimed is not None and seen.why is Why.FINE
        assert structs.replace(seen.measures, originality=0, total=0) == structs.replace(
            claimed, originality=0, total=0
        )
        assert seen.measures.originality == ONE_Q16 and seen.measures.total >= claimed.total
        assert seen.words[1:] == outcome.words[1 : len(seen.words)]  # sentence by sentence
        assert seen.counted.events == outcome.events // 2  # note-offs are events too


def test_what_will_be_refused_is_said_while_it_is_played() -> None:
    host, found = scores_at_the_end_of_windows(quantised(make(3, 25 * SECOND, 100_000), Grid(100_000, 4, 4)))
    refused = [o for o in host.engine.duties.outcomes.values() if o.kind == "refused"]
    assert refused
    for outcome in refused:
        assert found[outcome.window].why is outcome.why and found[outcome.window].measures.total == 0


def test_silence_has_no_score_and_a_few_notes_are_too_few() -> None:
    world, hosts = room(2)
    world.run_until(world.now_us + 3 * SECOND)
    assert scored(hosts[0], SMALL.window_at(world.now_us)) is None
    _, found = scores_at_the_end_of_windows(make(3, 2 * SECOND, 100_000))
    assert found and all(seen.why is not Why.FINE and seen.measures.total == 0 for seen in found.values())
