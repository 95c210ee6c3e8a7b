"""Three who have nothing to do with one another, or nothing happens."""

from __future__ import annotations

import pytest

from consensus.params import SMALL
from consensus.personhood import graph_of
from consensus.reports import are_related, is_reviewed, review_of, unrelated
from crdt.types import Epoch, PlayerId


def key(number: int) -> PlayerId:
    return PlayerId(bytes([number]) * 32)


def known(*edges: tuple[int, int]) -> dict[PlayerId, frozenset[PlayerId]]:
    return dict(graph_of([pair for a, b in edges for pair in ((key(a), key(b)), (key(b), key(a)))]))


@pytest.mark.parametrize(
    ("edges", "related"),
    [
        ((), False),
        (((1, 2),), True),
        (((1, 3), (3, 2)), True),
        (((1, 3), (3, 4), (4, 2)), False),
        (((1, 3), (2, 4)), False),
    ],
)
def test_who_is_related(edges: tuple[tuple[int, int], ...], related: bool) -> None:
    assert are_related(known(*edges), key(1), key(2)) is are_related(known(*edges), key(2), key(1)) is related


def test_everyone_is_related_to_itself() -> None:
    assert are_related({}, key(1), key(1))


@pytest.mark.parametrize(
    ("edges", "reporters"),
    [
        ((), ()),
        ((), (1,)),
        ((), (1, 2)),
        ((), (1, 2, 2, 1)),
        (((1, 2),), (1, 2, 3)),
        (((1, 2), (2, 3), (3, 1)), (1, 2, 3)),
        (((1, 9), (2, 9)), (1, 2, 3)),
        (((1, 9), (2, 9), (3, 9), (4, 9), (5, 9)), (1, 2, 3, 4, 5)),
        (((1, 2), (3, 4)), (1, 2, 3, 4)),
    ],
)
def test_too_few_or_related(edges: tuple[tuple[int, int], ...], reporters: tuple[int, ...]) -> None:
    assert not is_reviewed(SMALL, known(*edges), [key(n) for n in reporters])


@pytest.mark.parametrize(
    ("edges", "reporters"),
    [((), (1, 2, 3)), (((1, 2),), (1, 2, 3, 4)), (((1, 9), (2, 8), (3, 7)), (3, 2, 1))],
)
def test_three_unrelated(edges: tuple[tuple[int, int], ...], reporters: tuple[int, ...]) -> None:
    assert is_reviewed(SMALL, known(*edges), [key(n) for n in reporters])


def test_taken_greedily_by_key_whatever_came_first() -> None:
    path = known((1, 2), (2, 3))
    assert unrelated(path, [key(3), key(2), key(1)]) == (key(1),)  # 3 is related to 1 by 2
    assert unrelated(path, [key(4), key(3), key(2)]) == (key(2), key(4))


def test_a_review_begins_with_the_next_epoch_and_ends() -> None:
    epochs = review_of(SMALL, Epoch(10))
    assert 10 not in epochs and 11 in epochs
    assert 10 + SMALL.review_epochs in epochs and 11 + SMALL.review_epochs not in epochs
