"""What fails is made smaller and still fails alike; cases are what their settings say."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from crdt.errors import Misuse, OperatingFailure
from sim.case import Case, Run, case_of
from sim.faults import Kind, parse_kinds
from sim.result import Broken
from sim.shrink import shrink
from sim.soak import Line, Wish, draw, play, soak
from sim.trace import Trace
from tests.sim.planted.mutations import quorum_less_one

SMALL = {"nodes": 3, "seconds": 12, "preset": "small", "players": 1, "share": 1.0, "notes_per_s": 3.0, "tick_ms": 200}


def test_all_that_is_not_needed_goes() -> None:
    """A law that breaks 20 s after the first power cut, with four nodes."""
    whole = Case(5, nodes=16, seconds=3_000, founders=4, hostile="flooder,lazy")
    tried = []

    def fails(case: Case) -> Broken | None:
        tried.append(case)
        cuts = [fault for fault in case.plan() if fault.kind is Kind.POWER]
        if not cuts or case.nodes < 4 or case.seconds * 1_000 < cuts[0].at_ms + 20_000:
            return None
        return Broken("kept", cuts[0].at_ms * 1_000 + 20_000_000, "gone")

    broken = fails(whole)
    assert broken is not None
    small = shrink(whole, broken, fails)
    assert small.case.nodes == 4 and not small.case.hostile and not small.case.founders and small.case.players == 0
    assert parse_kinds(small.case.faults) == {Kind.POWER} and len(small.case.plan()) == 1
    assert small.case.seconds <= small.broken.at_us // 1_000_000 + 1 and fails(small.case) == small.broken
    assert small.tries < len(tried) <= 200


def test_another_law_is_another_failure() -> None:
    whole = Case(1, nodes=4, seconds=100)

    def fails(case: Case) -> Broken | None:
        return Broken("kept" if case.nodes == 4 else "heals", 50_000_000, "")

    assert shrink(whole, Broken("kept", 50_000_000, ""), fails).case.nodes == 4


def test_it_gives_up_in_time() -> None:
    small = shrink(Case(1), Broken("kept", 3_000_000_000, ""), lambda _: Broken("kept", 3_000_000_000, ""), tries=7)
    assert small.tries == 7


def test_what_a_planted_bug_needs_is_little() -> None:
    whole = case_of(1, {**SMALL, "nodes": 5, "seconds": 45, "players": 2, "notes_per_s": 4.0})
    with quorum_less_one():
        first = play(whole).broken[0]
        small = shrink(whole, first, lambda case: next(iter(play(case).broken), None), tries=12)
        assert play(small.case).broken[0] == small.broken
    assert small.case.seconds < 45 and small.broken.invariant == first.invariant


def test_one_fault_left_out_is_a_number_and_is_left_out() -> None:
    """Found by reading: the command that `shrink` printed was refused."""
    one = case_of(3, {**SMALL, "left_out": 2})
    assert one == case_of(3, {**SMALL, "left_out": "2"}) and case_of(3, one.settings()) == one


def test_a_case_is_what_its_replay_says() -> None:
    case = draw(7, Wish(nodes=6))
    assert case == draw(7, Wish(nodes=6)) != draw(8, Wish(nodes=6))
    assert case_of(7, case.settings()) == case
    assert case.replay().startswith("symjam sim run soak --seed 7 --set nodes=6 --set seconds=")
    hour = draw(7, Wish(nodes=16, hours=1))
    assert (hour.seconds, hour.preset, hour.replay()) == (3_600, "main", "symjam sim run soak --seed 7")


@pytest.mark.parametrize(
    "settings",
    [
        {"nodes": 0}, {"nodes": "many"}, {"faults": "fire"}, {"hostile": "wolf"}, {"left_out": "one"},
        {"preset": "big"}, {"speed": 3}, {"share": 2.0},
    ],
)  # fmt: skip
def test_what_no_case_has_is_refused(settings: dict[str, int | float | str]) -> None:
    with pytest.raises(Misuse):
        case_of(1, settings)


def test_the_same_case_gives_the_same_trace() -> None:
    prints = []
    for _ in range(2):
        run = Run(case_of(3, {**SMALL, "nodes": 5}), Trace(0))
        assert run.run().broken == ()
        prints.append((run.trace.fingerprint() if run.trace else "", run.world.frames))
    assert prints[0] == prints[1] and prints[0][0]


def test_a_soak_goes_on_where_it_was(tmp_path: Path) -> None:
    lines: list[Line] = []
    wish = Wish(seed=11, runs=2, nodes=2, out=tmp_path / "soak.jsonl")
    first = soak(wish, lines.append)
    assert [line.case.seed for line in first] == [11, 12] and lines == first and not any(line.broken for line in first)
    with (tmp_path / "soak.jsonl").open("ab") as file:
        file.write(b'{"case": cut short')
    assert soak(wish, lines.append) == first and len(lines) == 2
    more = soak(msgspec.structs.replace(wish, runs=3), lines.append)
    assert [line.case.seed for line in more] == [11, 12, 13] and len(lines) == 3
    assert soak(msgspec.structs.replace(wish, seed=12, runs=1), lines.append) == first[1:]


def test_a_soak_ends_with_its_time(tmp_path: Path) -> None:
    assert soak(Wish(seconds=0.0), lambda _: None) == []
    with pytest.raises(OperatingFailure):
        soak(Wish(seed=11, runs=1, nodes=2, out=tmp_path / "no" / "soak.jsonl"), lambda _: None)
