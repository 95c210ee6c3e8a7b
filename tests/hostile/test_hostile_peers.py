"""The essential attacks in short: the honest pair loses nothing, its memory stays bounded, the offender ends refused.

How long the music takes meanwhile is what `make hostile` measures and judges, with the attackers in processes of their
own and every attack there is: here they share a process with the listener.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from crdt.types import NetworkId
from tests.hostile.attacker import lives
from tests.hostile.attacks import NAMES, PAGE, PEERS, STRANGERS
from tests.hostile.judge import GROWTH_MAX_MB, P99_MAX_MS, faults
from tests.hostile.nodes import Node, honest_pair
from tests.hostile.site import Site, is_kept_out
from tests.hostile.trial import Trial
from tests.hostile.w1 import Latency, measure

SPAN_S = 1.0
ESSENTIAL = (
    "long-lengths",
    "stream-flood",
    "entry-flood-ready",
    "document-flood",
    "gap-flood-one-log",
    "many-forks",
    "unasked-answers",
)
Pair = tuple[Node, Node]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Author and listener, for all attacks of this file."""
    with honest_pair(Path(tmp_path_factory.mktemp("hostile"))) as nodes:
        yield nodes


def _site(author: Node) -> Site:
    status = author.status()
    return Site(status["addresses"][0], NetworkId(bytes.fromhex(status["network"])), Counter())


async def _play(pair: Pair) -> Latency:
    author, listener = pair
    return await measure(author.client().address, listener.client().address, author.player, SPAN_S)


@pytest.mark.parametrize("name", ESSENTIAL)
async def test_the_pair_plays_on_and_the_offender_ends_refused(pair: Pair, name: str) -> None:
    author, listener = pair
    site, before_mb = _site(author), author.memory_mb()[0]
    author.forget_peak()
    first: list[bytes] = []
    latency: list[Latency] = []

    async def play() -> None:
        latency.append(await _play(pair))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(play)
        nursery.start_soon(lives, site, name, first, trio.current_time() + 2 * SPAN_S)
    if (
        site.tally["keys"] < 2 and not site.tally["thrown-out"]
    ):  # a busy machine: it had hardly signed what it floods with
        del first[:]
        await lives(site, name, first, trio.current_time() + 10 * SPAN_S)
    assert latency[0].missing == 0
    assert author.memory_mb()[1] - before_mb < GROWTH_MAX_MB
    assert await is_kept_out(site, first[0])
    status = author.status()
    assert sum(status["refused"].values())
    assert [peer["player"] for peer in status["peers"]] == [listener.player]


async def test_nobody_without_a_key_gets_in(pair: Pair) -> None:
    site = _site(pair[0])
    with trio.move_on_after(SPAN_S):
        await STRANGERS["plaintext"](site)
    assert site.tally["dials"] and not site.tally["let-in"]
    assert (await _play(pair)).missing == 0


def _trial(**changes: object) -> Trial:
    fine = Trial(
        attack="entry-flood",
        latency=Latency(1.0, P99_MAX_MS - 1, 60.0, 100, 0),
        before_mb=100.0,
        peak_mb=120.0,
        processor_share=0.5,
        tally={"kept-out": 1},
        refused={},
        counters={},
        guarded={},
        strangers=0,
        alive=True,
    )
    return fine._replace(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"alive": False},
        {"latency": Latency(1.0, 2.0, 3.0, 100, 1)},
        {"latency": Latency(1.0, P99_MAX_MS, P99_MAX_MS, 100, 0)},
        {"peak_mb": 101.0 + GROWTH_MAX_MB},
        {"strangers": 1},
        {"tally": {}},
        {"tally": {"kept-out": 1, "let-in": 1}},
        {"tally": {"kept-out": 1, "did-not-report": 1}},
    ],
)
def test_what_does_not_hold_is_found(changes: dict[str, object]) -> None:
    assert faults(_trial()) == []
    assert len(faults(_trial(**changes))) == 1


def test_every_attack_says_what_it_is() -> None:
    assert {*ESSENTIAL} <= {*NAMES}
    assert all(attack.__doc__ for attack in (*PEERS.values(), *STRANGERS.values(), *PAGE.values()))
