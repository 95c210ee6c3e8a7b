"""Three real nodes on three hosts with a switch between them. The figures asserted are those that issue 3 demands."""

from __future__ import annotations

from tests.lan import trials
from tests.lan.nodes import LanNode
from tests.lan.wires import Lan

LOSS_S = 6  # a whole minute: `make lan SECONDS=60`


def test_all_have_found_each_other_within_three_seconds(running: list[LanNode]) -> None:
    assert trials.discovery(running) < 3


def test_a_cable_pulled_and_plugged_in_again(wires: Lan, running: list[LanNode]) -> None:
    """Rejoined under five seconds, and what was played on both sides meanwhile is everywhere."""
    assert trials.cable(wires, running) < 5


def test_a_tenth_of_all_packets_lost(wires: Lan, running: list[LanNode]) -> None:
    lost = trials.loss(wires, running, 10, LOSS_S)
    assert lost.dropped > 100
    assert lost.played > 100
