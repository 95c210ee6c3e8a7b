"""Histories for hypothesis, which makes them smaller by itself: fewer people, fewer epochs, fewer entries."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.consensus.histories.generate import generate
from tests.consensus.histories.scene import History
from tests.consensus.histories.shrink import kept


@st.composite
def histories(draw: st.DrawFn, people_max: int = 8, epochs_max: int = 5) -> History:
    """A history, some of whose entries nobody ever had."""
    seed = draw(st.integers(0, 2**32))
    history = generate(seed, draw(st.integers(3, people_max)), draw(st.integers(1, epochs_max)))
    lost = draw(st.sets(st.integers(0, max(0, len(history.entries) - 1)), max_size=len(history.entries)))
    return kept(history, set(range(len(history.entries))) - lost)
