"""Python's garbage collector, asked to come rarely while a run goes on.

A world is made of what stays: entries, logs, trees. Walking through all of it every few thousand new objects cost a
sixth of a run of sixty nodes; what cycles there are can wait for a few tens of thousands.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

THRESHOLDS: Final = (50_000, 20, 100)


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """As it was before, afterwards."""
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
