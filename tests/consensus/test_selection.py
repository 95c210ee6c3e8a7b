from __future__ import annotations

import pytest

from consensus import vrf
from consensus.params import MAIN, SMALL, network_id
from consensus.selection import draw, epoch_seed, input_of, tranche_of
from crdt.canonical import digest
from crdt.errors import Misuse
from crdt.types import Epoch, PlayerId, Window

NETWORK = network_id(MAIN)
PROPOSER = PlayerId(digest(b"test", b"proposer"))
LOWEST, HIGHEST = bytes(64), b"\xff" * 64


def seed_of(number: int) -> bytes:
    return digest(b"test-seed", number.to_bytes(4, "big"))


def test_the_input_holds_only_what_the_proposer_cannot_vary() -> None:
    """Network, epoch, seed, proposer and window: one input for each proposer and window, whatever the block says."""
    inputs = {
        input_of(params, network_id(params), proposer, Window(window))
        for params in (MAIN, SMALL)
        for proposer in (PROPOSER, PlayerId(bytes(32)))
        for window in (0, 1, 5_000)
    }
    assert len(inputs) == 12
    assert input_of(MAIN, NETWORK, PROPOSER, Window(7)) == input_of(MAIN, NETWORK, PROPOSER, Window(7))


def test_epoch_seeds_differ_by_epoch_and_network() -> None:
    assert len({epoch_seed(n, Epoch(e)) for n in (NETWORK, network_id(SMALL)) for e in range(50)}) == 100


@pytest.mark.parametrize("total", range(1, 8))
def test_with_seven_or_fewer_everyone_is_in_tranche_0(total: int) -> None:
    assert tranche_of(MAIN, HIGHEST, 1, total) == 0 == tranche_of(MAIN, LOWEST, 1, total)


@pytest.mark.parametrize(
    ("total", "tranche"), [(8, 1), (21, 1), (22, 2), (35, 2), (36, None), (100, None), (100_000, None)]
)
def test_the_unluckiest_output(total: int, tranche: int | None) -> None:
    assert tranche_of(MAIN, HIGHEST, 1, total) == tranche
    assert tranche_of(MAIN, LOWEST, 1, total) == 0


def test_thresholds_are_exact() -> None:
    threshold = 2**64 * 7 // 100
    below, at = (value.to_bytes(8, "big") + bytes(56) for value in (threshold - 1, threshold))
    assert (tranche_of(MAIN, below, 1, 100), tranche_of(MAIN, at, 1, 100)) == (0, 1)


def test_weight_counts_in_proportion_and_none_is_never_drawn() -> None:
    value = (2**64 * 7 * 3 // 100 - 1).to_bytes(8, "big") + bytes(56)
    assert tranche_of(MAIN, value, 3, 100) == 0 and tranche_of(MAIN, value, 2, 100) == 1
    assert tranche_of(MAIN, LOWEST, 0, 100) is None


@pytest.mark.parametrize(("weight", "total"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_weights(weight: int, total: int) -> None:
    with pytest.raises(Misuse):
        tranche_of(MAIN, LOWEST, weight, total)


def test_a_draw_is_what_anyone_else_works_out_from_its_proof() -> None:
    alpha = input_of(MAIN, NETWORK, PROPOSER, Window(90))
    drawn = [draw(MAIN, seed_of(i), alpha, 1, 60) for i in range(60)]
    assert any(d is None for d in drawn) and any(d is not None and d.tranche > 0 for d in drawn)
    for i, d in enumerate(drawn):
        if d is not None:
            output = vrf.verify(vrf.public_key(seed_of(i)), alpha, d.proof)
            assert output is not None and tranche_of(MAIN, output, 1, 60) == d.tranche
