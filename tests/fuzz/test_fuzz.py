"""A short, seeded run of every target: the same oracles as `make fuzz`, without its instruments."""

from __future__ import annotations

from random import Random

import pytest

from crdt.canonical import Canonical
from crdt.errors import Violation
from node.mesh import framing
from tests.fuzz import mutate
from tests.fuzz.targets import TARGETS, Target

ROUNDS = 10_000


def mutated(target: Target, raw: bytes, random: Random) -> bytes:
    way, rest = raw[:1], raw[1:]
    for _ in range(random.choice((1, 1, 2, 4))):
        structured = way[0] in target.structured and random.randrange(4)
        rest = (mutate.of_message if structured else mutate.of_bytes)(rest, random)
    return way + rest[: target.max_bytes]


def run(target: Target, rounds: int, seed: int) -> int:
    """How many of so many mutated inputs were accepted."""
    random, pool = Random(seed), target.seeds()
    return sum(target.run(mutated(target, random.choice(pool), random)) for _ in range(rounds))


@pytest.mark.parametrize("name", TARGETS)
def test_a_parse_or_a_violation(name: str) -> None:
    accepted = run(TARGETS[name], ROUNDS, seed=1)
    assert ROUNDS // 100 < accepted < ROUNDS  # both are reached


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_accepted(name: str) -> None:
    refused = [raw for raw in TARGETS[name].seeds() if not TARGETS[name].run(raw)]
    assert len(refused) == {"entry": 0, "yjs": 2, "edit": 0, "frame": 0}[name], refused


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_any_bytes(name: str) -> None:
    random = Random(2)
    for raw in [b"", b"\0", b"\1", b"\2", b"\xff"] + [random.randbytes(random.randrange(60)) for _ in range(500)]:
        TARGETS[name].run(raw)


# The oracles see what they are for.


@pytest.mark.parametrize("name", ["entry", "frame"])
def test_a_lenient_decoder_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Canonical, "decode", lambda self, raw: self._decoder.decode(raw))
    with pytest.raises((AssertionError, ValueError)):
        run(TARGETS[name], ROUNDS, seed=1)


def test_a_decoder_that_waits_for_any_length_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "FRAME_MAX_BYTES", 2**32)
    with pytest.raises(AssertionError):
        run(TARGETS["frame"], ROUNDS, seed=1)


@pytest.mark.parametrize("check", ["crdt.gate._check_place", "crdt.gate.client_id"])
def test_a_gate_that_does_not_look_is_found(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(*_arguments: object) -> object:
        return None

    monkeypatch.setattr(check, careless)
    with pytest.raises((AssertionError, Violation)):
        run(TARGETS["yjs"], ROUNDS, seed=1)
