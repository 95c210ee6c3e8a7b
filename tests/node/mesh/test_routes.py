"""Which transport is used: pure rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdt.types import PlayerId
from node.mesh.port import Link
from node.mesh.routes import Routes, cost_us

ANNA = PlayerId(b"a" * 32)


def link(rtt_us: int | None, loss_permille: int = 0) -> Link:
    return Link("peer", "address", rtt_us, 0.0, 0, "any", loss_permille)


def joined(*transports: str) -> Routes:
    routes = Routes()
    for transport in transports:
        routes.joined(ANNA, transport)
    return routes


def test_first_and_last_are_told_apart_from_those_between() -> None:
    routes = Routes()
    assert routes.joined(ANNA, "tcp")
    assert not routes.joined(ANNA, "websocket")
    assert not routes.joined(ANNA, "websocket")
    assert not routes.left(ANNA, "tcp")
    assert routes.used(ANNA) == "websocket"
    assert routes.left(ANNA, "websocket")
    assert not routes.left(ANNA, "websocket")
    assert routes.used(ANNA) is None
    assert routes.players() == ()


def test_only_a_clearly_better_way_is_changed_to() -> None:
    routes = joined("tcp", "websocket")
    assert not routes.measured(ANNA, {"tcp": link(9_000), "websocket": link(5_000)})
    assert routes.measured(ANNA, {"tcp": link(9_000), "websocket": link(4_000)})
    assert routes.ways(ANNA) == ("websocket", "tcp")
    assert not routes.measured(ANNA, {"tcp": link(9_000), "websocket": link(4_000)})


def test_microseconds_are_no_reason_and_loss_is() -> None:
    routes = joined("tcp", "websocket")
    assert not routes.measured(ANNA, {"tcp": link(900), "websocket": link(90)})
    assert routes.measured(ANNA, {"tcp": link(900, loss_permille=31), "websocket": link(900)})


def test_what_was_not_measured_is_not_preferred() -> None:
    routes = joined("tcp", "websocket")
    assert not routes.measured(ANNA, {"tcp": link(50_000), "websocket": link(None)})
    assert not routes.measured(ANNA, {"websocket": link(1)})
    assert not joined("tcp").measured(ANNA, {"tcp": link(1)})
    assert not Routes().measured(ANNA, {"tcp": link(1)})


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 1000), st.integers(0, 1000))
def test_a_route_does_not_flap(one_us: int, other_us: int, one_loss: int, other_loss: int) -> None:
    """With the same measures there is at most one change."""
    routes = joined("tcp", "websocket")
    links = {"tcp": link(one_us, one_loss), "websocket": link(other_us, other_loss)}
    changes = [routes.measured(ANNA, links) for _ in range(4)]
    assert changes[1:] == [False] * 3
    assert cost_us(links[routes.ways(ANNA)[0]]) <= 2 * min(map(cost_us, links.values()))
