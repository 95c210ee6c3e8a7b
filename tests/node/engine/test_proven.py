"""Proofs found to be valid, in the store: the same ledger without verifying them again, and nothing believed that is
damaged."""

from __future__ import annotations

import pytest

from consensus import vrf
from consensus.params import SMALL
from consensus.proofs import Proofs
from node.engine.documents import Documents, Stored
from node.engine.proven import PROVEN_PREFIX, RECORD_MAX, Proven
from tests.consensus.world import FIRST, World

KEY, PROOF = vrf.public_key(bytes(32)), vrf.prove(bytes(32), b"a window")


def stored(batch: tuple[tuple[bytes, bytes | None], ...]) -> list[tuple[bytes, bytes]]:
    return sorted((key, value) for key, value in batch if value is not None)


def test_a_ledger_is_the_same_and_verifies_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(4)
    world.open_session(world.people[0])
    for window in (FIRST, FIRST + 1):
        world.round(window)
    first = Documents(SMALL, Stored(world.entries))
    root, records = first.ledger.root(), stored(first.proven.due())
    assert len(records) == 1 and first.proven.due() == ()
    asked = []
    monkeypatch.setattr(vrf, "verify", lambda *given: asked.append(given))
    again = Documents(SMALL, Stored(world.entries, proven=records))
    assert again.ledger.root() == root and not asked and again.proven.due() == ()
    ((key, value),) = records
    damaged = Documents(SMALL, Stored(world.entries, proven=[(key, value[:-1] + bytes([value[-1] ^ 1]))]))
    assert damaged.ledger.root() != root and asked, "what is damaged is asked for again"


def test_many_small_records_become_few() -> None:
    keys = [PROVEN_PREFIX + b"%08d" % number for number in range(100)]
    batch = Proven([(keys[0], b""), *((key, _record(number)) for number, key in enumerate(keys[1:]))], Proofs()).due()
    assert {key for key, value in batch if value is None} == set(keys)
    ((key, value),) = stored(batch)
    assert key > keys[-1] and len(value) == 32 + 99 * 40
    proofs = Proofs()
    kept = Proven([(key, value)], proofs)
    assert len(proofs) == 99 and kept.due() == ()
    assert proofs.output(KEY, b"a window", PROOF) == vrf.evaluate(bytes(32), b"a window")[:8]
    ((following, _),) = kept.due()
    assert following > key


def _record(number: int) -> bytes:
    proofs = Proofs()
    proofs._found[number.to_bytes(32, "big")] = bytes(8)
    ((_, value),) = Proven([], proofs).due()
    assert value is not None and RECORD_MAX > 1
    return value
