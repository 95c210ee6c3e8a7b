"""Python's cycle collector, kept from walking again and again through what stays anyway.

Everything that a node holds it holds for long, and the collector walks through all of it each time that it has grown by
a quarter. While a store is read that nearly doubles the time; afterwards each walk would take a fifth of a second.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collecting() -> Iterator[None]:
    """Nothing is collected meanwhile, and what stands at the end never looked through: else the collector's first walk
    would be through all of it. What is garbage before goes first, while there is little to look through."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def spare_what_stands() -> None:
    """Leave what there is now out of every later collection."""
    gc.freeze()
