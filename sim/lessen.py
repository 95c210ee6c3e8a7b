"""A failing scenario made smaller, for as long as it breaks the same law: fewer windows and people, a plainer network,
fewer faults. What is left is the same file with settings, so one command runs it.

Every run ends when something is broken in it (`first_broken`); what is only asked at the end, such as an expected
figure, takes the whole of it. As with cases of the soak (sim/shrink.py), big cuts come first, and with other nodes the
faults are others too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from crdt.errors import Misuse
from sim.case import numbers_in
from sim.result import Broken
from sim.run import Enough, Progress, run
from sim.scenario import Scenario, Value, heads_of, load
from sim.setup import LEAD_US, Setup
from sim.shrink import ROUNDS, TRIES, Search, downwards, leave_out

PLAIN: Final = ("mesh.line", "mesh.gossip", "clocks")  # tables whose defaults are the plainest there is

Fails = Callable[[Scenario], Broken | None]


class Lessened(NamedTuple):
    """What is left of a scenario, what it breaks, and how many were tried."""

    scenario: Scenario
    broken: Broken
    tries: int


def first_broken(scenario: Scenario, seed: int, is_over: Callable[[], bool]) -> Broken | None:
    """The first law that a run breaks; None for none, and where there was no time to see."""

    def tell(progress: Progress) -> None:
        if progress.broken or is_over():
            raise Enough

    return next(iter(run(scenario, seed, tell=tell).broken), None)


def lessen(scenario: Scenario, seed: int, broken: Broken, fails: Fails, tries: int = TRIES) -> Lessened:
    """The smallest that was found to break the same law as `scenario` does with this seed."""
    search = _Search(scenario, broken, fails, tries)
    for _ in range(ROUNDS):
        before = search.case
        _time(search)
        _people(search)
        _plainly(search)
        _faults(search, seed)
        if search.case == before:
            break
    return Lessened(search.case, search.broken, search.tries)


class _Search(Search[Scenario]):
    """One scenario on its way down."""

    @property
    def setup(self) -> Setup:
        """What it is now."""
        setup = self.case.setup
        if not isinstance(setup, Setup):
            raise Misuse("a scenario in network fidelity is needed")
        return setup

    def change(self, settings: dict[str, Value]) -> bool:
        """The same, with these settings too. What cannot be run is no failure, and what is the same nothing new."""
        try:
            smaller = load(self.case.place, {**self.case.settings, **settings})
        except Misuse:
            return False
        return smaller.content != self.case.content and self.take(smaller)


def _time(search: _Search) -> None:
    """What came after the law was broken is not needed, and perhaps not all that came before."""
    needed = max(1, -(-(search.broken.at_us - LEAD_US) // search.setup.params().window_us))
    if needed < search.setup.windows:
        search.change({"windows": needed})
    for part, of in ((1, 2), (7, 8)):
        while search.setup.windows > 1 and search.change({"windows": search.setup.windows * part // of}):
            pass


def _people(search: _Search) -> None:
    for number in sorted(heads_of(search.case).counts, reverse=True):  # the strangest stand last
        for count in (0, *downwards(heads_of(search.case).counts[number])):
            if count < heads_of(search.case).counts[number] and not search.change(_fewer(search, number, count)):
                windows: Value = search.whole.setup.windows  # fewer nodes have fewer faults in a time
                search.change({**_fewer(search, number, count), "windows": windows})
    search.change({"founders": 0})
    _time(search)


def _fewer(search: _Search, number: int, count: int) -> dict[str, Value]:
    """Settings by which a table stands for so many people."""
    setup, heads = search.setup, heads_of(search.case)
    nodes = setup.nodes - heads.counts[number] + count
    settings: dict[str, Value] = {"nodes": nodes}
    if number != heads.rest:
        settings[f"people.{number}.count"] = count
    return settings | ({"founders": nodes} if setup.founders > nodes else {})


def _plainly(search: _Search) -> None:
    """No more than a good network, and clocks that go right."""
    setup = search.setup
    for place, told in zip(PLAIN, (setup.mesh.line, setup.mesh.gossip, setup.clocks), strict=True):
        plain = msgspec.structs.asdict(type(told)())
        for field, value in msgspec.structs.asdict(told).items():
            if value != plain[field]:
                search.change({f"{place}.{field}": plain[field]})


def _faults(search: _Search, seed: int) -> None:
    """Whole kinds first, then single ones and splits."""
    for kind in sorted(search.setup.faults.kinds):
        kept = [other for other in search.setup.faults.kinds if other != kind]
        search.change({"faults.kinds": ",".join(kept) or "none", "faults.left_out": ""})
    whole = msgspec.structs.replace(search.setup.faults, left_out="")
    there = range(len(msgspec.structs.replace(search.setup, faults=whole).plan(seed)))

    def out() -> list[int]:
        return numbers_in(str(search.setup.faults.left_out))

    leave_out(there, out, lambda words: search.change({"faults.left_out": words}))
