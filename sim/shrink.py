"""A failing case of the soak made smaller, for as long as it breaks the same law: less time, fewer nodes, people and
faults. sim/lessen.py does it with scenarios.

Big cuts first. Whole kinds of faults go before single ones, which go by delta debugging (Zeller and Hildebrandt, 2002):
halves, then quarters, then single ones. With other nodes the faults are others too, so they come last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from sim.case import Case, numbers_in, words_in
from sim.faults import parse_kinds
from sim.result import Broken

TRIES: Final = 200
ROUNDS: Final = 4

Fails = Callable[[Case], Broken | None]  # the first law that a case breaks


class Shrunk(NamedTuple):
    """What is left of a case, what it breaks, and how many were tried."""

    case: Case
    broken: Broken
    tries: int


T = TypeVar("T")


def law_of(broken: Broken) -> str:
    """Which law it is: of figures that are not as expected, which figure, and whether there is one."""
    figure, _, rest = broken.words.partition(" is ")
    missing = " missing" if rest.startswith("missing") else ""
    return figure + missing if broken.invariant == "expected" else broken.invariant


class Search(Generic[T]):
    """Something that breaks a law, on its way down."""

    def __init__(self, case: T, broken: Broken, fails: Callable[[T], Broken | None], tries: int) -> None:
        self.whole, self.case, self.broken = case, case, broken
        self._fails, self._left, self.tries = fails, tries, 0

    def take(self, case: T) -> bool:
        """Go on with this one, if it breaks the same law."""
        if case == self.case or self.tries >= self._left:
            return False
        self.tries += 1
        broken = self._fails(case)
        if broken is None or law_of(broken) != law_of(self.broken):
            return False
        self.case, self.broken = case, broken
        return True


class _Search(Search[Case]):
    """One case on its way down."""

    def change(self, **fields: object) -> bool:
        """The same, with other fields."""
        return self.take(msgspec.structs.replace(self.case, **fields))


def shrink(case: Case, broken: Broken, fails: Fails, tries: int = TRIES) -> Shrunk:
    """The smallest case found that breaks the same law as `case` does."""
    search = _Search(case, broken, fails, tries)
    for _ in range(ROUNDS):
        before = search.case
        _time(search)
        _people(search)
        _kinds(search)
        _faults(search)
        if search.case == before:
            break
    return Shrunk(search.case, search.broken, search.tries)


def _time(search: _Search) -> None:
    """What came after the law was broken is not needed, and perhaps not all that came before."""
    seconds = search.broken.at_us // 1_000_000 + 1
    if seconds < search.case.seconds:
        search.change(seconds=seconds)
    while search.case.seconds > 1 and search.change(seconds=search.case.seconds // 2):
        pass
    while search.case.seconds > 1 and search.change(seconds=search.case.seconds * 7 // 8):
        pass


def _people(search: _Search) -> None:
    for name in words_in(search.case.hostile):
        search.change(hostile=",".join(word for word in words_in(search.case.hostile) if word != name))
    for field in ("founders", "players"):
        there = getattr(search.case, field)
        if there and not search.change(**{field: 0}) and there > 1:
            search.change(**{field: 1})
    for nodes in downwards(search.case.nodes):
        # Fewer nodes have fewer faults in a time, so what breaks them may come later.
        if 0 < nodes < search.case.nodes and not search.change(nodes=nodes):
            search.change(nodes=nodes, seconds=search.whole.seconds)
    _time(search)


def downwards(count: int) -> Iterator[int]:
    """Far below first, then nearer."""
    step = count
    while step > 1:
        step = (step + 1) // 2
        yield count - step
    yield count - 1


def _kinds(search: _Search) -> None:
    for kind in sorted(parse_kinds(search.case.faults)):
        kept = sorted(parse_kinds(search.case.faults) - {kind})
        search.change(faults=",".join(kept) or "none", left_out="")


def _faults(search: _Search) -> None:
    """Leave faults out, in ever smaller portions."""
    there = range(len(msgspec.structs.replace(search.case, left_out="").plan()))
    leave_out(there, lambda: numbers_in(search.case.left_out), lambda words: search.change(left_out=words))


def leave_out(there: Sequence[int], out: Callable[[], Collection[int]], change: Callable[[str], bool]) -> None:
    """Leave out what is there, by number, in ever smaller portions; `out` says what is already."""
    portion = len(there)
    while portion >= 1:
        kept = [number for number in there if number not in out()]
        for first in range(0, len(kept), portion):
            change(",".join(map(str, sorted({*out(), *kept[first : first + portion]}))))
        portion //= 2
