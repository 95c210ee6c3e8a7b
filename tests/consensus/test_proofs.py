from __future__ import annotations

import pytest

from consensus import vrf
from consensus.params import MAIN
from consensus.proofs import Proofs
from consensus.selection import tranche_of
from crdt.limits import VRF_PROOFS_KNOWN_MAX

SEEDS = [bytes([n]) * 32 for n in range(4)]
ALPHA = b"a window"
PROVEN = [(vrf.public_key(seed), vrf.prove(seed, ALPHA)) for seed in SEEDS]


def test_what_is_remembered_is_what_was_found() -> None:
    proofs = Proofs()
    for _ in range(2):
        for key, proof in PROVEN:
            whole = vrf.verify(key, ALPHA, proof)
            output = proofs.output(key, ALPHA, proof)
            assert whole is not None and output == whole[:8]
            assert tranche_of(MAIN, output, 1, 100) == tranche_of(MAIN, whole, 1, 100)
    assert len(proofs) == len(PROVEN)


@pytest.mark.parametrize("known", [False, True])
def test_a_proof_is_known_only_for_its_key_and_its_input(known: bool) -> None:
    proofs = Proofs()
    (key, proof), (other, other_proof) = PROVEN[:2]
    if known:
        assert proofs.output(key, ALPHA, proof) and proofs.output(other, ALPHA, other_proof)
    broken = proof[:-1] + bytes([proof[-1] ^ 1])
    moved = [(key + ALPHA, b"", proof), (key[:-1], key[-1:], proof), (key, proof[-1:] + ALPHA, proof[:-1])]
    wrong = [(other, ALPHA, proof), (key, ALPHA + b"x", proof), (key, ALPHA, broken), (key, b"", b""), *moved]
    for _ in range(2):
        assert [proofs.output(*each) for each in wrong] == [None] * len(wrong)


def test_a_window_of_ten_thousand_blocks_fits() -> None:
    assert 10_000 * MAIN.tranche_sizes[0] <= VRF_PROOFS_KNOWN_MAX


def test_it_is_bounded_however_much_is_asked() -> None:
    proofs = Proofs(most=2)
    for seed, (key, proof) in zip(SEEDS * 2, PROVEN * 2, strict=True):
        assert proofs.output(key, ALPHA, proof) == vrf.evaluate(seed, ALPHA)[:8]
        assert len(proofs) <= 2
