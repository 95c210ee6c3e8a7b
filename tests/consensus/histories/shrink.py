"""Taking entries out of a history that fails, for as long as it fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from consensus.ops import decode_ops
from crdt.entry import Entry
from tests.consensus.histories.scene import History


def kept(history: History, keep: Iterable[int]) -> History:
    """A history with these entries only, the sides with what is left of theirs."""
    numbers = sorted(set(keep))
    place = {number: i for i, number in enumerate(numbers)}
    sides = tuple(frozenset(place[n] for n in side if n in place) for side in history.sides)
    return history._replace(entries=tuple(history.entries[n] for n in numbers), sides=sides)


def shrink(history: History, fails: Callable[[History], bool], tries: int = 2_000) -> list[int]:
    """Numbers of entries that are enough to fail: no piece of those tried can be missed."""
    keep = list(range(len(history.entries)))
    size = max(1, len(keep) // 2)
    while tries > 0:
        start, was = 0, len(keep)
        while start < len(keep) and tries > 0:
            fewer, tries = keep[:start] + keep[start + size :], tries - 1
            if fails(kept(history, fewer)):
                keep = fewer
            else:
                start += size
        if size == 1 and len(keep) == was:
            break
        size = max(1, size // 2)
    return keep


def described(number: int, entry: Entry) -> str:
    """One entry in words."""
    ops, skipped = decode_ops(entry.body.payload)
    words = ", ".join(_of(op) for op in ops) + (f", {skipped} unreadable" if skipped else "")
    place = f"{entry.body.document}#{entry.body.seq} {entry.id.hex()[:8]} after {entry.body.prev.hex()[:8]}"
    return f"{number:4} {entry.body.author.hex()[:8]} {place}: {words}"


def _of(op: object) -> str:
    return repr(op)[:160]
