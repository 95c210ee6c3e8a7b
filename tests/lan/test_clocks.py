"""Two nodes whose clocks are 100 ppm apart: each knows the other's, and how well. Longer, and all: `make clock`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lan.clocks import trial
from tests.lan.wires import Lan, lan, missing

SECONDS = 12.0


@pytest.fixture(scope="module")
def pair() -> Iterator[Lan]:
    """Two hosts on a switch."""
    if why := missing():
        pytest.skip(why)
    with lan(2) as made:
        yield made


@pytest.mark.parametrize("condition", ["ethernet", "bursts", "asymmetric"])
def test_the_stated_uncertainty_covers_the_truth_and_time_never_goes_back(pair: Lan, condition: str) -> None:
    with trial.weather(pair, condition, seed=1):
        outcome = trial.measure(pair, SECONDS)
    assert outcome.samples > 100
    assert outcome.covered >= 0.99
    assert outcome.went_back == 0
    assert outcome.p95_ms < 3.0  # far off at first; a busy machine measures worse
