"""Worlds that several files of tests begin with."""

from __future__ import annotations

import pytest

from crdt.types import BlockId
from tests.consensus.world import FIRST, World


@pytest.fixture
def three() -> tuple[World, BlockId]:
    """A proposer and two others: both are needed."""
    world = World(4)
    world.pulse(FIRST, *world.people[:3])
    return world, world.propose(world.people[0], FIRST)
