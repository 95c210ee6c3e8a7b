"""One LAN for all its tests; without root, iproute2 or nftables they skip and say so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lan.nodes import LanNode, nodes
from tests.lan.trials import HOSTS
from tests.lan.wires import Lan, lan, missing


@pytest.fixture(scope="session")
def wires() -> Iterator[Lan]:
    """Three hosts on a switch."""
    if why := missing():
        pytest.skip(why)
    with lan(HOSTS) as made:
        yield made


@pytest.fixture(scope="session")
def running(wires: Lan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LanNode]]:
    """A node on each."""
    with nodes(wires, tmp_path_factory.mktemp("lan")) as made:
        yield made
