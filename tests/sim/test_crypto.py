"""Whatever stands in for signatures: nobody signs for another, and afterwards everything is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

import crdt.entry
import crdt.replica
import node.engine.documents
from consensus import vrf
from consensus.params import SMALL, network_id
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Misuse, Reason, Violation
from crdt.keys import Identity
from crdt.types import NO_NONCE, PlayerId, ledger_document
from jam.synthetic import make
from sim import crypto
from tests.sim.room import SECOND, identity, perform, room, roots, settle, totals

NETWORK = network_id(SMALL)
KEYS = [(b"seed %d" % number).ljust(32) for number in range(3)]
ALL = pytest.mark.parametrize("kind", crypto.KINDS)
Open = Callable[..., Entry]


def _entry(who: Identity, payload: bytes = b"\x90") -> Entry:
    return sign(who, NETWORK, first_body(NETWORK, ledger_document(1), LogKey(who.player, NO_NONCE), payload))


@ALL
def test_what_is_signed_is_accepted_and_what_is_changed_is_not(kind: str) -> None:
    with crypto.using(kind) as tally:
        entry = _entry(identity(1))
        assert crdt.entry.open_entry(NETWORK, entry.raw) == entry
        for at in (0, 40, 63, len(entry.raw) - 1):
            changed = bytearray(entry.raw)
            changed[at] ^= 1
            with pytest.raises(Violation):
                crdt.entry.open_entry(NETWORK, bytes(changed))
        assert tally.signed == 1 and tally.refused >= 3 and tally.verified > tally.refused


@ALL
def test_nobody_signs_for_another(kind: str) -> None:
    with crypto.using(kind):
        mine, theirs = _entry(identity(1)), _entry(identity(2))
        forged = mine.raw[:64] + theirs.raw[64:]
        with pytest.raises(Violation) as found:
            crdt.entry.open_entry(NETWORK, forged)
        assert found.value.reason is Reason.BAD_SIGNATURE
        assert not crdt.entry.verify(identity(3).player, b"message", mine.raw[:64])  # who has never signed
        assert not crdt.entry.verify(PlayerId(bytes(32)), b"message", bytes(64))
        assert not crdt.entry.verify(identity(1).player, b"message", b"short")


@ALL
def test_a_key_and_an_input_have_one_output_that_only_the_key_can_show(kind: str) -> None:
    with crypto.using(kind):
        publics = [vrf.public_key(seed) for seed in KEYS]
        proof = vrf.prove(KEYS[0], b"input")
        assert len(proof) == vrf.PROOF_BYTES
        assert vrf.verify(publics[0], b"input", proof) == vrf.evaluate(KEYS[0], b"input")
        assert len(vrf.evaluate(KEYS[0], b"input")) == vrf.OUTPUT_BYTES
        for public, alpha, shown in (
            (publics[1], b"input", proof),
            (publics[0], b"another", proof),
            (publics[0], b"input", proof[:-1]),
            (publics[0], b"input", proof[:-1] + bytes([proof[-1] ^ 1])),
            (publics[0], b"input", bytes([proof[0] ^ 1]) + proof[1:]),
            (b"no key".ljust(32), b"input", proof),
        ):
            assert vrf.verify(public, alpha, shown) is None
        outputs = {vrf.evaluate(seed, alpha) for seed in KEYS for alpha in (b"a", b"b")}
        assert len(outputs) == 6


@pytest.fixture
def functions() -> Iterator[list[object]]:
    def found() -> list[object]:
        modules = (crdt.entry, crdt.replica, node.engine.documents)
        return [Identity.sign, crdt.entry.verify, vrf.public_key, vrf.prove, vrf.evaluate, vrf.verify] + [
            module.open_entry
            for module in modules  # type: ignore[attr-defined]
        ]

    before = found()
    yield before
    assert found() == before


@ALL
def test_everything_is_put_back(kind: str, functions: list[object]) -> None:
    with pytest.raises(ZeroDivisionError), crypto.using(kind):
        assert Identity.sign is not functions[0] and vrf.verify is not functions[5]
        raise ZeroDivisionError


def test_an_unknown_kind_is_a_misuse() -> None:
    with pytest.raises(Misuse, match="real, shared, cheap"):
        crypto.using("none")


@pytest.mark.parametrize("context", [crypto.real, crypto.shared])
def test_stand_ins_and_signatures_are_not_taken_for_each_other(
    context: Callable[[], AbstractContextManager[crypto.Tally]],
) -> None:
    with crypto.cheap():
        stand_in = _entry(identity(1)).raw
    signed = _entry(identity(1)).raw
    with context(), pytest.raises(Violation):
        crdt.entry.open_entry(NETWORK, stand_in)
    with crypto.cheap(), pytest.raises(Violation):
        crdt.entry.open_entry(NETWORK, signed)


@pytest.mark.parametrize("kind", ["shared", "cheap"])
def test_bytes_opened_once_are_one_object_and_refused_for_the_same_reasons(kind: str) -> None:
    real = crdt.entry.open_entry
    with crypto.using(kind) as tally:
        entry = _entry(identity(1))
        later = sign(identity(1), NETWORK, next_body(entry, b"\x90"))
        opened = crdt.entry.open_entry(NETWORK, entry.raw)
        assert crdt.replica.open_entry(NETWORK, bytes(entry.raw)) is opened  # type: ignore[attr-defined]
        assert tally.verified == 1

        def place(_: object) -> None:
            raise Violation(Reason.GAP)

        bad = later.raw[:63] + bytes([later.raw[63] ^ 1]) + later.raw[64:]
        for raw in (entry.raw, later.raw, bad, b"", bytes(70), entry.raw[:100]):
            for held in (None, place, lambda _: entry):
                assert _outcome(crdt.entry.open_entry, raw, held) == _outcome(real, raw, held)


def _outcome(open_it: Open, raw: bytes, held: object) -> object:
    try:
        return open_it(NETWORK, raw, held)
    except Violation as violation:
        return violation.reason


def _played(kind: str) -> tuple[object, ...]:
    with crypto.using(kind) as tally:
        world, hosts = room(3)
        world.run_until(perform(world, hosts[0], make(5, 15 * SECOND, 100_000)))
        settle(world)
        blocks = [(block.window, block.standing, block.reward) for block in hosts[1].engine.ledger.blocks()]
        assert tally.signed > 30 and tally.proofs_verified > 0
        return tally, roots(hosts), totals(hosts), blocks, world.frames


def test_what_is_verified_once_for_all_is_the_same_run() -> None:
    (once, *shared), (all_, *real) = _played("shared"), _played("real")
    assert shared == real
    assert isinstance(once, crypto.Tally) and isinstance(all_, crypto.Tally)
    assert once.verified * 2 <= all_.verified and once.signed == all_.signed


def test_with_stand_ins_the_same_is_played_and_paid() -> None:
    (_, roots_, totals_, blocks, _), (_, _, _, real, _) = _played("cheap"), _played("real")
    assert len(roots_) == len(totals_) == 1  # type: ignore[arg-type]
    assert blocks == real  # in a room of three everybody verifies
