"""The flood that simulators are compared by is the same flood in each."""

from __future__ import annotations

import pytest

from bench import flood


@pytest.mark.parametrize(("nodes", "degree"), [(2, 1), (3, 2), (40, 2), (40, 7), (10, 99)])
def test_each_message_crosses_every_link_but_the_ones_it_came_by(nodes: int, degree: int) -> None:
    neighbours = flood.graph(nodes, degree)
    assert all(one in neighbours[other] for one, others in enumerate(neighbours) for other in others)
    assert all(number not in others and len(set(others)) == len(others) for number, others in enumerate(neighbours))
    expected = 5 * (sum(map(len, neighbours)) - (nodes - 1))
    assert flood.heap(neighbours, 5).deliveries == expected == flood.world(neighbours, 5).deliveries


def test_a_graph_has_the_degree_that_was_asked_for_and_is_the_same_each_time() -> None:
    assert sum(map(len, flood.graph(50, 8))) == 400 and flood.graph(50, 8) == flood.graph(50, 8)
