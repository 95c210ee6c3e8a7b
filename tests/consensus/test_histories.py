"""The set decides, not the order: random histories, against consensus/ in many orders and against the reference.

`make histories` runs thousands of them; these are a few dozen.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus import reward
from consensus.ops import decode_ops
from tests.consensus.histories.cast import remembered_proofs
from tests.consensus.histories.check import Broken, check, check_sums, compare, deliver
from tests.consensus.histories.generate import generate
from tests.consensus.histories.scene import History
from tests.consensus.histories.shrink import kept, shrink
from tests.consensus.histories.strategies import histories
from tests.consensus.reference.fold import fold


@pytest.fixture(autouse=True)
def _proofs() -> Iterator[None]:
    with remembered_proofs():
        yield


made = functools.cache(generate)


@pytest.mark.parametrize("seed", range(24))
def test_any_order_gives_one_root_and_what_the_reference_says(seed: int) -> None:
    check(made(seed), orders=6, seed=seed)


@settings(max_examples=30, deadline=None)
@given(histories(), st.integers(0, 2**32))
def test_whatever_part_of_a_history_is_had_it_is_so_too(history: History, seed: int) -> None:
    check(history, orders=3, seed=seed)


@settings(max_examples=20, deadline=None)
@given(histories(people_max=5, epochs_max=4), st.data())
def test_a_mesh_that_was_split_anywhere_is_one_again(history: History, data: st.DataObject) -> None:
    """Two ledgers, each with a part of the entries, give each other what the other lacks."""
    numbers = range(len(history.entries))
    mine = {n for n in numbers if data.draw(st.booleans())}
    left, right = (deliver(kept(history, part), Random(1), 1) for part in (mine, set(numbers) - mine))
    for n in numbers:
        (right if n in mine else left).add(history.entries[n])
    assert left.root() == right.root()
    compare(left, fold(history.params, history.network, history.entries), history.entries)
    check_sums(right)


def test_a_seed_gives_one_history() -> None:
    one, other = generate(7), generate(7)
    assert [entry.raw for entry in one.entries] == [entry.raw for entry in other.entries]
    assert one.sides == other.sides
    assert one.network != generate(8).network


def test_the_histories_hold_what_they_are_for() -> None:
    """Every operation, every verdict, cuts, splits and double blocks: else they would show little."""
    ops, standings, cuts, sides, finals = Counter[str](), Counter[str](), 0, 0, 0
    for seed in range(24):
        history = made(seed)
        whole = fold(history.params, history.network, history.entries)
        standings.update(block.standing for block in whole.blocks.values())
        standings["rivals"] += sum(1 for block in whole.blocks.values() if block.rivals)
        standings["fabricated"] += sum(1 for block in whole.blocks.values() if block.fabricated)
        cuts, sides = cuts + len(whole.cuts), sides + len(history.sides)
        finals += len(history.ballots.finals)
        ops.update(type(op).__name__ for entry in history.entries for op in decode_ops(entry.body.payload)[0])
    assert set(ops) >= {
        "Pulse", "Block", "Attest", "Transfer", "Stake", "Unstake", "Vouch", "Unvouch", "Report", "Witness",
        "SessionOpen", "SessionClose", "ParamVote", "Checkpoint",
    }  # fmt: skip
    assert min(standings[kind] for kind in ("accepted", "rejected", "pending", "rivals", "fabricated")) >= 5
    assert cuts >= 10 and sides >= 10 and finals >= 3


def test_a_wrong_rule_is_noticed_and_the_history_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    def generous(*arguments: object) -> Counter[bytes]:
        return Counter()

    monkeypatch.setattr("consensus.state.familiarity", generous)

    def fails(history: History) -> bool:
        try:
            check(history, orders=1)
        except Broken as broken:
            return "votes" in str(broken)
        return False

    history = next(history for seed in range(40) if fails(history := generate(seed, people=3)))
    numbers = shrink(history, fails)
    assert fails(kept(history, numbers))
    assert len(numbers) <= 12 < len(history.entries)
    assert not any(fails(kept(history, set(numbers) - {number})) for number in numbers)
    monkeypatch.setattr("consensus.state.familiarity", reward.familiarity)
    check(kept(history, numbers), orders=2)
